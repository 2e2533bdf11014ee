"""The kind of each test, which decides when and beside what it runs.

Each test is one of `unit`, `integration`, `e2e` and `bench`. The kind follows from the longest path in `KIND_OF_PATH`
that holds the test's module; a mark on the test, its class or its module takes precedence
(`pytestmark = pytest.mark.integration`). A test that has no kind, or several, stops the collection.
`tests/README.md` says what each kind may do.
"""

import gc
import os
import sys
from collections.abc import Generator, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.schedule import Schedule, put_longest_first

ROOT = Path(__file__).parent
KINDS = ("unit", "integration", "e2e", "bench")
PATHS_OF_KIND = {
    "unit": (
        "architecture",
        "bot/components/test_thread.py",
        "bot/i18n",
        "bot/jobs/test_quotas.py",
        "bot/messages",
        "bot/test_error_handler.py",
        "bot/test_log.py",
        "bot/test_retry.py",
        "bot/test_settings.py",
        "bot/uploads/test_folder.py",
        "deploy/cli/test_dub.py",
        "deploy/cli/test_export.py",
        "deploy/cli/test_progress.py",
        "deploy/cli/test_run_options.py",
        "deploy/cli/test_voices.py",
        "deploy/setup/test_requirements.py",
        "pipeline",
        "pipeline/mix/dub/test_manifest.py",
        "pipeline/mix/test_gains.py",
        "pipeline/mix/test_limiter.py",
        "pipeline/separation/test_ambience.py",
        "pipeline/separation/test_stem_files.py",
        "pipeline/separation/test_streaming.py",
        "pipeline/separation/test_wiener_filter.py",
        "wire/test_acts.py",
        "wire/test_openapi.py",
        "worker/store/test_artefact_store.py",
    ),
    "integration": (
        "architecture/test_borders.py",
        "bot",
        "deploy",
        "fuzz",
        "pipeline/audio/test_true_peak.py",
        "pipeline/export/test_stage.py",
        "pipeline/media",
        "pipeline/mix",
        "pipeline/models/test_download.py",
        "pipeline/routing",
        "pipeline/separation",
        "pipeline/speech/compat/test_torchaudio.py",
        "pipeline/speech/diarization/test_pyannote_pipeline.py",
        "pipeline/speech/diarization/test_stage.py",
        "pipeline/speech/recognition/ctc/test_recogniser.py",
        "pipeline/speech/recognition/test_stage.py",
        "pipeline/speech/recognition/whisper/test_tokenizer.py",
        "pipeline/test_clock.py",
        "pipeline/training",
        "wire/test_fake.py",
        "worker",
    ),
    "e2e": ("chaos", "e2e", "wire"),
    "bench": ("bench",),
}
KIND_OF_PATH = {path: kind for kind, paths in PATHS_OF_KIND.items() for path in paths}
PATHS_ALONE = ("e2e/browser/test_page.py", "e2e/test_together.py")
"""Listen to what a browser plays in real time."""
OUTSIDE_EVENTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.fork", "socket.connect", "socket.bind"})
"""Audit events of processes and sockets, which a unit test must not cause."""

if "PYTEST_XDIST_WORKER" in os.environ:
    # Test processes side by side gain nothing from several threads each.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@cache
def kind_of_path(path: Path) -> str | None:
    """Find the kind that the table gives to a file; None where it knows none."""
    if not path.is_relative_to(ROOT):
        return None
    place = path.relative_to(ROOT)
    return next((KIND_OF_PATH[str(part)] for part in (place, *place.parents) if str(part) in KIND_OF_PATH), None)


def kind_of(module: Path, marks: Iterable[str]) -> str:
    """Find the kind of a test.

    Args:
        module: The file that holds the test.
        marks: Names of the marks on the test, its class and its module.

    Raises:
        pytest.UsageError: The test has no kind, or more than one.
    """
    found = {mark for mark in marks if mark in KINDS} or {kind_of_path(module)} - {None}
    if len(found) != 1:
        problem = f"has several kinds ({', '.join(sorted(map(str, found)))})" if found else "has no kind"
        raise pytest.UsageError(
            f"{module} {problem}: mark it with one of {', '.join(KINDS)}, or name its folder in tests/conftest.py."
        )
    return str(found.pop())


class OutsideWatch:
    """Fails unit tests that start a process or use a socket."""

    def __init__(self) -> None:
        seen: set[str] = set()
        self._seen = seen

        # Audit hooks cannot be removed; this one outlives the module's names when the interpreter ends.
        def note(event: str, _: tuple[Any, ...], watched: frozenset[str] = OUTSIDE_EVENTS) -> None:
            if event in watched:
                seen.add(event)

        sys.addaudithook(note)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Forget what earlier tests did; what the fixtures of this one do counts."""
        self._seen.clear()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Run the test, then look at what it reached for."""
        yield
        if self._seen and item.get_closest_marker("unit"):
            pytest.fail(f"a unit test caused {', '.join(sorted(self._seen))}: mark it as integration", pytrace=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run leave modules of other kinds alone: importing them all takes longer than the unit tests.

    And let it take up the result that an earlier one made of the sample.
    """
    parser.addoption("--sample-result", type=Path, help="a folder for the result of the sample, which is made once")
    parser.addoption("--kind", choices=KINDS, help="import only the modules that tests/conftest.py gives this kind")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore the modules of other kinds than the one asked for."""
    kind = config.getoption("--kind")
    wanted = kind is None or not collection_path.is_file() or kind_of_path(collection_path) in (kind, None)
    return None if wanted else True


def pytest_configure(config: pytest.Config) -> None:
    """Watch what the tests of this process reach for; until they run, nothing that is made is garbage."""
    config.pluginmanager.register(OutsideWatch(), "outside-watch")
    # The process that gives tests to others collects none.
    if not config.getoption("numprocesses", None):
        gc.disable()


def pytest_collection_finish() -> None:
    """Leave all that was imported and collected out of the search for garbage, a second of each process otherwise."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Mark each test with its kind, and those that run alone; a test without a kind is an error of its module."""
    report = yield
    try:
        for item in report.result or ():
            if isinstance(item, pytest.Item):
                _mark(item)
    except pytest.UsageError as error:
        report.outcome, report.longrepr, report.result = "failed", str(error), []
    return report


def _mark(item: pytest.Item) -> None:
    kind = kind_of(item.path, (mark.name for mark in item.iter_markers()))
    if item.get_closest_marker(kind) is None:
        item.add_marker(kind)
    if _runs_alone(item.path):
        item.add_marker("alone")


@cache
def _runs_alone(path: Path) -> bool:
    return any(path.is_relative_to(ROOT / alone) for alone in PATHS_ALONE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest where several processes share the tests."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        put_longest_first(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Schedule | None:
    """Keep together what shares a running system."""
    return Schedule(config, log) if config.getoption("dist") == "loadfile" else None
