"""Each test has one kind, and a place that the table does not know stops the collection."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import KIND_OF_PATH, PATHS_ALONE, ROOT, kind_of
from tests.schedule import FIRST, LIGHT, MACHINE, OBSERVED, SHARED, SYSTEM, unit_of


def test_each_path_of_the_table_exists() -> None:
    assert [path for path in (*KIND_OF_PATH, *PATHS_ALONE) if not (ROOT / path).exists()] == []


def test_the_longest_path_decides() -> None:
    assert kind_of(ROOT / "wire" / "test_openapi.py", []) == "unit"
    assert kind_of(ROOT / "wire" / "test_bot_jobs.py", ["asyncio"]) == "e2e"


def test_a_mark_takes_precedence() -> None:
    assert kind_of(ROOT / "wire" / "test_openapi.py", ["integration", "alone"]) == "integration"


def test_two_kinds_are_refused() -> None:
    with pytest.raises(pytest.UsageError, match="several kinds"):
        kind_of(ROOT / "wire" / "test_openapi.py", ["unit", "integration"])


@pytest.mark.integration
def test_a_test_without_a_kind_stops_the_collection(tmp_path: Path) -> None:
    lost = tmp_path / "test_lost.py"
    lost.write_text("def test_nothing_in_particular():\n    assert True\n")
    done = collect(lost)
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout
    assert f"{lost} has no kind: mark it with one of unit," in done.stdout
    lost.write_text("import pytest\n\n\n@pytest.mark.unit\ndef test_nothing_in_particular():\n    assert True\n")
    assert collect(lost).returncode == pytest.ExitCode.OK


@pytest.mark.integration
def test_a_unit_test_that_starts_a_process_fails(tmp_path: Path) -> None:
    test = tmp_path / "test_process.py"
    body = "    subprocess.run(['true'], check=True)\n"
    test.write_text(f"import subprocess, pytest\n\n\n@pytest.mark.unit\ndef test_process():\n{body}")
    done = collect(test, run=True)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "a unit test caused subprocess.Popen" in done.stdout


@pytest.mark.parametrize(
    ("module", "unit"),
    [
        ("tests/wire/test_bot_jobs.py", SYSTEM),
        ("tests/wire/test_bot_card.py", LIGHT),
        ("tests/wire/test_bot_edits.py", OBSERVED),
        ("tests/e2e/test_sample.py", MACHINE),
        ("tests/wire/test_fake.py", "tests/wire/test_fake.py"),
        ("tests/worker/test_app.py", "tests/worker/test_app.py"),
    ],
)
def test_modules_that_share_a_system_run_in_one_process(module: str, unit: str) -> None:
    assert unit_of(module) == unit


def test_what_is_begun_first_exists() -> None:
    systems = {unit for _, unit in SHARED}
    assert [unit for unit in FIRST if unit not in systems and not (ROOT.parent / unit).is_file()] == []


def test_what_runs_alone_is_where_make_looks_for_it() -> None:
    marked = {path for path in ROOT.rglob("test_*.py") if re.search(r"mark\.alone\b", path.read_text())}
    places = {str(path.relative_to(ROOT)) for path in marked} | set(PATHS_ALONE)
    assert [place for place in places if not place.startswith("e2e/")] == []


def collect(file: Path, *, run: bool = False) -> subprocess.CompletedProcess[str]:
    """Collect a file outside of the tests' folder with `tests/conftest.py` alone, and run it if asked to."""
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull, *([] if run else ["--collect-only"])]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file)],
        cwd=ROOT.parent,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
