"""The files that a run reads, and which of them its results would replace."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.cli.dub import is_several
from pipeline.errors import LimitError, MediaError, ValidationError
from pipeline.export.registry import EXPORT_FORMATS
from pipeline.mix.dub.manifest import list_files
from pipeline.types import SoundFormat

RESULT_NAMES = (
    *("result.json", "report.png", "audio.wav", "final.mp4", "final.mkv"),
    *(f"final.{form}" for form in SoundFormat),
    *("transcript.json", *(f"transcript.{form.suffix}" for form in EXPORT_FORMATS)),
    *("diarization.json", "voices.json", "voices-embeddings.json", "dub-report.json", "dub-report.txt"),
)
"""What a run may write into its folder, beside all that goes into `RESULT_FOLDERS`."""
RESULT_FOLDERS = ("stems", "compact")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file that a run reads."""

    path: Path
    title: str
    """What it is, at the beginning of a sentence, such as `The clip`."""


def list_inputs(
    clip: Path, dub: Path | None, voices: Path | None, glossary: Path | None = None
) -> tuple[InputFile, ...]:
    """List the files that a run reads; of a dub in several files, all of them.

    Raises:
        ValidationError: The dub cannot be used.
    """
    pieces = () if dub is None else list_files(dub) if is_several(dub) else (dub,)
    book = () if voices is None else (InputFile(path=voices, title="The voice-book"),)
    terms = () if glossary is None else (InputFile(path=glossary, title="The glossary"),)
    return (
        InputFile(path=clip, title="The clip"),
        *(InputFile(path=path, title="The dub") for path in pieces),
        *book,
        *terms,
    )


def check_results(inputs: Iterable[InputFile], targets: Iterable[Path]) -> None:
    """Refuse a run whose results would replace a file that it reads, also under another name or through a link.

    Args:
        inputs: The files that are read.
        targets: Where results would be written.

    Raises:
        ValidationError: One of the targets is one of the inputs.
    """
    known = {(found.st_dev, found.st_ino): one for one in inputs if one.path.exists() for found in (one.path.stat(),)}
    for target in targets:
        if not target.exists():
            continue
        found = target.stat()
        replaced = known.get((found.st_dev, found.st_ino))
        if replaced is not None:
            raise ValidationError(
                f"{replaced.title} itself would be replaced.",
                hint="Name another folder with --out.",
                detail=str(target),
            )


def possible_results(out: Path) -> list[Path]:
    """List the paths in a folder that a run may write, as far as they are there already."""
    named = [out / name for name in RESULT_NAMES]
    below = [path for name in RESULT_FOLDERS for path in (out / name).rglob("*")]
    return [path for path in (*named, *below) if path.is_file()]


def check_file(path: Path, max_size: int) -> None:
    """Refuse a clip that is not there, empty or larger than `max_size` bytes, before anything is started.

    Raises:
        ValidationError: There is no such file.
        MediaError: It is empty.
        LimitError: It is too large.
    """
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
