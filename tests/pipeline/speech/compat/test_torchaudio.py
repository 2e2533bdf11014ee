"""In a fresh interpreter, since it is about what an import leaves behind."""

import subprocess
import sys


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout


def test_filter_banks_work_whether_the_native_library_loads_or_not() -> None:
    code = """
import torch
from pipeline.speech.compat.torchaudio import install
native = install()
assert install() is native
import torchaudio
from torchaudio.compliance import kaldi
print(tuple(kaldi.fbank(torch.zeros(1, 16000), num_mel_bins=80).shape))
"""
    assert run(code).strip() == "(98, 80)"


def test_a_native_library_that_loads_is_left_alone() -> None:
    code = """
import sys, types
native = types.ModuleType("torchaudio")
native._extension = sys.modules["torchaudio._extension"] = types.ModuleType("torchaudio._extension")
sys.modules["torchaudio"] = native
from pipeline.speech.compat.torchaudio import install
print(install(), sys.modules["torchaudio"] is native)
"""
    assert run(code).split() == ["True", "True"]
