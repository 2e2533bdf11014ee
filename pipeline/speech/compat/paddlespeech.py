"""Typed front of paddle and PaddleSpeech: imports only what is used, without logs, and patches it.

PaddleSpeech 1.5.0 on paddlepaddle 3.1 needs these patches to recognise speech well on a CPU:

- it imports all of PaddleNLP (12 s) for one tokenizer, which doubles `<|endoftext|>`: `WhisperTokenizer` stands in;
- its logger writes a folder `exp/log` wherever the process stands: Python's own logger stands in;
- `log_softmax` over 51 865 classes takes over 1 s a call: a sum of exponentials does the same at once;
- transposed views are copied element by element inside matrix products: views are switched off, copies are quick;
- the output projection transposes the embedding for every token: transposed once, kept with the model;
- keys are scaled and transposed at every step of the cross-attention: done once for a window, and the queries,
  which are few, take the whole scale;
- `sum_logprobs +=` does not reach the caller, so that no filter by probability ever applies: assigned in place;
- an empty output divides by zero and is refused by the tokenizer: both accept it;
- features are never seen to be encoded already (a list is compared with a tuple), and a batch of more than
  two windows gets two rows of tokens: the decoding task of `pipeline.speech.recognition.whisper.executor` handles both.

Parts of PaddleSpeech end the process on an error: `translate_errors` raises a `TranscriptionError` instead.
"""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, cast

import numpy as np

from pipeline.errors import TranscriptionError
from pipeline.speech.recognition.whisper.tokenizer import WhisperTokenizer

Untyped: TypeAlias = Any
"""A value of paddle or PaddleSpeech, which have no static types."""

_import_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddleSpeech:
    """The modules of paddle and PaddleSpeech that are used."""

    paddle: Untyped
    whisper: Untyped
    """`paddlespeech.s2t.models.whisper.whisper`"""
    tokenizer: Untyped
    """`paddlespeech.s2t.models.whisper.tokenizer`"""


@contextmanager
def translate_errors(doing: str) -> Generator[None]:
    """Raise an exit of the process or an error of the engine as a `TranscriptionError`.

    Args:
        doing: What was going on, for the message, as in "while listening".
    """
    try:
        yield
    except SystemExit as error:
        raise TranscriptionError(
            f"The recogniser gave up while {doing}.", detail=f"PaddleSpeech left with {error.code!r}"
        ) from error
    except (
        ArithmeticError,
        AssertionError,
        LookupError,
        MemoryError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise TranscriptionError(
            f"The recogniser failed while {doing}.", detail=f"{type(error).__name__}: {error}"
        ) from error


def load_paddlespeech() -> PaddleSpeech:
    """Import and patch PaddleSpeech once per process.

    Raises:
        TranscriptionError: PaddleSpeech is not installed or does not load.
    """
    with _import_lock, translate_errors("loading PaddleSpeech"):
        try:
            return _load_once()
        except ImportError as error:
            raise TranscriptionError(
                "PaddleSpeech is not installed.", hint="Run `make env`.", detail=str(error)
            ) from error


@lru_cache(maxsize=1)
def _load_once() -> PaddleSpeech:
    _tune_processor()
    sys.modules.setdefault("paddlespeech.s2t.utils.log", _log_module())
    with warnings.catch_warnings(), _without_paddlenlp():
        # It warns about ccache and setuptools, which concern nobody who runs a clip.
        warnings.simplefilter("ignore")
        library = PaddleSpeech(
            paddle=import_module("paddle"),
            whisper=import_module("paddlespeech.s2t.models.whisper.whisper"),
            tokenizer=import_module("paddlespeech.s2t.models.whisper.tokenizer"),
        )
    _patch(library)
    return library


def _tune_processor() -> None:
    """Set the variables that paddle's libraries read at their first call, unless they are set.

    Threads that wait for work sleep instead of spinning, which other engines pay for. On AMD
    processors MKL of 2019 does not use AVX2 by itself; told to, it multiplies 2 to 3 times
    quicker. Later versions of MKL ignore that variable.
    """
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    try:
        processor = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if "AuthenticAMD" in processor and " avx2 " in processor:
        os.environ.setdefault("MKL_DEBUG_CPU_TYPE", "5")


def _log_module() -> ModuleType:
    class Log:
        def __init__(self, name: str | None = None) -> None:
            self._name = name or "paddlespeech"

        def getlog(self) -> logging.Logger:
            return logging.getLogger(self._name)

    module = ModuleType("paddlespeech.s2t.utils.log")
    vars(module)["Log"] = Log
    return module


@contextmanager
def _without_paddlenlp() -> Generator[None]:
    """Let PaddleSpeech find a `paddlenlp.transformers` that holds only `WhisperTokenizer`."""
    if "paddlenlp" in sys.modules:
        yield
        return
    package, transformers = ModuleType("paddlenlp"), ModuleType("paddlenlp.transformers")
    vars(transformers)["GPTTokenizer"] = WhisperTokenizer
    vars(package)["transformers"] = transformers
    names = {"paddlenlp": package, "paddlenlp.transformers": transformers}
    sys.modules.update(names)
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def _patch(library: PaddleSpeech) -> None:
    paddle, whisper = library.paddle, library.whisper
    paddle.set_flags({"FLAGS_use_stride_kernel": False})
    library.tokenizer.GPTTokenizer = WhisperTokenizer
    functional = ModuleType("functional")
    vars(functional).update(cast("dict[str, Untyped]", vars(whisper.F)))
    vars(functional)["log_softmax"] = _log_softmax(paddle)
    whisper.F = functional
    whisper.TextDecoder.forward = _decoder_forward(paddle)
    whisper.MultiHeadAttention.qkv_attention = _attention(paddle, functional)
    whisper.GreedyDecoder.update = _greedy_update(paddle, whisper)
    whisper.MaximumLikelihoodRanker.rank = _rank
    decode = library.tokenizer.Tokenizer.decode

    def decode_any(tokenizer: Untyped, ids: Sequence[int], **options: Untyped) -> str:
        return decode(tokenizer, ids, **options) if len(ids) else ""

    library.tokenizer.Tokenizer.decode = decode_any


def _log_softmax(paddle: Untyped) -> Untyped:
    def log_softmax(x: Untyped, axis: int = -1, dtype: Untyped = None, name: str | None = None) -> Untyped:
        del name
        x = x if dtype is None else x.astype(dtype)
        return x - paddle.logsumexp(x, axis=axis, keepdim=True)

    return log_softmax


def _decoder_forward(paddle: Untyped) -> Untyped:
    def forward(decoder: Untyped, x: Untyped, xa: Untyped, kv_cache: Untyped = None) -> Untyped:
        offset = next(iter(kv_cache.values())).shape[1] if kv_cache else 0
        positions = decoder.positional_embedding[offset : offset + x.shape[-1]]
        x = (decoder.token_embedding(x) + positions).astype(xa.dtype)
        for block in decoder.blocks:
            x = block(x, xa, mask=decoder.mask, kv_cache=kv_cache)
        if not hasattr(decoder, "projection"):
            weight = paddle.transpose(decoder.token_embedding.weight, (1, 0)).detach()
            decoder.register_buffer("projection", weight, persistable=False)
        return paddle.matmul(decoder.ln(x), decoder.projection)

    return forward


def _attention(paddle: Untyped, functional: Untyped) -> Untyped:
    def qkv_attention(layer: Untyped, q: Untyped, k: Untyped, v: Untyped, mask: Untyped = None) -> Untyped:
        length, width = q.shape[1], q.shape[2] // layer.n_head

        def split(x: Untyped, order: tuple[int, ...]) -> Untyped:
            return paddle.transpose(x.reshape([*x.shape[:2], layer.n_head, width]), order)

        # Keys and values of the sound come back as the same objects from the cache at every step.
        kept = getattr(layer, "kept", None)
        if kept is None or kept[0] is not k or kept[1] is not v:
            kept = (k, v, split(k, (0, 2, 3, 1)), split(v, (0, 2, 1, 3)))
            layer.kept = kept if mask is None and k.shape[1] != length else None
        qk = split(q * width**-0.5, (0, 2, 1, 3)) @ kept[2]
        if mask is not None and length > 1:
            qk = qk + mask[:length, :length]
        mixed = functional.softmax(qk, axis=-1) @ kept[3]
        return paddle.transpose(mixed, (0, 2, 1, 3)).flatten(start_axis=2)

    return qkv_attention


def _greedy_update(paddle: Untyped, whisper: Untyped) -> Untyped:
    def update(decoder: Untyped, tokens: Untyped, logits: Untyped, sum_logprobs: Untyped) -> Untyped:
        if decoder.temperature == 0:
            chosen = paddle.argmax(logits, axis=-1)
        else:
            chosen = whisper.Categorical(logits=logits / decoder.temperature).sample([1]).reshape([-1])
        going = tokens[:, -1] != decoder.eot
        logprobs = paddle.take_along_axis(logits, chosen[:, None], axis=-1)[:, 0] - paddle.logsumexp(logits, axis=-1)
        paddle.assign(sum_logprobs + logprobs * going.astype("float32"), sum_logprobs)
        chosen = paddle.where(going, chosen, paddle.full_like(chosen, decoder.eot))
        return paddle.concat([tokens, chosen[:, None]], axis=-1), not bool((chosen != decoder.eot).any())

    return update


def _rank(ranker: Untyped, tokens: Sequence[Sequence[Untyped]], sum_logprobs: Sequence[Sequence[float]]) -> list[int]:
    """Choose the likeliest candidate of each window, by the mean over its tokens or Google's length penalty."""

    def weigh(length: int) -> float:
        return max(1, length) if ranker.length_penalty is None else ((5 + length) / 6) ** ranker.length_penalty

    return [
        int(np.argmax([total / weigh(len(ids)) for total, ids in zip(totals, group, strict=True)]))
        for totals, group in zip(sum_logprobs, tokens, strict=True)
    ]
