import inspect
import sys
from types import ModuleType

import pytest

from pipeline.speech.compat.lazy_modules import remove_unloadable_modules


class Unloadable(ModuleType):
    def __getattribute__(self, name: str) -> object:
        if name == "__file__":
            raise OSError("its C library is not there")
        return super().__getattribute__(name)


def test_a_stack_can_be_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "samplerate_of_nobody", Unloadable("samplerate_of_nobody"))
    # What is known of modules by now would hide the new one.
    monkeypatch.setattr(inspect, "modulesbyfile", {})
    monkeypatch.setattr(inspect, "_filesbymodname", {})
    with pytest.raises(OSError, match="C library"):
        inspect.getmodule(compile("", "nowhere", "exec"))
    before = set(sys.modules) - {"samplerate_of_nobody"}
    remove_unloadable_modules()
    assert inspect.getmodule(compile("", "nowhere", "exec")) is None
    assert before - set(sys.modules) <= {"samplerate"}
