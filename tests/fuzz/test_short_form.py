"""The short form of `make fuzz`: ninety inputs of all kinds, judged by the same rules."""

import pytest

from tests.fuzz.experiment import run_experiment
from tests.fuzz.inputs import KINDS

SEED, INPUTS = 7, 90


@pytest.mark.timeout(600)
def test_nothing_crashes_hangs_or_gets_out() -> None:
    outcome = run_experiment(SEED, range(INPUTS), processes=2)
    assert outcome.finds == []
    assert sum(outcome.endings.values()) == INPUTS
    assert {kind for kind, _ in outcome.endings} == set(KINDS)
    # Mutation is neither so weak that all are clips still nor so strong that none is.
    media = outcome.endings["media", "accepted"], outcome.endings["media", "refused"]
    assert min(media) > sum(media) / 5
    assert {"probe", "extract", "mux", "edit_clip", "dub"} <= set(outcome.stages)
