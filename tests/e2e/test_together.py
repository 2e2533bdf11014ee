"""The stems of a page are heard together for a while, most of which passes as other tests run."""

from collections.abc import Callable
from concurrent.futures import Future
from urllib.parse import urlsplit

import pytest

from tests.e2e.browser.sound import DRIFT
from tests.e2e.browser.visitor import Listened
from tests.e2e.conftest import LISTEN_SECONDS


def test_stems_stay_together(
    listened: Future[dict[str, Listened]],
    address: str,
    long_address: str,
    record_property: Callable[[str, object], None],
) -> None:
    heard = listened.result(4 * LISTEN_SECONDS + 60)
    for engine, place in (("BufferEngine", address), ("ElementEngine", long_address)):
        moments = heard[engine].moments
        drifts = [moment.drift for moment in moments if moment.drift is not None]
        # In the pauses of the talk nothing is heard of the voices.
        assert len(drifts) >= LISTEN_SECONDS // 3, moments
        assert moments[-1].clock - moments[0].clock > LISTEN_SECONDS - 5
        assert moments[-1].shown - moments[0].shown == pytest.approx(moments[-1].clock - moments[0].clock, abs=0.2)
        assert max(drifts) < DRIFT, moments
        assert heard[engine].errors == []
        assert heard[engine].asked == {urlsplit(place).netloc}
        record_property(f"most drift in {LISTEN_SECONDS} s, {engine}, ms", round(max(drifts) * 1000, 2))
