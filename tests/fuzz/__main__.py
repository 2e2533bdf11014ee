"""Print what becomes of many hostile inputs: `python -m tests.fuzz --inputs 10000 --seed 1`.

Ends with exit code 1 when anything crashed, hung, took too much memory, got out or was left. `--keep FOLDER` keeps the
inputs that did so; `--only NUMBER` sends one of them again.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.fuzz.confined import FINDS
from tests.fuzz.experiment import Outcome, run_experiment
from tests.fuzz.inputs import KINDS
from worker.engine.confinement.policy import shortfalls


def show(outcome: Outcome, console: Console) -> None:
    """Print the tables."""
    table = Table("inputs", "number", "accepted", "refused", *FINDS, box=None)
    for kind in (*KINDS, "all"):
        kinds = KINDS if kind == "all" else (kind,)
        counts = [sum(outcome.endings[each, ending] for each in kinds) for ending in ("accepted", "refused", *FINDS)]
        table.add_row(kind, str(sum(counts)), *map(str, counts))
    console.print(table)
    console.print(f"last stages: {dict(outcome.stages.most_common())}", soft_wrap=True)
    console.print(f"errors: {dict(outcome.errors.most_common())}", soft_wrap=True)
    console.print(
        f"most memory {outcome.peak_bytes / 2**20:.0f} MiB, slowest input {outcome.slowest_s:.1f} s, "
        f"all {outcome.seconds / 60:.1f} min"
    )
    for line in outcome.slow:
        console.print(f"slow: {line}", markup=False, soft_wrap=True)


def keep(outcome: Outcome, folder: Path) -> None:
    """Write the inputs that did what must not happen."""
    folder.mkdir(parents=True, exist_ok=True)
    for find in outcome.finds:
        name = f"{find.number}-{find.verdict.ending}-{find.verdict.stage}{Path(find.name).suffix}"
        (folder / name).write_bytes(find.content)
        (folder / f"{name}.txt").write_text(f"{find.kind} {find.made}\n{find.verdict}\n", errors="replace")


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of inputs")
    parser.add_argument("--keep", type=Path, help="a folder for what was found")
    options = parser.parse_args()
    numbers = options.only or range(options.inputs)
    for shortfall in shortfalls():
        print(f"less confined here: {shortfall}")
    outcome = run_experiment(options.seed, numbers, min(options.processes, len(numbers)))
    show(outcome, Console(width=160))
    if options.keep is not None:
        keep(outcome, options.keep)
    return int(bool(outcome.finds))


if __name__ == "__main__":
    raise SystemExit(main())
