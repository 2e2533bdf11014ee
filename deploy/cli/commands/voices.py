"""`stemcord voices`: manage a voice-book, with which `stemcord run --voices` names speakers."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from deploy.cli.errors import exit_on_failure
from pipeline.catalog import PRESETS
from pipeline.errors import ValidationError
from pipeline.graph.stage import NoParams, StageContext
from pipeline.media.contracts import ExtractInputs, ExtractParams, PrepareSpeechInputs, ProbeInputs, ProbeParams
from pipeline.models.loader import Models, model_digest
from pipeline.speech.contracts import DiarizeInputs, DiarizeParams
from pipeline.speech.speakers.contracts import EmbedSpeakersInputs, EmbedSpeakersParams
from pipeline.speech.speakers.matching import Voice, VoiceBook, check_model, enrol, remove_voice
from pipeline.speech.speakers.voice_book import read_book, write_book
from pipeline.types import Preset, Result
from worker.settings import WorkerSettings
from worker.store import Store
from worker.store.scratch import scratch_for, temporary_files_in

voices = typer.Typer(help="Voices that are known by name.", no_args_is_help=True)
BookOption = Annotated[Path, typer.Option("--book", help="The file of the voice-book.")]


@voices.command("enrol")
def enrol_voice(
    source: Annotated[Path, typer.Argument(help="A clip, or a folder that `stemcord run` wrote.")],
    name: Annotated[str, typer.Option(help="Whose voice it is.")],
    book: BookOption,
    speaker: Annotated[str | None, typer.Option(help="Which speaker, such as S1; when several speak.")] = None,
    track: Annotated[
        int | None,
        typer.Option(help="Which of several sound tracks of a clip, counted from 1.", show_default=False),
    ] = None,
) -> None:
    """Learn a person's voice; done again, it learns more of it."""
    with exit_on_failure():
        settings = WorkerSettings()
        known = read_book(book) if book.exists() else VoiceBook()
        with scratch_for(settings.home, "command-") as scratch, temporary_files_in(scratch):
            heard = (
                asyncio.run(_read_job_voices(source, settings))
                if source.is_dir()
                else _extract_clip_voices(source, settings, track)
            )
        found = _choose_voice(heard, speaker)
        write_book(enrol(known, name, found, model=heard.model, digest=heard.digest), book)
        Console().print(f"{escape(name)}: learnt from {found.seconds:.1f} s", highlight=False)


@voices.command("list")
def list_voices(book: BookOption) -> None:
    """Who is known, and from how much speech."""
    with exit_on_failure():
        for voice in read_book(book).voices:
            Console().print(f"{escape(voice.name)}  {voice.seconds:.1f} s", highlight=False)


@voices.command("forget")
def forget_voice(name: Annotated[str, typer.Argument(help="Whose voice.")], book: BookOption) -> None:
    """Forget a voice."""
    with exit_on_failure():
        write_book(remove_voice(read_book(book), name), book)


def check_book(path: Path, preset: Preset) -> None:
    """Check that a voice-book can be used with a preset.

    Raises:
        ValidationError: The book is broken or was made with another speaker embedding.
    """
    model = PRESETS[preset].embedding
    check_model(read_book(path), model, model_digest(model))


def _choose_voice(heard: VoiceBook, speaker: str | None) -> Voice:
    known = ", ".join(f"{voice.name} ({voice.seconds:.0f} s)" for voice in heard.voices)
    first = next(iter(heard.voices), None)
    if first is None:
        raise ValidationError("No voice is heard alone for long enough.", hint="Enrol from a clip with 5 s of speech.")
    if speaker is None and len(heard.voices) > 1:
        raise ValidationError(f"Several people speak: {known}.", hint="Say which one with --speaker.")
    found = first if speaker is None else heard.find(speaker)
    if found is None:
        raise ValidationError(f"There is no speaker {speaker!r}.", hint=f"There are {known}.")
    return found


async def _read_job_voices(folder: Path, settings: WorkerSettings) -> VoiceBook:
    """Read the voices of a finished job from the store."""
    try:
        result = msgspec.json.decode((folder / "result.json").read_bytes(), type=Result)
    except (OSError, msgspec.DecodeError) as error:
        raise ValidationError(
            f"{folder} holds no result.", hint="Name a folder that `stemcord run` wrote.", detail=str(error)
        ) from error
    if result.voices is None:
        raise ValidationError("The result has no voices.", hint="Run the clip again with --task transcribe.")
    with tempfile.TemporaryDirectory(prefix="stemcord-") as scratch:
        target = Path(scratch) / "voices.json"
        return read_book(await Store.open(settings.store_url, settings.keyring).fetch(result.voices, target))


def _extract_clip_voices(clip: Path, settings: WorkerSettings, track: int | None) -> VoiceBook:
    """Extract the voices of a clip in this process."""
    if not clip.is_file():
        raise ValidationError(f"There is no file {clip}.", hint="Check the path.")
    # The engines are loaded for a clip only, not for a list of names.
    from pipeline.media.stages import extract_stage, prepare_speech_stage, probe_stage
    from pipeline.speech.diarization.stage import diarize_stage
    from pipeline.speech.speakers.stage import embed_speakers_stage

    preset = PRESETS[Preset(settings.preset)]
    models = Models(settings.home, settings.device)
    with tempfile.TemporaryDirectory(prefix="stemcord-") as folder:
        context = StageContext(out=Path(folder), report=_ignore_progress, models=models)
        limits = ProbeParams(
            name=clip.name, max_duration=settings.max_duration, max_size=settings.max_size, track=track
        )
        probed = probe_stage(context, ProbeInputs(source=clip), limits)
        for note in probed.notes:
            Console().print(f"[yellow]Note[/yellow]  {escape(note)}", highlight=False, soft_wrap=True)
        sound = extract_stage(context, ExtractInputs(source=clip), ExtractParams(track=probed.media.track)).sound
        speech = prepare_speech_stage(context, PrepareSpeechInputs(sound=sound), NoParams()).speech
        params = DiarizeParams(segmentation=preset.segmentation, embedding=preset.embedding, weights=())
        voices = diarize_stage(context, DiarizeInputs(speech=speech), params).diarization
        embedded = embed_speakers_stage(
            context,
            EmbedSpeakersInputs(speech=speech, voices=voices),
            EmbedSpeakersParams(embedding=preset.embedding, weights=""),
        )
        return read_book(embedded.embeddings)


def _ignore_progress(fraction: float, message: str = "") -> None:
    """Discard progress."""
