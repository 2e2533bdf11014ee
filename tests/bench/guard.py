"""Which stage became slower than before: this commit against another, in turns.

    .venv/bin/python -m tests.bench.guard [--base REVISION] [--pairs 5] [--task all] [--clip FILE] [--repeat SECONDS]

Both trees run in the environments of this one. Each has a home and workers of its own, which have heard the clip once,
not repeated; a pair is the same job once in each tree, the order changing from pair to pair. A stage is slower when it
was in most pairs, by more than the pairs differ among themselves. With `--cold` each command starts its own workers.
Ends with exit code 1 when a stage is slower. Read it on a quiet machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.rebalance import COMMAND, SAMPLE, environment, make_clip, up

ROOT = Path(__file__).parents[2]
WHOLE = "whole command"
MIN_SLOWER_SECONDS = 0.1
"""Less is the noise of a clock."""


@dataclass(slots=True)
class Tree:
    """A checkout and what was measured of it."""

    folder: Path
    home: Path
    runs: list[Mapping[str, float]] = field(default_factory=list[Mapping[str, float]])

    def settings(self) -> dict[str, str]:
        """The environment in which its own code runs."""
        return environment(self.home) | {"PYTHONPATH": str(self.folder)}

    def run(self, clip: Path, task: str) -> Mapping[str, float]:
        """Seconds of each stage of a job that takes nothing from the store, and of the whole command."""
        with tempfile.TemporaryDirectory(prefix="stemcord-guard-") as folder:
            out = Path(folder) / "out"
            command = [*COMMAND, "run", str(clip), "--out", str(out), "--task", task, "--fresh"]
            started = time.perf_counter()
            subprocess.run(command, cwd=self.folder, env=self.settings(), check=True, stdout=subprocess.DEVNULL)
            seconds = {WHOLE: time.perf_counter() - started}
            sys.stderr.write(f"{self.home.name}: {clip.name}, {task}, {seconds[WHOLE]:.1f} s\n")
            for timing in json.loads((out / "result.json").read_bytes())["timings"]:
                seconds[timing["stage"]] = seconds.get(timing["stage"], 0.0) + timing["engine_seconds"]
        return seconds


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """A checkout of a revision that shares the environments of this one."""
    tree = folder / "base"
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), revision], cwd=ROOT, check=True)
    try:
        for name in (".venv", ".venv-asr"):
            (tree / name).symlink_to((ROOT / name).resolve())
        yield tree
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


@contextmanager
def working(tree: Tree) -> Iterator[None]:
    """Workers of a tree, until the end of the block."""
    before = dict(os.environ), Path.cwd()
    os.environ["PYTHONPATH"] = str(tree.folder)
    os.chdir(tree.folder)
    try:
        with up(tree.home):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before[0])
        os.chdir(before[1])


def compare(before: Sequence[float], after: Sequence[float]) -> tuple[float, bool]:
    """The median of how much longer it takes, in seconds, and whether that is more than noise."""
    differences = [new - old for old, new in zip(before, after, strict=True)]
    middle = statistics.median(differences)
    spread = statistics.median(abs(difference - middle) for difference in differences)
    most = sum(difference > 0 for difference in differences) > 0.75 * len(differences)
    return middle, most and middle > max(MIN_SLOWER_SECONDS, 3 * spread)


def show(base: Tree, here: Tree, console: Console) -> int:
    """Print the table; return how many stages became slower."""
    names = dict.fromkeys(name for tree in (base, here) for run in tree.runs for name in run)
    table = Table("stage", "before s", "after s", "after / before", "", box=None)
    slower = 0
    for name in names:
        before, after = ([run.get(name, 0.0) for run in tree.runs] for tree in (base, here))
        middle, is_slower = compare(before, after)
        known = all(any(seconds) for seconds in (before, after))
        slower += known and is_slower
        old, new = statistics.median(before), statistics.median(after)
        ratio = f"{new / old:.2f}" if known and old else ""
        table.add_row(
            name,
            f"{old:.2f} ({min(before):.2f}-{max(before):.2f})",
            f"{new:.2f} ({min(after):.2f}-{max(after):.2f})",
            ratio,
            f"slower by {middle:.2f} s" if known and is_slower else "",
        )
    console.print(table)
    return slower


def measure(base: Tree, here: Tree, clips: tuple[Path, Path], task: str, pairs: int, *, cold: bool) -> None:
    """Run both trees in turns, with the second clip after each has had the first."""
    warm_up, clip = clips
    with ExitStack() as stack:
        if not cold:
            for tree in (base, here):
                stack.enter_context(working(tree))
        for tree in (base, here):
            tree.run(warm_up, task)
        for pair in range(pairs):
            for tree in (base, here) if pair % 2 == 0 else (here, base):
                tree.runs.append(tree.run(clip, task))


def main() -> int:
    """Compare, and say what is slower."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.guard", description=__doc__)
    parser.add_argument("--base", default="HEAD~1", help="the revision that was before")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--task", default="all", choices=("all", "separate", "transcribe", "remix"))
    parser.add_argument("--clip", type=Path, default=SAMPLE, help="another clip than the sample")
    parser.add_argument("--repeat", type=int, metavar="SECONDS", help="the clip over and over, so many seconds")
    parser.add_argument("--cold", action="store_true", help="workers that each command starts itself")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stemcord-guard-") as name, ExitStack() as stack:
        folder = Path(name)
        warm_up = arguments.clip.resolve()
        clip = make_clip(folder, arguments.repeat, warm_up) if arguments.repeat else warm_up
        base = Tree(stack.enter_context(checked_out(arguments.base, folder)), folder / "home-before")
        here = Tree(ROOT, folder / "home-after")
        measure(base, here, (warm_up, clip), arguments.task, arguments.pairs, cold=arguments.cold)
        return 1 if show(base, here, Console(width=110)) else 0


if __name__ == "__main__":
    sys.exit(main())
