"""Texts that tell a person about an error, in the person's language; the pipeline's own messages are in English."""

from dataclasses import dataclass

from discord import app_commands

from bot import discord_limits
from bot.exceptions import DatabaseError, QuotaError, TranslatedError
from bot.i18n.translator import ENGLISH, Translator
from bot.messages.formatting import escape, shorten
from pipeline.errors import (
    AttemptsError,
    AudioProcessingError,
    DiskFullError,
    ModelError,
    QueueError,
    StemcordError,
    StoreError,
    ValidationError,
    from_failure,
)
from pipeline.graph.registry import STAGES
from pipeline.types import Failure

_OPERATOR_ERRORS: tuple[tuple[type[StemcordError], str], ...] = (
    (DatabaseError, "database-unavailable"),
    (QueueError, "queue-unavailable"),
    (DiskFullError, "disk-full"),
    (StoreError, "store-unavailable"),
    (ModelError, "models-unavailable"),
    (AttemptsError, "attempts-used"),
)
"""Errors whose own text helps only those who run the bot, with the text for everybody else."""
_TRUSTED_VALUES = frozenset({"channel", "roles", "size", "limit", "person", "asker"})
"""Variables that the bot writes itself, some of them in Discord's markup."""


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What failed, in the reader's language, and the pipeline's English message where it says more."""

    sentence: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMessage:
    """What happened and what to do, one sentence each, escaped for Discord."""

    message: str
    hint: str
    resets_at: float | None = None
    """Unix time at which the reason ends."""

    def text(self, translator: Translator) -> str:
        """Join all sentences; Discord shows the time in the reader's own zone."""
        text = f"{self.message} {self.hint}".strip()
        if self.resets_at is not None:
            text = f"{text} {translator.format('quota-reset', when=f'<t:{int(self.resets_at)}:R>')}"
        return shorten(text, discord_limits.MAX_CONTENT_CHARS)


def error_message(error: BaseException, reference: str, translator: Translator) -> ErrorMessage:
    """Describe an error to a person.

    Args:
        error: The error, or discord.py's wrapper of it.
        reference: Shown for unknown errors; finds the error in the log.
        translator: The person's language.

    """
    cause = unwrap(error)
    match cause:
        case TranslatedError():
            values = {name: _safe(name, value) for name, value in cause.values.items()}
            hint = translator.format(cause.hint_key) if cause.hint_key else ""
            resets_at = cause.resets_at if isinstance(cause, QuotaError) else None
            return ErrorMessage(message=translator.format(cause.key, **values), hint=hint, resets_at=resets_at)
        case AudioProcessingError() | DatabaseError():
            return _pipeline_message(cause, translator)
        case app_commands.TransformerError():
            value = escape(shorten(str(cause.value), 100))
            return ErrorMessage(
                message=translator.format("choice-error", value=value), hint=translator.format("choice-hint")
            )
        case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
            return ErrorMessage(message=translator.format("out-of-date"), hint=translator.format("out-of-date-hint"))
        case app_commands.NoPrivateMessage():
            return ErrorMessage(message=translator.format("not-here"), hint="")
        case app_commands.MissingPermissions():
            return ErrorMessage(message=translator.format("not-manager"), hint="")
        case _:
            message = translator.format("unknown-error", reference=reference)
            return ErrorMessage(message=message, hint=translator.format("try-later"))


def failure_message(failure: Failure, reference: str, translator: Translator) -> ErrorMessage:
    """Describe an error that came from a worker."""
    return error_message(from_failure(failure), reference, translator)


def describe_failure(failure: Failure, translator: Translator, *, for_operator: bool = False) -> ErrorText:
    """Say why a part could not be made; `for_operator` includes what whoever runs Stemcord can do about it."""
    error = from_failure(failure)
    if _operator_key(error) and not for_operator:
        return ErrorText(_error_sentence(error, translator))
    message = str(error) if for_operator else error.message
    return (
        ErrorText(message) if translator.locale == ENGLISH else ErrorText(_error_sentence(error, translator), message)
    )


def stage_name(stage: str, translator: Translator) -> str:
    """Return what a stage does, in the reader's language or else in English; an unknown stage keeps its name."""
    if translator.has(key := f"stage-{stage}"):
        return translator.format(key)
    return STAGES[stage].title if stage in STAGES else stage


def unwrap(error: BaseException) -> BaseException:
    """Return the error that a command raised, without discord.py's wrapper."""
    return error.original if isinstance(error, app_commands.CommandInvokeError) else error


def _operator_key(error: StemcordError) -> str:
    return next((key for kind, key in _OPERATOR_ERRORS if isinstance(error, kind)), "")


def _error_sentence(error: StemcordError, translator: Translator) -> str:
    keys = (f"error-{kind.__name__}" for kind in type(error).__mro__)
    return translator.format(_operator_key(error) or next(key for key in keys if translator.has(key)))


def _named_message(error: StemcordError, translator: Translator) -> ErrorMessage | None:
    """Return the own text of an error; None where it has none that is known here."""
    text = error.text if isinstance(error, AudioProcessingError) else None
    if text is None or not translator.has(text.key):
        return None
    values = {name: escape(value) for name, value in text.values.items()}
    hint = f"{text.key}-hint"
    try:
        message = translator.format(text.key, **values)
    except LookupError:
        # Another version of the worker gives other values.
        return None
    return ErrorMessage(message=message, hint=translator.format(hint) if translator.has(hint) else "")


def _safe(name: str, value: str | int) -> str | int:
    return escape(value) if isinstance(value, str) and name not in _TRUSTED_VALUES else value


def _pipeline_message(error: StemcordError, translator: Translator) -> ErrorMessage:
    sentence = _error_sentence(error, translator)
    if _operator_key(error):
        return ErrorMessage(message=sentence, hint=translator.format("try-later"))
    if (named := _named_message(error, translator)) is not None:
        return named
    if translator.locale == ENGLISH:
        return ErrorMessage(message=escape(error.message), hint=escape(error.hint))
    hint = "error-hint-input" if isinstance(error, ValidationError) else "try-later"
    message = translator.format("error-detail", sentence=sentence, detail=escape(error.message))
    return ErrorMessage(message=message, hint=translator.format(hint))
