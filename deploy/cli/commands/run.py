"""`stemcord run`: process a clip with the same queue and workers as the bot."""

import asyncio
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import UNSET
from rich.console import Console

from deploy.cli.dub import packed_dub
from deploy.cli.errors import exit_on_failure
from deploy.cli.input_files import InputFile, check_file, check_results, list_inputs, possible_results
from deploy.cli.local_job import run_local_job
from deploy.cli.output import show_result, write_result
from deploy.cli.printable import artefact_name
from deploy.cli.request_options import FlagValue, given_in, read_speaker_gains, with_options
from pipeline.errors import ValidationError
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.mix.dub.params import needs_turns
from pipeline.options import REQUEST_OPTIONS, SUBTITLE_OPTIONS, parse_request, parse_subtitle_style
from pipeline.speech.glossary.terms import read_glossary
from pipeline.types import Request, Result, Task
from worker.protocol import Job, WorkerKind
from worker.settings import WorkerSettings
from worker.store import Store
from worker.store.scratch import scratch_for


@with_options(REQUEST_OPTIONS, SUBTITLE_OPTIONS)
def run(
    *,
    clip: Annotated[Path, typer.Argument(help="A video or sound file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    dub: Annotated[
        Path | None,
        typer.Option(
            help="A sound file in place of the vocals; or a folder, zip or dub.json of files for turns and speakers."
        ),
    ] = None,
    voices: Annotated[Path | None, typer.Option(help="A voice-book by which speakers are named.")] = None,
    glossary: Annotated[Path | None, typer.Option(help="Terms that are put in place of what sounds like them.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ignore what the store already has.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print result.json instead of a summary.")] = False,
    with_page: Annotated[
        bool, typer.Option("--page", help="Then show the result in the browser, like `stemcord page`.")
    ] = False,
    **given: FlagValue,
) -> None:
    """Take a clip apart, write down who said what, and mix it together again."""
    console = Console(stderr=as_json)
    started = time.monotonic()
    with exit_on_failure():
        settings = WorkerSettings()
        request = _read_request(given, settings, glossary)
        if voices is not None:
            from deploy.cli.commands.voices import check_book

            check_book(voices, request.preset)
        # Before anything is written, also in the home.
        inputs = list_inputs(clip, dub, voices, glossary)
        check_results(inputs, possible_results(out))
        with scratch_for(settings.home, "command-") as scratch, packed_dub(dub, scratch) as new_voices:
            _check_paths(clip, new_voices, out, settings.max_size)
            order = _RunArguments(
                request=request, clip=clip, out=out, dub=new_voices, fresh=fresh, voices=voices, inputs=inputs
            )
            result = asyncio.run(_run(order, settings, console))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
    else:
        show_result(result, out, time.monotonic() - started, console)
    if with_page:
        from deploy.cli.commands.result_page import show_folder

        sys.stdout.flush()
        with exit_on_failure():
            show_folder(out, console)
    raise typer.Exit(1 if result.failures else 0)


def _read_request(given: Mapping[str, FlagValue], settings: WorkerSettings, glossary: Path | None) -> Request:
    options = given_in(REQUEST_OPTIONS, given)
    options["preset"] = options.get("preset") or settings.preset
    options["speaker_gains"] = read_speaker_gains(options.get("speaker_gains", ()))
    style = parse_subtitle_style(given_in(SUBTITLE_OPTIONS, given))
    terms = UNSET if glossary is None else read_glossary(glossary)
    return replace(parse_request(options), subtitles=None if style == SubtitleStyle() else style, glossary=terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunArguments:
    """The checked arguments of the command."""

    request: Request
    clip: Path
    out: Path
    dub: Path | None
    fresh: bool
    voices: Path | None = None
    inputs: tuple[InputFile, ...] = ()


async def _run(arguments: _RunArguments, settings: WorkerSettings, console: Console) -> Result:
    async def write(result: Result, store: Store) -> None:
        check_results(arguments.inputs, (arguments.out / artefact.name for artefact in result.artefacts))
        await write_result(result, store, arguments.out)

    kinds = _worker_kinds(arguments)
    return await run_local_job(settings, console, kinds, build=lambda store: _build_job(arguments, store), write=write)


async def _build_job(arguments: _RunArguments, store: Store) -> Job:
    book = None if arguments.voices is None else await store.put(arguments.voices, name="voice-book.json")
    return Job(
        id=uuid.uuid4().hex,
        request=replace(arguments.request, voice_book=book),
        source=await store.put(arguments.clip, name=artefact_name(arguments.clip)),
        dub=None if arguments.dub is None else await store.put(arguments.dub, name=artefact_name(arguments.dub)),
        submitted=time.time(),
        fresh=arguments.fresh,
    )


def _worker_kinds(arguments: _RunArguments) -> tuple[WorkerKind, ...]:
    """Return the kinds of workers that a run may start; the asr worker takes seconds to start."""
    request, dub = arguments.request, arguments.dub
    hears = request.task in (Task.TRANSCRIBE, Task.ALL) or request.speaker_gains or request.soft_subtitles
    hears = hears or request.wants_speaker_stems or (dub is not None and needs_turns(request, dub.name))
    return ("media", "asr") if hears else ("media",)


def _check_paths(clip: Path, dub: Path | None, out: Path, max_size: int) -> None:
    if out.exists() and not out.is_dir():
        raise ValidationError(f"{out} is a file.", hint="Name a folder with --out.")
    for path in (clip,) if dub is None else (clip, dub):
        check_file(path, max_size)
