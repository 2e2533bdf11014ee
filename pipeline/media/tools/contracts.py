"""Contracts of the stages that make one file out of a clip."""

from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, Stage, StageOutput
from pipeline.types import (
    Artefact,
    BurnCaptions,
    ChangeRate,
    ContactSheet,
    Cut,
    MakeLoop,
    Resize,
    TakeFrame,
    TakeSound,
    TurnPicture,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditClipInputs(Generic[FileT]):
    """The clip as it was sent."""

    source: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class EditClipParams:
    """What to make of a clip."""

    tool: Cut | Resize | ChangeRate | TurnPicture | TakeSound | TakeFrame | ContactSheet | MakeLoop
    track: int | None = None
    """Number of the sound track, from 1; None: it is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile(StageOutput, Generic[FileT]):
    """What a tool made of a clip."""

    made: FileT


EDIT_CLIP = Stage(
    name="edit_clip",
    title="Editing the clip",
    function="pipeline.media.tools.stage:edit_clip_stage",
    inputs=EditClipInputs[Artefact],
    params=EditClipParams,
    output=MadeFile[Artefact],
    isolated=True,
    limit=180.0,
    limit_per_second=32.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnCaptionsInputs(Generic[FileT]):
    """The clip as it was sent, and who says what in it."""

    source: FileT
    transcript: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnCaptionsParams:
    """How captions look."""

    tool: BurnCaptions
    track: int | None = None
    """Number of the sound track, from 1; None: it is chosen."""


BURN_CAPTIONS = Stage(
    name="burn_captions",
    title="Writing captions into the picture",
    function="pipeline.media.tools.captions:burn_captions_stage",
    inputs=BurnCaptionsInputs[Artefact],
    params=BurnCaptionsParams,
    output=MadeFile[Artefact],
    isolated=True,
    limit=180.0,
    limit_per_second=32.0,
)
