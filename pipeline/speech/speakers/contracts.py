"""Contracts of the stages that describe a clip's voices and look them up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic

from pipeline.graph.stage import FileT, NoParams, Stage, StageOutput
from pipeline.types import Artefact


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedSpeakersInputs(Generic[FileT]):
    """Speech, 16 kHz, and the `voices` of an `AlignOutput`."""

    speech: FileT
    voices: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedSpeakersParams:
    """Which model describes a voice."""

    embedding: str
    weights: str
    """`pipeline.models.loader.model_digest` of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedSpeakersOutput(StageOutput, Generic[FileT]):
    """An embedding of each speaker who is heard long enough."""

    embeddings: FileT
    """A `pipeline.speech.speakers.matching.VoiceBook` as JSON; biometric."""
    voices: int
    """How many speakers have one."""


EMBED_SPEAKERS = Stage(
    name="embed_speakers",
    title="Describing the voices",
    function="pipeline.speech.speakers.stage:embed_speakers_stage",
    inputs=EmbedSpeakersInputs[Artefact],
    params=EmbedSpeakersParams,
    output=EmbedSpeakersOutput[Artefact],
    limit=300.0,
    limit_per_second=10.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSpeakersInputs(Generic[FileT]):
    """The clip's embeddings and a voice-book, both a `VoiceBook` as JSON."""

    embeddings: FileT
    book: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSpeakersOutput(StageOutput):
    """Names of the voice-book by speaker's id."""

    names: Mapping[str, str] = field(default_factory=dict[str, str])


MATCH_SPEAKERS = Stage(
    name="match_speakers",
    title="Looking for known voices",
    function="pipeline.speech.speakers.stage:match_speakers_stage",
    inputs=MatchSpeakersInputs[Artefact],
    params=NoParams,
    output=MatchSpeakersOutput,
)
