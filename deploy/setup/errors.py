"""The error of the set-up."""


class SetupError(Exception):
    """The set-up failed; `hint` says in one sentence what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message = message
        self.hint = hint
