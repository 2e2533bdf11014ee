from itertools import pairwise

import pytest

from pipeline.graph.eta import SETTLING, Estimate


def judged(*steps: tuple[float, float]) -> list[float | None]:
    estimate = Estimate()
    return [estimate.judge(fraction, now) for fraction, now in steps]


def test_steady_work_is_judged_right() -> None:
    found = judged(*((second / 100, 7.0 + second) for second in range(100)))
    assert found[: int(SETTLING)] == [None] * int(SETTLING)
    assert found[10:] == [pytest.approx(100 - second) for second in range(10, 100)]


def test_what_was_already_done_at_the_first_look_does_not_count() -> None:
    assert judged((0.5, 0.0), (0.6, 10.0))[1] == pytest.approx(40.0)


def test_what_was_there_already_says_nothing_of_how_fast_it_goes() -> None:
    estimate = Estimate()
    assert estimate.judge(0.0, 0.0) is None
    assert [estimate.judge(share, 10.0, given=share) for share in (0.2, 0.4, 0.6)] == [None] * 3
    assert estimate.judge(0.7, 30.0, given=0.6) == pytest.approx(90.0)


def test_work_that_does_not_move_is_not_judged() -> None:
    assert judged((0.0, 0.0), (0.0, 60.0), (0.001, 120.0)) == [None, None, None]


def test_nothing_is_left_once_it_is_done() -> None:
    assert judged((0.0, 0.0), (1.0, 30.0)) == [None, None]


def test_work_that_begins_again_is_judged_anew() -> None:
    assert judged((0.0, 0.0), (0.5, 10.0), (0.0, 20.0), (0.1, 30.0))[2:] == [None, pytest.approx(90.0)]


def test_a_stall_moves_the_judgement_smoothly() -> None:
    """Ten steady seconds, then ten times slower: it grows, and without a jump."""
    estimate = Estimate()
    found = [estimate.judge(second / 100, second) for second in range(50)]
    found += [estimate.judge(0.5 + second / 1000, 50 + second) for second in range(100)]
    known = [value for value in found if value is not None]
    assert max(abs(after - before) for before, after in pairwise(known)) < 3
    assert known[-1] > 1.5 * known[45]
