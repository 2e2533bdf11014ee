"""What can go wrong while the environments are built."""


class SetupError(Exception):
    """The set-up cannot go on; `mend` says in one sentence what the person can do."""

    def __init__(self, message: str, *, mend: str) -> None:
        super().__init__(f"{message} {mend}")
        self.message = message
        self.mend = mend
