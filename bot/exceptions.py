"""Errors of the bot's own, which it can tell in each language; as errors they read in English."""

from bot.i18n.translator import ENGLISH, Translator
from pipeline.errors import AudioProcessingError, LimitError, MediaError, StemcordError, ValidationError


class BotError(StemcordError):
    """Root of the errors that the bot raises: keys of `bot.i18n.translator` and the values of the first sentence."""

    def __init__(self, key: str, hint: str = "", *, detail: str = "", **values: str | int) -> None:
        self.key = key
        self.hint_key = hint
        self.values = values
        english = Translator(ENGLISH)
        super().__init__(english.format(key, **values), hint=english.format(hint) if hint else "", detail=detail)


class RefusedError(BotError, ValidationError):
    """What was asked for cannot be done."""


class ClipError(BotError, MediaError):
    """The file is no clip."""


class SizeError(BotError, LimitError):
    """The file is too large."""


class FetchError(BotError, AudioProcessingError):
    """A clip could not be fetched."""


class QuotaError(RefusedError):
    """A limit of the server is reached; `resets_at` is the Unix time from which on it is not."""

    def __init__(
        self, key: str, hint: str = "", *, resets_at: float | None = None, detail: str = "", **values: str | int
    ) -> None:
        super().__init__(key, hint, detail=detail, **values)
        self.resets_at = resets_at
