import json

import pytest
import structlog


def test_error_is_logged_by_its_place_and_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("a private word")
    except ValueError:
        structlog.get_logger("bot").exception("broken", job="1")
    line = capsys.readouterr().err
    said = json.loads(line)
    assert "private" not in line
    assert (said["event"], said["error"], said["job"]) == ("broken", "ValueError", "1")
    assert said["frames"][-1].endswith("test_error_is_logged_by_its_place_and_without_its_words")
