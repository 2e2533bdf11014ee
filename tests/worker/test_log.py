from pathlib import Path

import pytest
import structlog

from worker.log import log_to_file


def test_a_log_on_a_full_disk_is_dropped_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    with log_to_file(Path("/dev/full"), "json", "info"):
        structlog.get_logger().warning("this does not fit")
    assert capfd.readouterr() == ("", "")
