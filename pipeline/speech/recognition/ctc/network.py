"""Typed front of PaddleSpeech's CTC and attention networks (conformer, u2, transformer).

A folder holds what PaddleSpeech publishes of a model: `model.yaml` and, below it, `*.pdparams`.
Sound is float32 at 16 kHz; a text is the ids of tokens.
"""

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, cast

import numpy as np
import yaml
from numpy.typing import NDArray

from pipeline.errors import ModelError, TranscriptionError
from pipeline.speech.compat.paddlespeech import load_paddlespeech, translate_errors
from pipeline.speech.recognition.ctc.pdparams import read_pdparams

Untyped: TypeAlias = Any
BEAM_WIDTH = 10
"""Texts that the attention decoder rescores."""
CTC_WEIGHT = 0.5
"""Weight of the CTC score in the rescoring; both are PaddleSpeech's own values."""
FEATURE_STEPS = frozenset(
    ("fbank", "fbank_kaldi", "cmvn_json", "utterance_cmvn", "time_warp", "time_mask", "freq_mask", "spec_augment")
)
"""Steps from samples to features. PaddleSpeech would import any `module:name` that a settings file names instead."""
_DECODERS = ("ctc_beam_search_decoding_batch", "ctc_greedy_decoding", "Scorer", "CTCBeamSearchDecoder")


@dataclass(frozen=True, slots=True, kw_only=True)
class CtcHypothesis:
    """The likeliest text of one window."""

    tokens: tuple[int, ...]
    texts: tuple[str, ...]
    logprobs: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CtcNetwork:
    """A loaded network; make it with `load_network`."""

    paddle: Untyped
    model: Untyped
    features: Untyped
    """PaddleSpeech's `Transformation`: samples of 16 bit to filter banks."""
    vocabulary: tuple[str, ...]
    frame_seconds: float
    """Seconds of one frame of `logprobs`."""

    def decode(self, samples: NDArray[np.float32]) -> CtcHypothesis:
        """Decode a window by CTC prefix beam search, rescored by the attention decoder.

        Args:
            samples: Mono sound at 16 kHz, shape (samples,).

        Raises:
            TranscriptionError: The network failed.
        """
        with translate_errors("recognising words"), self.paddle.no_grad(), _suppress_warnings():
            banks = self.features((samples * 32767).astype(np.int16), train=False)
            sound = self.paddle.to_tensor(banks, dtype="float32").unsqueeze(0)
            length = self.paddle.to_tensor([banks.shape[0]])
            encoded, _ = self.model._forward_encoder(sound, length)
            logprobs = self.model.ctc.log_softmax(encoded)[0].numpy()
            try:
                found = self.model.attention_rescoring(sound, length, BEAM_WIDTH, ctc_weight=CTC_WEIGHT)
            except AssertionError:
                # A window too short for `BEAM` different texts, which PaddleSpeech insists on.
                found = _collapse(logprobs.argmax(axis=1))
        tokens = tuple(int(token) for token in found if 0 < int(token) < len(self.vocabulary) - 1)
        return CtcHypothesis(tokens=tokens, texts=tuple(self.vocabulary[token] for token in tokens), logprobs=logprobs)


def _collapse(best: NDArray[np.int64]) -> list[int]:
    """Collapse the likeliest tokens of the frames: runs of one token to one, blanks to none."""
    changed = np.concatenate(([True], best[1:] != best[:-1]))
    return [int(token) for token in best[changed & (best != 0)]]


def load_network(folder: Path, device: str) -> CtcNetwork:
    """Build the network of an unpacked model.

    Args:
        folder: What `ensure_unpacked` gave.
        device: `cpu`, `cuda` or `auto`.

    Raises:
        ModelError: The files are not what PaddleSpeech publishes.
        TranscriptionError: PaddleSpeech does not load.
    """
    library = load_paddlespeech()
    u2, transformation = _load_modules()
    settings = _read_settings(folder)
    weights = sorted(folder.rglob("*.pdparams"))
    if len(weights) != 1:
        raise _damaged_files(folder, f"{len(weights)} files *.pdparams")
    tensors = read_pdparams(weights[0])
    with translate_errors("loading the weights"), _suppress_warnings():
        paddle = library.paddle
        card = paddle.is_compiled_with_cuda() and paddle.device.cuda.device_count()
        paddle.set_device("gpu" if device == "cuda" or (device == "auto" and card) else "cpu")
        model = u2.U2Model.from_config(settings)
        missing, unexpected = model.set_state_dict(tensors)
        if missing or unexpected:
            raise ValueError(f"missing {missing}, unexpected {unexpected}")
        model.eval()
        process = settings["preprocess_config"]["process"][0]
        shift = process["n_shift"] / process["fs"]
        frame = shift * model.subsampling_rate()
        features = transformation.Transformation(settings["preprocess_config"])
    return CtcNetwork(
        paddle=library.paddle, model=model, features=features, vocabulary=_vocabulary(settings), frame_seconds=frame
    )


def _read_settings(folder: Path) -> dict[str, Untyped]:
    """Read `model.yaml` with the paths in it resolved against the folder."""
    try:
        text = next(iter(sorted(folder.rglob("model.yaml")))).read_text(encoding="utf-8")
        settings: Untyped = yaml.safe_load(text)
    except (StopIteration, OSError, yaml.YAMLError) as error:
        raise _damaged_files(folder, repr(error)) from error
    if not isinstance(settings, dict) or not {"input_dim", "output_dim", "preprocess_config"} <= settings.keys():
        raise _damaged_files(folder, "model.yaml lacks what describes a network")
    settings = cast("dict[str, Untyped]", _resolve_paths(settings, folder))
    try:
        steps = [str(step["type"]) for step in settings["preprocess_config"]["process"]]
    except (LookupError, TypeError) as error:
        raise _damaged_files(folder, f"no features: {error!r}") from error
    if foreign := [step for step in steps if step not in FEATURE_STEPS]:
        raise _damaged_files(folder, f"features by {foreign}")
    return settings


def _resolve_paths(value: Untyped, folder: Path) -> Untyped:
    """Replace each path of a file below the folder by the whole path, or by the contents of a YAML file."""
    if isinstance(value, dict):
        return {key: _resolve_paths(part, folder) for key, part in cast("dict[str, Untyped]", value).items()}
    if isinstance(value, list):
        return [_resolve_paths(part, folder) for part in cast("list[Untyped]", value)]
    if not isinstance(value, str) or Path(value).is_absolute() or ".." in Path(value).parts:
        return value
    path = folder / value
    if not value or not path.is_file():
        return value
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.suffix == ".yaml" else str(path)


def _vocabulary(settings: Mapping[str, Untyped]) -> tuple[str, ...]:
    """Read the texts of all tokens by id: a list in `model.yaml`, or a file with one a line."""
    given = settings.get("vocab_filepath")
    if isinstance(given, str) and Path(given).is_file():
        given = Path(given).read_text(encoding="utf-8").splitlines()
    if not isinstance(given, list):
        raise TranscriptionError("The recogniser's vocabulary is missing.", hint="Fetch the model again.")
    words = tuple(str(line).rstrip("\n") for line in cast("list[Untyped]", given))
    if len(words) != settings["output_dim"]:
        detail = f"{len(words)} tokens, {settings['output_dim']} outputs"
        raise TranscriptionError("The recogniser's vocabulary does not fit it.", detail=detail)
    return words


@lru_cache(maxsize=1)
def _load_modules() -> tuple[Untyped, Untyped]:
    """Import PaddleSpeech's networks and filter banks without the compiled decoders that it would install with pip."""
    if "paddlespeech.s2t.decoders.ctcdecoder" not in sys.modules:
        decoders = ModuleType("paddlespeech.s2t.decoders.ctcdecoder")
        vars(decoders).update(dict.fromkeys(_DECODERS))
        sys.modules[decoders.__name__] = decoders
    with translate_errors("loading PaddleSpeech"), _suppress_warnings():
        try:
            return (
                import_module("paddlespeech.s2t.models.u2"),
                import_module("paddlespeech.audio.transform.transformation"),
            )
        except ImportError as error:
            raise TranscriptionError(
                "PaddleSpeech is not installed.", hint="Run `make env`.", detail=str(error)
            ) from error


def _damaged_files(folder: Path, detail: str) -> ModelError:
    return ModelError(
        "The recogniser's files are not what PaddleSpeech publishes.",
        hint="Delete them and fetch the model again.",
        detail=f"{folder}: {detail}",
    )


def _suppress_warnings() -> warnings.catch_warnings:  # type: ignore[type-arg]
    return warnings.catch_warnings(action="ignore")
