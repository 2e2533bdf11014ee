"""The table of all stages, collected from the contracts of each subject."""

from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import cast

from pipeline.chapters import contracts as chapters
from pipeline.edits import contracts as edits
from pipeline.export import contracts as export
from pipeline.graph.stage import AnyStage, Stage
from pipeline.media import contracts as media
from pipeline.media.tools import contracts as tools
from pipeline.mix import contracts as mix
from pipeline.routing import contracts as routing
from pipeline.separation import contracts as separation
from pipeline.speaker_stems import contracts as speaker_stems
from pipeline.speech import contracts as speech
from pipeline.speech.diarization.parts import contracts as diarization
from pipeline.speech.glossary import contracts as glossary
from pipeline.speech.recognition import contracts as recognition
from pipeline.speech.speakers import contracts as speakers


def _stages_of(*modules: ModuleType) -> Mapping[str, AnyStage]:
    values = (value for module in modules for value in vars(module).values())
    rows = [cast("AnyStage", value) for value in values if isinstance(value, Stage)]
    return MappingProxyType({row.name: row for row in rows})


STAGES = _stages_of(
    *(media, tools, routing, separation, speech, diarization, recognition, speakers, glossary),
    *(speaker_stems, mix, edits, chapters, export),
)
"""Stages by name."""
COSTLY_STAGES = frozenset(name for name, stage in STAGES.items() if stage.costly)
"""Names of the stages that count against the minutes of a day."""
