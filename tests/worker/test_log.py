import json
from pathlib import Path

import pytest
import structlog

from pipeline.errors import StoreError
from tests.worker.conftest import System
from worker.log import log_to_file, private_names
from worker.protocol import Failed


def test_a_log_on_a_full_disk_is_dropped_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    with log_to_file(Path("/dev/full"), "json", "info"):
        structlog.get_logger().warning("this does not fit")
    assert capfd.readouterr() == ("", "")


def test_names_of_files_stay_out_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log_to_file(log, "json", "info"), private_names("holiday of Anna.mp4", "mp4"):
        try:
            raise StoreError("The store was asked for holiday of Anna.mp4, but is away.")
        except StoreError as error:
            structlog.get_logger().exception("failed", error=error.message)
    text = log.read_text()
    assert "Anna" not in text
    assert json.loads(text)["error"] == "The store was asked for <file>, but is away."


async def test_lines_of_a_job_carry_its_id_and_not_the_name_of_its_clip(system: System, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log_to_file(log, "json", "info"):
        await system.start()
        job = await system.job("holiday of Anna.json")
        (system.settings.home / "store" / "blobs" / job.source.digest[:2] / job.source.digest).unlink()
        await system.queue.submit(job)
        assert isinstance((await system.events(job))[-1], Failed)
        await system.stop()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    failed = [line for line in lines if line["event"] == "attempt failed"]
    assert len(failed) == 3
    assert {line["job"] for line in failed} == {job.id}
    assert "Anna" not in log.read_text()
