"""Each row of the registry agrees with the function it names."""

from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

from pipeline.graph.registry import COSTLY_STAGES, STAGES
from pipeline.graph.stage import AnyStage, StageContext, load_function


def plain(kind: object) -> object:
    return get_origin(kind) or kind


@pytest.mark.parametrize("stage", STAGES.values(), ids=list(STAGES))
def test_the_function_is_declared_with_the_types_of_the_row(stage: AnyStage) -> None:
    hints = get_type_hints(load_function(stage.function))
    assert [*hints] == ["context", "inputs", "params", "return"]
    assert hints["context"] is StageContext
    assert plain(hints["inputs"]) is plain(stage.inputs)
    assert get_args(hints["inputs"]) == (Path,)
    assert hints["params"] is stage.params
    assert plain(hints["return"]) is plain(stage.output)


def test_names_and_titles_are_each_used_once() -> None:
    assert all(name == stage.name for name, stage in STAGES.items())
    assert len({stage.title for stage in STAGES.values()}) == len(STAGES)


def test_what_counts_against_the_minutes_of_a_day() -> None:
    assert {"separate", "diarize", "transcribe"} == COSTLY_STAGES
