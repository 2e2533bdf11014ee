"""The short form of `make chaos`: a dozen faults on one system, of the same kinds and by the same rules."""

from pathlib import Path

import pytest

from tests.chaos.experiment import run_experiment

SEED, FAULTS = 7, 12
RUNNING_AGAIN_S = 30.0


@pytest.mark.timeout(600)
async def test_nothing_is_lost_hung_posted_twice_or_left(tmp_path: Path) -> None:
    outcome = await run_experiment(tmp_path, seed=SEED, faults=FAULTS)
    assert outcome.faults.total() == FAULTS
    assert outcome.ends["finished"] > FAULTS
    report = "\n".join(outcome.problems)
    assert (outcome.lost, outcome.hung, outcome.wrong) == (0, 0, 0), report
    assert (outcome.twice, outcome.missing, outcome.left_bytes) == (0, 0, 0), report
    assert max(max(seconds) for seconds in outcome.recovery_s.values()) <= RUNNING_AGAIN_S, outcome.recovery_s
