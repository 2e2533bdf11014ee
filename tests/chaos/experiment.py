"""One system, some faults one after the other, and what became of everything."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.faults import choose_fault
from tests.chaos.jobs import Load, Run
from tests.chaos.system import ChaosSystem
from tests.folders import files_below
from worker.store.scratch import remove_abandoned, scratch_root

HUNG_AFTER_S = 90.0
"""Without a sign of a job after a fault, it counts as hung."""
LONGEST_PAUSE_S = 1.0
SETTLE_LIMIT_S = 180.0


@dataclass
class Outcome:
    """What happened to one system, or to several together."""

    faults: Counter[str] = field(default_factory=Counter[str])
    recovery_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds from the end of each fault until every job that was under way gave a sign of life, by fault."""
    ends: Counter[str] = field(default_factory=Counter[str])
    why: Counter[str] = field(default_factory=Counter[str])
    """Reasons of jobs that ended without a result."""
    lost: int = 0
    """Jobs without an end."""
    hung: int = 0
    """Times that a job gave no sign for `HUNG_AFTER_S`."""
    wrong: int = 0
    """Results with other bytes than the clip's."""
    twice: int = 0
    """Jobs with two ends, and results that were posted twice."""
    missing: int = 0
    """Results that were not posted."""
    cancel_s: list[float] = field(default_factory=list[float])
    left_bytes: int = 0
    """In scratch folders and the system's folder for temporary files, after the sweep."""
    problems: list[str] = field(default_factory=list[str])

    def add(self, other: "Outcome") -> None:
        """Add what happened to another system."""
        self.faults += other.faults
        for name, seconds in other.recovery_s.items():
            self.recovery_s[name].extend(seconds)
        self.ends += other.ends
        self.why += other.why
        self.cancel_s += other.cancel_s
        self.problems += other.problems
        for name in ("lost", "hung", "wrong", "twice", "missing", "left_bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


async def run_experiment(
    folder: Path, *, seed: int, faults: int, s3: bool = False, only: Sequence[str] = ()
) -> Outcome:
    """Let so many faults happen to a system under load; of all kinds, or of some only."""
    rng = random.Random(seed)
    outcome = Outcome()
    async with ChaosSystem.start(folder, s3=s3) as system:
        load = Load(system, rng)
        load.calm.set()
        sending = asyncio.create_task(load.keep_going())
        await asyncio.sleep(3)
        for number in range(faults):
            await _one_fault(system, load, rng, outcome, only)
            if sending.done():
                sending.result()
            await asyncio.sleep(rng.uniform(0, LONGEST_PAUSE_S))
            if number % 25 == 24:
                print(f"seed {seed}: {number + 1} faults, {len(load.runs)} jobs", flush=True)
        sending.cancel()
        await load.finish(SETTLE_LIMIT_S)
        _judge(load, outcome)
        if outcome.lost or outcome.hung or outcome.missing or outcome.wrong:
            outcome.problems.append(system.report())
    # The processes have ended; what they left is removed by the next one that starts.
    root = scratch_root(system.home)
    if root.exists():
        remove_abandoned(root)
    outcome.left_bytes = _bytes_in([root, system.temporary])
    return outcome


async def _one_fault(
    system: ChaosSystem, load: Load, rng: random.Random, outcome: Outcome, only: Sequence[str]
) -> None:
    """Break something, mend it, and wait until every job that was under way goes on."""
    fault = choose_fault(system, rng, only)
    if rng.random() < 0.5:
        await _next_event(load)
    load.disturb()
    await fault.inject(system, rng)
    ended = time.monotonic()
    outcome.faults[fault.name] += 1
    hit = [(run, run.length) for run in load.under_way]
    recovered = ended
    for run, length in hit:
        while run.end is None and run.length == length and time.monotonic() < ended + HUNG_AFTER_S:
            await asyncio.sleep(0.05)
        if run.end is None and run.length == length:
            outcome.hung += 1
            outcome.problems.append(f"{fault.name}: no sign of job {run.job_id} for {HUNG_AFTER_S:.0f} s")
        else:
            recovered = max(recovered, run.seen)
    outcome.recovery_s[fault.name].append(recovered - ended)
    load.calm.set()


async def _next_event(load: Load, limit: float = 2.0) -> None:
    """Wait for the moment when a job goes from one stage to the next, or begins or ends."""
    before = {id(run): run.length for run in load.under_way}
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if any(before.get(id(run), 0) != run.length for run in load.under_way):
            return
        await asyncio.sleep(0.01)


def _judge(load: Load, outcome: Outcome) -> None:
    for run in load.runs:
        outcome.ends[run.end or "lost"] += 1
        if run.why:
            outcome.why[run.why] += 1
        if run.cancel_s is not None:
            outcome.cancel_s.append(run.cancel_s)
        outcome.lost += run.end is None
        outcome.wrong += not run.is_right
        outcome.twice += run.terminal_events > 1
        if run.interaction is not None and run.end == "finished":
            posts = load.posts(run)
            outcome.twice += posts > 1
            outcome.missing += posts == 0
        if _is_problem(run):
            outcome.problems.append(f"job {run.job_id or '(none)'}: {run}")
            if run.interaction is not None:
                outcome.problems.append(f"its messages: {[message.text for message in load.answers(run)]}")


def _is_problem(run: Run) -> bool:
    return run.end is None or not run.is_right or run.terminal_events > 1


def _bytes_in(folders: Iterable[Path]) -> int:
    """Count the bytes of all files below some folders."""
    return sum(path.lstat().st_size for folder in folders for path in files_below(folder))
