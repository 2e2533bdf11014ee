"""What went wrong with a clip, in the reader's language; the pipeline itself speaks English."""

from dataclasses import dataclass

from bot.i18n.translator import ENGLISH, Translator
from pipeline.errors import AttemptsError, AudioProcessingError, ModelError, QueueError, StoreError, from_failure
from pipeline.types import Failure

_FOR_OPERATORS: tuple[tuple[type[AudioProcessingError], str], ...] = (
    (QueueError, "queue-away"),
    (StoreError, "store-away"),
    (ModelError, "models-away"),
    (AttemptsError, "attempts-used"),
)


@dataclass(frozen=True, slots=True)
class ErrorText:
    """A sentence in the reader's language, and the pipeline's own English words where they say more."""

    sentence: str
    detail: str = ""


def is_for_operators(error: AudioProcessingError) -> bool:
    """True for what speaks of addresses, folders and commands, which helps who runs the bot and nobody else."""
    return any(isinstance(error, kind) for kind, _ in _FOR_OPERATORS)


def error_sentence(error: AudioProcessingError, translator: Translator) -> str:
    """What kind of error it is, in a sentence."""
    own = (key for kind, key in _FOR_OPERATORS if isinstance(error, kind))
    kinds = (f"error-{kind.__name__}" for kind in type(error).__mro__)
    return translator.format(next(own, "") or next(key for key in kinds if translator.has(key)))


def describe_failure(failure: Failure, translator: Translator, *, to_operator: bool = False) -> ErrorText:
    """What is said of a part that could not be made; `to_operator`: to who runs Stemcord, with what to do about it."""
    error = from_failure(failure)
    if is_for_operators(error) and not to_operator:
        return ErrorText(error_sentence(error, translator))
    words = str(error) if to_operator else error.message
    return ErrorText(words) if translator.locale == ENGLISH else ErrorText(error_sentence(error, translator), words)


def stage_name(stage: str, translator: Translator) -> str:
    """What a stage does; one that is newer than this bot keeps its own name."""
    key = f"stage-{stage}"
    return translator.format(key) if translator.has(key) else stage
