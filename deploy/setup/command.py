"""`python3 -m deploy.setup [env|lock|weights]`, which the Makefile runs."""

import argparse
from pathlib import Path

from deploy.setup.build import build, install_weights, open_uv, print_line
from deploy.setup.environments import ROOT, Environment, State, all_environments, all_image_locks, find_state
from deploy.setup.errors import SetupError
from deploy.setup.requirements_lock import lock, lock_image
from deploy.setup.setup_lock import hold_lock

EXIT_INTERRUPTED = 130


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Run a task and return the exit code: 0 done, 1 failed with a message, 130 interrupted."""
    options = _parse(arguments)
    environments = [environment for environment in all_environments(root) if options.only in (None, environment.name)]
    if options.task == "env" and all(find_state(environment) is State.WHOLE for environment in environments):
        return 0
    try:
        _run_task(options, tuple(environments), root)
    except SetupError as error:
        print_line(str(error))
        return 1
    except OSError as error:
        print_line(f"The set-up cannot go on: {error}. Mend that and run `make env` again.")
        return 1
    except KeyboardInterrupt:
        print_line("\nStopped. Run `make env` to go on; what was downloaded is kept.")
        return EXIT_INTERRUPTED
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.setup", description="Set Stemcord up in this checkout.")
    parser.add_argument("task", nargs="?", default="env", choices=("env", "lock", "weights"))
    parser.add_argument("--only", choices=("media", "asr"), help="this environment alone")
    parser.add_argument("--upgrade", action="store_true", help="lock: take the newest versions that fit")
    return parser.parse_args(arguments)


def _run_task(options: argparse.Namespace, environments: tuple[Environment, ...], root: Path) -> None:
    guard = root / ".cache" / "setup.lock"
    with hold_lock(
        guard, lambda: print_line("Another set-up is at work in this checkout; waiting for it to end …")
    ) as held:
        if options.task == "env":
            build(environments, held)
            return
        uv = open_uv(root, held)
        for environment in environments:
            if options.task == "lock":
                print_line(f"{environment.lock.relative_to(root)} …")
                lock(environment, uv, upgrade=options.upgrade)
                for image in all_image_locks(root):
                    if image.environment == environment:
                        print_line(f"{image.lock.relative_to(root)} …")
                        lock_image(image, uv)
            else:
                install_weights(environment, uv, again=True)
