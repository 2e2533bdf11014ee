"""`python -m deploy.supply [sbom FILE | audit ADVISORIES]`, which the Makefile runs."""

import argparse
import sys
from pathlib import Path

import msgspec

from deploy.setup.environments import all_environments
from deploy.supply.advisories import AdvisoryError, find_known, read_advisories, read_pins
from deploy.supply.sbom import describe_environment


def main(arguments: list[str]) -> int:
    """Run a task and return the exit code: 0 done, 1 something is known against a package, 2 no advisories."""
    parser = argparse.ArgumentParser(prog="python -m deploy.supply", description="Bill of materials and audit.")
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("sbom", help="write what this environment consists of").add_argument("file", type=Path)
    tasks.add_parser("audit", help="look for known vulnerabilities").add_argument("advisories", type=Path)
    options = parser.parse_args(arguments)
    if options.task == "sbom":
        options.file.parent.mkdir(parents=True, exist_ok=True)
        options.file.write_bytes(msgspec.json.format(msgspec.json.encode(describe_environment()), indent=2) + b"\n")
        print(options.file)  # noqa: T201 - for the person at the terminal
        return 0
    try:
        return _audit(options.advisories)
    except AdvisoryError as error:
        print(f"audit: {error}", file=sys.stderr)  # noqa: T201 - for the person at the terminal
        return 2


def _audit(file: Path) -> int:
    pins = {(pin, environment.name) for environment in all_environments() for pin in read_pins(environment.lock)}
    advisories, count = read_advisories(file, {pin.name for pin, _ in pins})
    found = [
        f"{environment}: {pin.name} {pin.version}: {known.id} {known.summary}"
        for pin, environment in sorted(pins, key=lambda each: (each[1], each[0].name))
        for known in find_known(pin, advisories)
    ]
    # How much was looked at: an empty file must not read like a clean bill.
    print("\n".join([*found, f"{len(found)} known in {len(pins)} packages, by {count} advisories"]))  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
