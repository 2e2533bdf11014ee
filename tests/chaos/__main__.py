"""Print what becomes of jobs, messages and files under many faults: `python -m tests.chaos --faults 1000 --seed 1`.

Several systems run side by side, since most of the time passes with waiting; every other one keeps its store in S3.
Ends with exit code 1 when anything was lost, hung, wrong, missing, twice or left.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos.experiment import Outcome, run_experiment
from tests.chaos.faults import FAULTS


async def measure(faults: int, seed: int, systems: int, only: Sequence[str]) -> Outcome:
    """Share the faults out over several systems."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        experiments = [
            run_experiment(
                Path(folder) / str(number),
                seed=seed + number,
                faults=faults // systems + (number < faults % systems),
                s3=number % 2 == 1,
                only=only,
            )
            for number in range(systems)
        ]
        total = Outcome()
        for outcome in await asyncio.gather(*experiments):
            total.add(outcome)
        return total


def show(outcome: Outcome, console: Console) -> None:
    """Print the tables."""
    table = Table("fault", "times", "running again, median s", "worst s", box=None)
    for name, seconds in sorted(outcome.recovery_s.items()):
        table.add_row(name, str(len(seconds)), f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}")
    console.print(table)
    faults, jobs = outcome.faults.total(), outcome.ends.total()
    worst = max((max(seconds) for seconds in outcome.recovery_s.values()), default=0.0)
    console.print(f"faults {faults}, jobs {jobs}: {dict(outcome.ends)}; reasons: {dict(outcome.why)}")
    console.print(
        f"lost {outcome.lost}, hung {outcome.hung}, wrong {outcome.wrong}, posted or ended twice {outcome.twice}, "
        f"missing {outcome.missing}, bytes left {outcome.left_bytes}"
    )
    cancels = sorted(outcome.cancel_s)
    shown = f"worst {cancels[-1]:.2f} s of {len(cancels)}" if cancels else "none"
    console.print(f"running again: worst {worst:.1f} s; cancelled: {shown}")
    for problem in outcome.problems:
        console.print(problem, markup=False, soft_wrap=True)


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--systems", type=int, default=4)
    parser.add_argument("--only", action="append", default=[], choices=list(FAULTS), help="kinds of faults")
    options = parser.parse_args()
    outcome = asyncio.run(measure(options.faults, options.seed, options.systems, options.only))
    show(outcome, Console(width=160))
    bad = outcome.lost, outcome.hung, outcome.wrong, outcome.twice, outcome.missing, outcome.left_bytes
    return int(any(bad))


if __name__ == "__main__":
    raise SystemExit(main())
