"""Which modules stay together in one process of `pytest -n`, and which of them are begun first."""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

SYSTEM: Final = "tests/wire, with the fixture system"
LIGHT: Final = "tests/wire, with the fixture light_system"
OBSERVED: Final = "tests/wire, with the fixture observed_system"
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    SYSTEM: (
        *("test_bot_bad_input", "test_bot_batch", "test_bot_buttons", "test_bot_cancel", "test_bot_clip"),
        *("test_bot_commands", "test_bot_delivery", "test_bot_failures", "test_bot_fix_line", "test_bot_glossary"),
        *("test_bot_intake", "test_bot_jobs", "test_bot_names", "test_bot_privacy", "test_bot_settings"),
        *("test_bot_sizes",),
    ),
    LIGHT: (
        *("test_bot_card", "test_bot_duties", "test_bot_links", "test_bot_listen", "test_bot_mentions"),
        *("test_bot_places", "test_bot_upload_limits"),
    ),
    OBSERVED: ("test_bot_edits", "test_bot_telemetry"),
}
"""Modules of `tests/wire` that share a running system: each process of xdist that has one of them starts its own."""
FIRST: Final = (
    SYSTEM,
    OBSERVED,
    LIGHT,
    "tests/e2e/test_killed_worker.py",
    "tests/worker/test_app.py",
    "tests/worker/engine/test_supervisor.py",
    "tests/e2e/browser/test_editor.py",
    "tests/chaos/test_short_form.py",
    "tests/pipeline/media/containers/test_odd_containers.py",
    "tests/pipeline/separation/engines/test_vr.py",
    "tests/architecture/test_borders.py",
    "tests/fuzz/test_short_form.py",
)
"""Groups and modules that take longest, so that no process is left alone with one of them at the end."""
_GROUP_OF_MODULE = {f"tests/wire/{module}.py": group for group, modules in GROUPS.items() for module in modules}


class Schedule(LoadFileScheduling):
    """Gives out groups and modules in the order of the collection, each as a whole."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        # By itself xdist begins with the modules of many tests, which are the quick ones.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """Return the group of a test, or its module where it is in none."""
    module = nodeid.split("::", 1)[0]
    return _GROUP_OF_MODULE.get(module, module)


def put_longest_first(items: list[pytest.Item]) -> None:
    """Move what takes long to the front; the rest, and the order within a unit, stay as they are."""
    ranks = {unit: rank for rank, unit in enumerate(FIRST)}
    items.sort(key=lambda item: ranks.get(unit_of(item.nodeid), len(ranks)))
