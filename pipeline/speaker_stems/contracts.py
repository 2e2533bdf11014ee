"""Contract of the stage that gives each speaker a track."""

from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, NoParams, Stage, StageOutput
from pipeline.types import Artefact


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSpeakersInputs(Generic[FileT]):
    """The vocals, and when each speaker is heard in them, as a `pipeline.types.Diarization`."""

    vocals: FileT
    voices: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSpeakersOutput(StageOutput, Generic[FileT]):
    """Tracks that add up to the vocals, sample for sample."""

    stems: tuple[FileT, ...] = ()
    """`speaker-1.flac` and so on; none where nobody is heard, nor for a speaker who is not."""
    speakers: tuple[str, ...] = ()
    """Whose each of them is, by id."""
    shares: FileT | None = None
    """`speaker-stems.json`, a `pipeline.types.SpeakerShares`."""


SPLIT_SPEAKERS = Stage(
    name="split_speakers",
    title="Giving each speaker a track",
    function="pipeline.speaker_stems.stage:split_speakers_stage",
    inputs=SplitSpeakersInputs[Artefact],
    params=NoParams,
    output=SplitSpeakersOutput[Artefact],
)
