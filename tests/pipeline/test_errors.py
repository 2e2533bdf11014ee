import inspect
import re

import pytest

from pipeline import errors
from pipeline.errors import AudioProcessingError, DemucsError, FFmpegError, MediaError, ValidationError
from pipeline.types import Failure

ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AudioProcessingError)]


@pytest.mark.parametrize("kind", ALL)
def test_an_error_survives_the_way_through_a_queue(kind: type[AudioProcessingError]) -> None:
    failure = kind("It broke.", mend="Mend it.", detail="line 7", stage="mix").to_failure()
    again = errors.from_failure(failure)
    assert type(again) is kind
    assert (again.message, again.mend, again.detail, again.stage) == ("It broke.", "Mend it.", "line 7", "mix")


def test_the_docstring_is_the_tree() -> None:
    documented: list[tuple[str, type | None]] = []
    stack: list[type] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^( {2,})([A-Z]\w+) {2,}\w", line)
        if match:
            depth = len(match.group(1)) // 2 - 1
            kind = getattr(errors, match.group(2))
            stack[depth:] = [kind]
            documented.append((match.group(2), stack[depth - 1] if depth else None))
    assert {name for name, _ in documented} == {kind.__name__ for kind in ALL}
    for name, parent in documented:
        assert parent is None or getattr(errors, name).__bases__ == (parent,)


def test_whose_it_is_to_mend() -> None:
    assert errors.is_input_failure(MediaError("x").to_failure())
    assert errors.is_input_failure(ValidationError("x").to_failure())
    assert not errors.is_input_failure(DemucsError("x").to_failure())


def test_an_unknown_failure_is_the_root_error() -> None:
    assert type(errors.from_failure(Failure(type="Surprise", message="m", mend=""))) is AudioProcessingError


def test_each_says_what_to_do() -> None:
    assert FFmpegError("x").mend
    assert str(MediaError("It is empty.")).startswith("It is empty. Send ")
