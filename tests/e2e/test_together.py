"""The stems of a page are heard together; most of the minute passes while other tests run."""

from collections.abc import Callable
from concurrent.futures import Future
from urllib.parse import urlsplit

import pytest

from tests.e2e.browser.sound import DRIFT
from tests.e2e.browser.visitor import Listened
from tests.e2e.conftest import MINUTE


def test_stems_stay_together_for_a_minute(
    minute: Future[dict[str, Listened]], address: str, long_address: str, record_property: Callable[[str, object], None]
) -> None:
    heard = minute.result(4 * MINUTE)
    for engine, place in (("BufferEngine", address), ("ElementEngine", long_address)):
        listened = heard[engine]
        moments = listened.moments
        drifts = [moment.drift for moment in moments if moment.drift is not None]
        # In the pauses of the talk nothing is heard of the voices.
        assert len(drifts) >= 20, moments
        assert moments[-1].clock - moments[0].clock > MINUTE - 5
        assert moments[-1].shown - moments[0].shown == pytest.approx(moments[-1].clock - moments[0].clock, abs=0.2)
        assert max(drifts) < DRIFT, moments
        assert listened.errors == []
        assert listened.asked == {urlsplit(place).netloc}
        record_property(f"most drift in a minute, {engine}, ms", round(max(drifts) * 1000, 2))
