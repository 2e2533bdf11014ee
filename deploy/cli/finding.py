"""What a check of `stemcord doctor` found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of a check; `hint` is the command or step that fixes the problem."""

    name: str
    status: Literal["ok", "warning", "missing"]
    detail: str
    hint: str = ""

    def describe(self) -> dict[str, str]:
        """Return the finding as JSON; people's scripts know the hint as `mend`."""
        return {"name": self.name, "status": self.status, "detail": self.detail, "mend": self.hint}
