"""Engines are found by their packages, and each keeps to the contract."""

import inspect
import subprocess
import sys
from importlib import import_module

import pytest

from pipeline.catalog import MODELS
from pipeline.separation.base import SeparationEngine
from pipeline.separation.engines.registry import ENGINES

HEAVY = ("torch", "numpy", "onnxruntime", "soundfile")


def test_the_packages_of_engines_are_found() -> None:
    assert {"deepfilternet", "spleeter", "demucs", "uvr", "mdxnet", "vr", "ensemble"} <= set(ENGINES)


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_an_engine_is_a_class_of_the_base_and_its_models_are_in_the_catalogue(name: str) -> None:
    spec = ENGINES[name]
    module, _, implementation = spec.implementation.partition(":")
    engine = getattr(import_module(module), implementation)
    assert issubclass(engine, SeparationEngine)
    assert not inspect.isabstract(engine)
    assert spec.models
    for model in spec.models:
        assert MODELS[model.name] is model
        assert model.engine == name


def test_the_catalogue_loads_no_engine() -> None:
    program = f"import sys, pipeline.catalog; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
