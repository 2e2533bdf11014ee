import inspect
import re

import pytest

import bot.exceptions
from pipeline import errors
from pipeline.errors import AudioProcessingError, FFmpegError, MediaError
from pipeline.types import Failure

ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AudioProcessingError)]
NAMED = {"StemcordError", "BotError"} | {kind.__name__ for kind in ALL}


@pytest.mark.parametrize("kind", ALL)
def test_an_error_survives_the_way_through_a_queue(kind: type[AudioProcessingError]) -> None:
    failure = kind("It broke.", hint="Mend it.", detail="line 7", stage="mix").to_failure()
    again = errors.from_failure(failure)
    assert type(again) is kind
    assert (again.message, again.hint, again.detail, again.stage) == ("It broke.", "Mend it.", "line 7", "mix")


def test_the_docstring_is_the_tree() -> None:
    documented: list[tuple[str, type | None]] = []
    stack: list[type] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^( *)([A-Z]\w+) {2,}\w", line)
        if match:
            depth = len(match.group(1)) // 2
            kind = bot.exceptions.BotError if match.group(2) == "BotError" else getattr(errors, match.group(2))
            stack[depth:] = [kind]
            documented.append((match.group(2), stack[depth - 1] if depth else None))
    assert {name for name, _ in documented} == NAMED
    for name, parent in documented:
        assert parent is None or name == "BotError" or getattr(errors, name).__bases__ == (parent,)
    assert bot.exceptions.BotError.__bases__ == (errors.StemcordError,)


def test_an_unknown_failure_is_the_root_error() -> None:
    assert type(errors.from_failure(Failure(type="Surprise", message="m", hint=""))) is AudioProcessingError


def test_an_error_of_the_bot_alone_is_read_as_the_root_error() -> None:
    """Types of other packages are no codes, whatever is loaded in the process that reads the failure."""
    assert issubclass(bot.exceptions.ClipError, errors.StemcordError)
    again = errors.from_failure(Failure(type="ClipError", message="It is no clip.", hint="Send another."))
    assert (type(again), again.message, again.hint) == (AudioProcessingError, "It is no clip.", "Send another.")


def test_each_says_what_to_do() -> None:
    assert FFmpegError("x").hint
    assert str(MediaError("It is empty.")).startswith("It is empty. Send ")
