"""`stemcord run`: a clip through the same queue and workers as the bot."""

import asyncio
import sys
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from deploy.cli.dub import packed_dub
from deploy.cli.errors import exit_on_failure
from deploy.cli.job_client import follow, local_queue
from deploy.cli.output import show_result, write_result
from pipeline.catalog import LOUDNESS, MIXES
from pipeline.errors import LimitError, MediaError, ValidationError
from pipeline.export.style import SubtitleStyle
from pipeline.mix.dub.params import needs_turns
from pipeline.models.recognisers import RECOGNISERS
from pipeline.options import parse_request, parse_subtitle_style, read_speaker_gains
from pipeline.types import Request, Result, SoundFormat, Task
from worker.protocol import Job, WorkerKind
from worker.settings import WorkerSettings
from worker.store import Store


def run(
    clip: Annotated[Path, typer.Argument(help="A video or sound file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    task: Annotated[str, typer.Option(help="separate | transcribe | remix | all")] = "all",
    route: Annotated[str, typer.Option(help="auto | basic | dialogue | cinematic")] = "auto",
    preset: Annotated[str | None, typer.Option(help="pocket | studio; default STEMCORD_PRESET")] = None,
    budget: Annotated[str, typer.Option(help="low | normal")] = "normal",
    language: Annotated[str, typer.Option(help="Language code such as en, zh or zh-en (mixed), or auto.")] = "auto",
    recogniser: Annotated[
        str, typer.Option(help=f"Who writes the words down: {' | '.join(RECOGNISERS)}, or auto.")
    ] = "auto",
    speakers: Annotated[str, typer.Option(help="Exact number of speakers, or auto.")] = "auto",
    min_speakers: Annotated[str, typer.Option(help="At least so many speakers, or auto.")] = "auto",
    max_speakers: Annotated[str, typer.Option(help="At most so many speakers, or auto.")] = "auto",
    dub: Annotated[
        Path | None,
        typer.Option(
            help="A sound file in place of the vocals; or a folder, zip or dub.json of files for turns and speakers."
        ),
    ] = None,
    dub_stretch: Annotated[
        str, typer.Option(help="Per cent by which the length of a dubbed line may be changed.")
    ] = "12",
    keep_vocals: Annotated[
        bool | None,
        typer.Option(help="Keep the vocals where the dub replaces no turn; by default with a dub in pieces."),
    ] = None,
    mix: Annotated[str | None, typer.Option(help=f"Balance by name: {' | '.join(MIXES)}")] = None,
    voice: Annotated[str | None, typer.Option(help="Gain of the voice, such as 0.7 or '-3 dB'; default 1.0.")] = None,
    background: Annotated[str | None, typer.Option(help="Gain of everything else; default 0.7.")] = None,
    music: Annotated[str | None, typer.Option(help="Gain of the music, where it is a stem of its own.")] = None,
    sfx: Annotated[str | None, typer.Option(help="Gain of the effects, likewise.")] = None,
    ambient: Annotated[str | None, typer.Option(help="Gain of the ambience, likewise.")] = None,
    speaker: Annotated[
        list[str] | None, typer.Option(help="Gain of one speaker, such as 'Speaker 1=-3 dB'; may be repeated.")
    ] = None,
    loudness: Annotated[str | None, typer.Option(help=f"none | original | {' | '.join(LOUDNESS)}")] = None,
    duck: Annotated[str | None, typer.Option(help="Turn the background down under speech by so many dB.")] = None,
    duck_attack: Annotated[str | None, typer.Option(help="Seconds that it takes to go down; default 0.2.")] = None,
    duck_release: Annotated[str | None, typer.Option(help="Seconds that it takes to come back; default 0.6.")] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help=f"{' | '.join(SoundFormat)}, beside the m4a; may be repeated.")
    ] = None,
    voices: Annotated[Path | None, typer.Option(help="A voice-book by which speakers are named.")] = None,
    line_length: Annotated[str, typer.Option(help="Characters in a line of subtitles, or auto.")] = "auto",
    reading_speed: Annotated[str, typer.Option(help="Characters of a subtitle a second, or auto.")] = "auto",
    min_duration: Annotated[str, typer.Option(help="Seconds that a subtitle stays at least.")] = "1",
    subtitles: Annotated[
        bool, typer.Option("--subtitles", help="Put the transcript into the final video, to be turned on by viewers.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ignore what the store already has.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print result.json instead of a summary.")] = False,
    with_page: Annotated[
        bool, typer.Option("--page", help="Then show the result in the browser, like `stemcord page`.")
    ] = False,
) -> None:
    """Take a clip apart, write down who said what, and mix it together again."""
    console = Console(stderr=as_json)
    started = time.monotonic()
    with exit_on_failure():
        settings = WorkerSettings()
        request = parse_request(
            {
                "task": task,
                "route": route,
                "preset": preset or settings.preset,
                "budget": budget,
                "language": language,
                "recogniser": recogniser,
                "speakers": speakers,
                "min_speakers": min_speakers,
                "max_speakers": max_speakers,
                "mix": mix,
                "voice": voice,
                "background": background,
                "music": music,
                "sfx": sfx,
                "ambient": ambient,
                "speaker_gains": read_speaker_gains(speaker or []),
                "loudness": loudness,
                "duck": duck,
                "duck_attack": duck_attack,
                "duck_release": duck_release,
                "formats": formats or ["m4a"],
                "soft_subtitles": subtitles,
                "dub_stretch": dub_stretch,
                "keep_vocals": keep_vocals,
            }
        )
        style = parse_subtitle_style(
            {"line_length": line_length, "reading_speed": reading_speed, "min_duration": min_duration}
        )
        request = replace(request, subtitles=None if style == SubtitleStyle() else style)
        if voices is not None:
            from deploy.cli.voices import check_book

            check_book(voices, request.preset)
        with packed_dub(dub) as new_voices:
            _check_paths(clip, new_voices, out, settings.max_size)
            order = _RunArguments(request=request, clip=clip, out=out, dub=new_voices, fresh=fresh, voices=voices)
            result = asyncio.run(_run(order, settings, console))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    else:
        show_result(result, out, time.monotonic() - started, console)
    if with_page:
        from deploy.cli.result_page import show_folder

        sys.stdout.flush()
        with exit_on_failure():
            show_folder(out, console)
    raise typer.Exit(1 if result.failures else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunArguments:
    """What the command line asked for, checked."""

    request: Request
    clip: Path
    out: Path
    dub: Path | None
    fresh: bool
    voices: Path | None = None


async def _run(arguments: _RunArguments, settings: WorkerSettings, console: Console) -> Result:
    store = Store.open(settings.store_url)
    async with local_queue(settings, console, _worker_kinds(arguments)) as (queue, need):
        starting = asyncio.create_task(need("media"))
        try:
            job = await _build_job(arguments, store)
            result = await follow(queue, job, starting, need, console)
        finally:
            starting.cancel()
            await asyncio.wait({starting})
        # While the workers are still there: to end them takes a moment, and nobody should wait for that.
        await write_result(result, store, arguments.out)
    return result


async def _build_job(arguments: _RunArguments, store: Store) -> Job:
    book = None if arguments.voices is None else await store.put(arguments.voices, name="voice-book.json")
    return Job(
        id=uuid.uuid4().hex,
        request=replace(arguments.request, voice_book=book),
        source=await store.put(arguments.clip, name=arguments.clip.name),
        dub=None if arguments.dub is None else await store.put(arguments.dub, name=arguments.dub.name),
        submitted=time.time(),
        fresh=arguments.fresh,
    )


def _worker_kinds(arguments: _RunArguments) -> tuple[WorkerKind, ...]:
    """The workers that an order needs; the one that transcribes takes seconds to start."""
    request, dub = arguments.request, arguments.dub
    hears = request.task in (Task.TRANSCRIBE, Task.ALL) or request.speaker_gains or request.soft_subtitles
    hears = hears or (dub is not None and needs_turns(request, dub.name))
    return ("media", "asr") if hears else ("media",)


def _check_paths(clip: Path, dub: Path | None, out: Path, max_size: int) -> None:
    if out.exists() and not out.is_dir():
        raise ValidationError(f"{out} is a file.", hint="Name a folder with --out.")
    for path in (clip,) if dub is None else (clip, dub):
        _check_file(path, max_size)


def _check_file(path: Path, max_size: int) -> None:
    if not path.is_file():
        raise ValidationError(f"There is no file {path}.", hint="Check the path.")
    size = path.stat().st_size
    if size == 0:
        raise MediaError(f"{path.name} is empty.")
    if size > max_size:
        raise LimitError(
            f"{path.name} has {size / 1e6:.0f} MB; at most {max_size / 1e6:.0f} MB are allowed.",
            hint="Send a smaller clip or raise STEMCORD_MAX_SIZE.",
        )
