"""The commands of `stemcord` on one machine."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, "-c", "from deploy.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Machine:
    """A home folder and the environment that points at it."""

    home: Path
    environment: dict[str, str]

    def stemcord(self, *arguments: str | Path, limit: float = 280) -> subprocess.CompletedProcess[str]:
        """Run a `stemcord` command to its end."""
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
