"""Which modules stay together in one process of `pytest -n`, and which of them are begun first."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

ROOT: Final = Path(__file__).parents[1]
SYSTEM, OBSERVED, LIGHT, MACHINE = "system", "observed system", "light system", "machine"
SHARED: Final = {
    ("tests/wire", SYSTEM): r"stack: Stack|result: Message",
    ("tests/wire", OBSERVED): "observed: Observed",
    ("tests/wire", LIGHT): "light: LightStack",
    ("tests/e2e", MACHINE): "machine: Machine",
}
"""Running systems, and how tests and fixtures of modules in that folder ask for them.

Each process of xdist that has one of these modules starts its own system and makes anew what its cache would have.
"""
FIRST: Final = (
    *(SYSTEM, MACHINE, OBSERVED, LIGHT),
    "tests/e2e/test_killed_worker.py",
    "tests/worker/test_app.py",
    "tests/worker/jobs/test_parted_run.py",
    "tests/worker/engine/test_supervisor.py",
    "tests/e2e/browser/test_editor.py",
    "tests/chaos/test_short_form.py",
    "tests/pipeline/media/containers/test_odd_containers.py",
    "tests/pipeline/separation/engines/test_vr.py",
    "tests/architecture/test_borders.py",
    "tests/fuzz/test_short_form.py",
)
"""Systems and modules that take longest, so that no process is left alone with one of them at the end."""


class Schedule(LoadFileScheduling):
    """Gives out modules, or all that share a system, as a whole and in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        # By itself xdist begins with the modules of many tests, which are the quick ones.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid.split("::", 1)[0])


@cache
def unit_of(module: str) -> str:
    """Return the system that a module shares with others, or the module where it shares none."""
    folder = module.rpartition("/")[0]
    asked = {unit: asks for (place, unit), asks in SHARED.items() if place == folder}
    text = (ROOT / module).read_text() if asked else ""
    return next((unit for unit, asks in asked.items() if re.search(rf"def \w+\([^)]*\b({asks})\b", text)), module)


def put_longest_first(items: list[pytest.Item]) -> None:
    """Move what takes long to the front; the rest, and the order within a unit, stay as they are."""
    ranks = {unit: rank for rank, unit in enumerate(FIRST)}
    items.sort(key=lambda item: ranks.get(unit_of(item.nodeid.split("::", 1)[0]), len(ranks)))
