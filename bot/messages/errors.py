"""What went wrong with a clip, in the reader's language; the pipeline itself speaks English."""

from dataclasses import dataclass

from bot.i18n.translator import ENGLISH, Speech
from pipeline.errors import AttemptsError, AudioProcessingError, ModelError, QueueError, StoreError, from_failure
from pipeline.types import Failure

_FOR_OPERATORS: tuple[tuple[type[AudioProcessingError], str], ...] = (
    (QueueError, "queue-away"),
    (StoreError, "store-away"),
    (ModelError, "models-away"),
    (AttemptsError, "attempts-used"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence in the reader's language, and the pipeline's own English words where they say more."""

    sentence: str
    detail: str = ""


def is_for_operators(error: AudioProcessingError) -> bool:
    """True for what speaks of addresses, folders and commands, which helps who runs the bot and nobody else."""
    return any(isinstance(error, kind) for kind, _ in _FOR_OPERATORS)


def kind_of(error: AudioProcessingError, speech: Speech) -> str:
    """What kind of error it is, in a sentence."""
    own = (key for kind, key in _FOR_OPERATORS if isinstance(error, kind))
    kinds = (f"error-{kind.__name__}" for kind in type(error).__mro__)
    return speech.say(next(own, "") or next(key for key in kinds if speech.knows(key)))


def told_of(failure: Failure, speech: Speech, *, to_operator: bool = False) -> Told:
    """What is said of a part that could not be made; `to_operator`: to who runs Stemcord, with what to do about it."""
    error = from_failure(failure)
    if is_for_operators(error) and not to_operator:
        return Told(kind_of(error, speech))
    words = str(error) if to_operator else error.message
    return Told(words) if speech.locale == ENGLISH else Told(kind_of(error, speech), words)


def stage_name(stage: str, speech: Speech) -> str:
    """What a stage does; one that is newer than this bot keeps its own name."""
    key = f"stage-{stage}"
    return speech.say(key) if speech.knows(key) else stage
