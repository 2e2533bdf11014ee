"""What can go wrong while the environments are built."""


class SetupError(Exception):
    """The set-up cannot go on; `hint` says in one sentence what the person can do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message = message
        self.hint = hint
