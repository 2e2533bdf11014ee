"""Contract of the stage that puts the terms of a glossary into a transcript."""

from dataclasses import dataclass
from typing import Generic

from pipeline.graph.stage import FileT, Stage, StageOutput
from pipeline.types import Artefact


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyGlossaryInputs(Generic[FileT]):
    """`transcript` of an `AlignOutput`."""

    transcript: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyGlossaryParams:
    """What is put in place of what sounds like it."""

    terms: tuple[str, ...] = ()
    """Lines of a glossary: terms as people write them, some with how they sound."""
    people: tuple[str, ...] = ()
    """Names of people, which never take the place of ordinary words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyGlossaryOutput(StageOutput, Generic[FileT]):
    """The transcript with terms in place of what sounds like them."""

    transcript: FileT
    replaced: int
    """Terms that were put in."""


APPLY_GLOSSARY = Stage(
    name="apply_glossary",
    title="Applying the glossary",
    function="pipeline.speech.glossary.stage:apply_glossary_stage",
    inputs=ApplyGlossaryInputs[Artefact],
    params=ApplyGlossaryParams,
    output=ApplyGlossaryOutput[Artefact],
    version=4,
)
