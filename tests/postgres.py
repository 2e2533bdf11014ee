"""A PostgreSQL server of the tests' own, where its programs are on this machine."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest


def _find(program: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    return shutil.which(program) or (str(found[-1]) if found else None)


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a server on a socket; skips, with the reason, where there can be none."""
    initdb, pg_ctl = _find("initdb"), _find("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("PostgreSQL's programs initdb and pg_ctl are not on this machine")
    user: str | None = None
    if os.getuid() == 0:
        if "postgres" not in {entry.pw_name for entry in pwd.getpwall()}:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        user = "postgres"
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)

        def run(*command: str) -> None:
            subprocess.run(command, user=user, cwd="/", check=True, timeout=60, stdout=subprocess.DEVNULL)

        run(initdb, "-D", f"{folder}/data", "-U", "stemcord", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run(pg_ctl, "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            yield f"postgresql://stemcord@/postgres?host={quote(str(folder))}"
        finally:
            run(pg_ctl, "-D", f"{folder}/data", "-m", "immediate", "-w", "stop")
