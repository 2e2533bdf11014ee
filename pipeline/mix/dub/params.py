"""What the dub stage is told, as a request has it; no sound library is needed to say it."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import cast

import msgspec

from pipeline.catalog import MAX_SIZE
from pipeline.graph.stage import StageMetadata
from pipeline.types import Artefact, MediaInfo, Request

BUNDLE_SUFFIX = ".zip"


class DubParams(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the dub stage."""

    pieces: bool
    """True when the dub is a zip of pieces, False when it is one whole track."""
    stretch: float
    """Per cent by which the length of a line may be changed, at the most."""
    keep_vocals: bool
    """Keep the original vocals where no turn is replaced."""
    audio_start: float
    """Seconds on the clip's clock of the first sample."""
    max_size: int = MAX_SIZE
    """Bytes that the pieces may have, unpacked."""


def in_pieces(name: str) -> bool:
    """Whether a dub comes as a zip of pieces, by the name that it was sent under."""
    return PurePosixPath(name).suffix.lower() == BUNDLE_SUFFIX


def needs_turns(request: Request, name: str) -> bool:
    """Whether a dub of that name can be placed only when it is known who speaks when."""
    return in_pieces(name) or bool(request.keep_vocals)


def compare_inputs(
    dub: Artefact | None, stems: Mapping[str, Artefact], spoken: Mapping[str, Artefact], made: Sequence[Artefact]
) -> dict[str, Artefact] | None:
    """What a dub that is one whole track and went into the final mix is compared with.

    None where that is not there: nothing is made for it alone.
    """
    mixed = any(artefact.name == "final.m4a" for artefact in made)
    if dub is None or in_pieces(dub.name) or not mixed or "vocals" not in stems or "transcript" not in spoken:
        return None
    return {"vocals": stems["vocals"], "dub": dub, "transcript": spoken["transcript"]}


def dub_params(request: Request, media: MediaInfo, dub: Artefact, *, max_size: int) -> StageMetadata:
    """The parameters for a request, as JSON.

    Unless something else is asked for, pieces keep the vocals between the turns and a whole track does not.
    """
    pieces = in_pieces(dub.name)
    params = DubParams(
        pieces=pieces,
        stretch=request.dub_stretch,
        keep_vocals=pieces if request.keep_vocals is None else request.keep_vocals,
        audio_start=media.audio.start,
        max_size=max_size,
    )
    return cast("StageMetadata", msgspec.to_builtins(params))
