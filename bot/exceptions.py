"""Errors of the bot's own, which it can tell in each language; as errors they read in English."""

from bot.i18n.translator import ENGLISH, Speech
from pipeline.errors import AudioProcessingError, LimitError, MediaError, ValidationError


class SpokenError(AudioProcessingError):
    """Root of them: keys of `bot.i18n.translator` and the values that go into the first sentence."""

    def __init__(self, key: str, mend: str = "", *, detail: str = "", **values: str | int) -> None:
        self.key = key
        self.mend_key = mend
        self.values = values
        english = Speech(ENGLISH)
        super().__init__(english.say(key, **values), mend=english.say(mend) if mend else "", detail=detail)


class RefusedError(SpokenError, ValidationError):
    """What was asked for cannot be done."""


class ClipError(SpokenError, MediaError):
    """The file is no clip."""


class SizeError(SpokenError, LimitError):
    """The file is too large."""


class FetchError(SpokenError):
    """A clip could not be fetched."""


class QuotaError(RefusedError):
    """A limit of the server is reached; `resets_at` is the Unix time from which on it is not."""

    def __init__(
        self, key: str, mend: str = "", *, resets_at: float | None = None, detail: str = "", **values: str | int
    ) -> None:
        super().__init__(key, mend, detail=detail, **values)
        self.resets_at = resets_at
