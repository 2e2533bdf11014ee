"""Typed front of PaddleSpeech's Whisper: sound in, tokens, probabilities and attention out.

Windows are float32 at 16 kHz, at most 30 s; features are the encoder's output for a window,
shape (1, 1500, width), and stay paddle tensors. One executor serves one thread at a time.
"""

import os
import warnings
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.compat.paddlespeech import PaddleSpeech, Untyped, load_paddlespeech, translate_errors
from pipeline.speech.recognition.whisper.decoding import OnToken, make_task
from pipeline.speech.recognition.whisper.onnx.graph import Sizes
from pipeline.speech.recognition.whisper.onnx.step_decoder import StepDecoder, load_step_decoder
from pipeline.speech.recognition.whisper.tokenizer import WhisperTokenizer
from pipeline.speech.recognition.whisper.weights import ConvertedWeights

Features: TypeAlias = Any
"""A paddle tensor of shape (1, 1500, width)."""

SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 30 * SAMPLE_RATE
"""Length that the encoder takes at once."""
FRAME_SECONDS = 0.02
"""Of one encoder frame and of one timestamp step."""
SAMPLED_CANDIDATES = 3
"""Drawn when decoding at a temperature; the likeliest is kept."""
MAX_THREADS = 8
MAX_STEPS_BYTES = 2**30
"""Of a decoder's weights that are kept a second time, for its steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One draft of a window's text."""

    tokens: tuple[int, ...]
    """Text and timestamp tokens, without the end."""
    text: str
    logprob: float
    """Mean over the tokens, the end included."""
    no_speech: float
    """Probability that nobody speaks."""
    temperature: float

    @property
    def compression(self) -> float:
        """How many times smaller zlib makes the text; loops compress well."""
        data = self.text.encode()
        return len(data) / len(zlib.compress(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Cross-attention of the decoder for each token of a text."""

    weights: NDArray[np.float32]
    """Raw scores of the alignment heads, shape (heads, tokens + 1, 1500); the last row is for the end of the text."""
    probabilities: NDArray[np.float32]
    """Of the tokens, shape (tokens,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """A loaded model; make it with `load_executor`."""

    library: PaddleSpeech
    model: Untyped
    converted: ConvertedWeights
    steps: StepDecoder | None = None
    """What decodes on a processor; None: the model itself does."""
    tokenizers: dict[str, Untyped] = field(default_factory=dict[str, Untyped])

    @property
    def resources(self) -> str:
        """The folder that PaddleSpeech looks into for vocabulary and filters."""
        return str(self.converted.folder)

    def tokenizer(self, language: str) -> Untyped:
        """Return PaddleSpeech's tokenizer for transcription in a language."""
        if language not in self.tokenizers:
            self.tokenizers[language] = self.library.tokenizer.get_tokenizer(
                True, resource_path=self.resources, language=language, task="transcribe"
            )
        return self.tokenizers[language]

    def vocabulary(self, language: str) -> WhisperTokenizer:
        """Return the ids and bytes behind `tokenizer`."""
        found: WhisperTokenizer = self.tokenizer(language).tokenizer
        return found

    def timestamp_begin(self) -> int:
        """Return the id of the timestamp 0; all higher ids are timestamps, 20 ms apart."""
        return len(self.vocabulary("en"))

    def encode(self, samples: NDArray[np.float32]) -> Features:
        """Encode a window, shape (samples,), padded with silence to 30 s."""
        padded = np.zeros(WINDOW_SAMPLES, np.float32)
        padded[: len(samples)] = samples[:WINDOW_SAMPLES]
        with self._running("listening"):
            mel = self.library.whisper.log_mel_spectrogram(padded, resource_path=self.resources)
            return self.model.encoder(mel[:, : WINDOW_SAMPLES // 160].unsqueeze(0))

    def detect_language(self, features: Sequence[Features]) -> dict[str, float]:
        """Compute the probability of each language code, the mean over windows."""
        found = np.concatenate([self.detect_languages(each, [(0, each.shape[1])]) for each in features])
        return dict(zip(self.languages, np.exp(found).mean(axis=0).tolist(), strict=True))

    def detect_languages(self, features: Features, spans: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
        """Compute the log-probability of each language in stretches of a window.

        The encoder has heard the whole window; the decoder is shown the frames of a stretch alone.

        Args:
            features: What `encode` gave.
            spans: First frame and the one after the last; all of one length.

        Returns:
            Shape (spans, languages), in the order of `languages`.
        """
        tokenizer = self.tokenizer("en")
        with self._running("finding the languages"):
            start = self.library.paddle.to_tensor([[tokenizer.sot]] * len(spans))
            parts = self.library.paddle.concat([features[:, first:past] for first, past in spans])
            logits = self.model.logits(start, parts)[:, 0].numpy()
        scores = logits[:, list(tokenizer.all_language_tokens)].astype(np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that it knows."""
        return tuple(self.tokenizer("en").all_language_codes)

    def decode(
        self,
        features: Sequence[Features],
        *,
        language: str,
        temperature: float = 0.0,
        max_tokens: int | None = None,
        on_token: OnToken,
    ) -> list[Hypothesis]:
        """Decode windows by PaddleSpeech's `DecodingTask`, all of them step by step together.

        Args:
            features: What `encode` gave.
            language: A code that the tokenizer knows.
            temperature: At 0 the likeliest token is taken; above it, the best of some random drafts, the
                same ones at every call.
            max_tokens: Where a draft ends; it also ends after `TOKEN_TIMEOUT_S` for each token.
            on_token: Called before each token.

        Raises:
            TranscriptionError: The engine failed.
        """
        with self._running("recognising words"):
            self.library.paddle.seed(0)
            options = self.library.whisper.DecodingOptions(
                language=language,
                temperature=temperature,
                best_of=SAMPLED_CANDIDATES if temperature else None,
                sample_len=max_tokens,
                suppress_tokens=[-1, *self._task_tokens(language)],
            )
            task = make_task(self.library, self.model, options, self.resources, on_token, self.steps)
            results = task.run(self.library.paddle.concat(list(features)))
        return [
            Hypothesis(
                tokens=tuple(int(token) for token in result.tokens),
                text=str(result.text),
                logprob=float(result.avg_logprob),
                no_speech=float(result.no_speech_prob),
                temperature=temperature,
            )
            for result in results
        ]

    def attend(self, features: Features, text: Sequence[int], *, language: str) -> Attention:
        """Run the decoder over a known text in one pass, and collect the scores of the alignment heads."""
        tokenizer = self.tokenizer(language)
        start = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        with self._running("placing words"), self._watching() as scores:
            ids = self.library.paddle.to_tensor([[*start, *text, tokenizer.eot]])
            logits = self.model.decoder(ids, features)[0, len(start) - 1 : -2, : tokenizer.eot]
            softmax = self.library.whisper.F.softmax(logits, axis=-1).numpy()
            weights = np.stack([score()[len(start) - 1 : -1] for score in scores])
        return Attention(weights=weights, probabilities=softmax[np.arange(len(text)), list(text)])

    def _task_tokens(self, language: str) -> list[int]:
        """Return `<|translate|>` and `<|transcribe|>`, which stand before the text only."""
        tokenizer = self.tokenizer(language)
        return [tokenizer.sot_lm - 2, tokenizer.sot_lm - 1]

    @contextmanager
    def _running(self, doing: str) -> Generator[None]:
        with translate_errors(doing), self.library.paddle.no_grad(), warnings.catch_warnings():
            # PaddleSpeech copies tensors in a way that paddle warns about.
            warnings.filterwarnings("ignore", message="To copy construct from a tensor")
            yield

    @contextmanager
    def _watching(self) -> Generator[list[Callable[[], NDArray[np.float32]]]]:
        """Collect queries and keys of the alignment heads; each item gives scores (tokens, 1500)."""
        seen: dict[tuple[int, str], NDArray[np.float32]] = {}
        hooks: list[Untyped] = []

        def keep(layer: int, name: str) -> Callable[[Untyped, Untyped, Untyped], None]:
            def hook(_module: Untyped, _inputs: Untyped, output: Untyped) -> None:
                seen[layer, name] = output[0].numpy()

            return hook

        heads = self.converted.manifest.alignment_heads
        for layer in {layer for layer, _ in heads}:
            attention = self.model.decoder.blocks[layer].cross_attn
            hooks.append(attention.query.register_forward_post_hook(keep(layer, "query")))
            hooks.append(attention.key.register_forward_post_hook(keep(layer, "key")))
        width = self.converted.manifest.dimensions["n_text_state"] // self.converted.manifest.dimensions["n_text_head"]

        def score(layer: int, head: int) -> NDArray[np.float32]:
            part = slice(head * width, (head + 1) * width)
            return seen[layer, "query"][:, part] @ seen[layer, "key"][:, part].T * np.float32(width**-0.5)

        try:
            yield [lambda layer=layer, head=head: score(layer, head) for layer, head in heads]
        finally:
            for hook in hooks:
                hook.remove()


def load_executor(converted: ConvertedWeights, device: str) -> Executor:
    """Build the model on `cpu`, `cuda` or, for `auto`, on a GPU if paddle can use one.

    Raises:
        TranscriptionError: The weights do not fit PaddleSpeech's Whisper.
    """
    library = load_paddlespeech()
    with translate_errors("loading the weights"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="To copy construct from a tensor")
        paddle = library.paddle
        on_gpu = device == "cuda" or (device == "auto" and _has_gpu(paddle))
        paddle.set_device("gpu" if on_gpu else "cpu")
        threads = min(MAX_THREADS, len(os.sched_getaffinity(0)))
        paddle.base.core.set_num_threads(threads)
        model = library.whisper.Whisper(library.whisper.ModelDimensions(**converted.manifest.dimensions))
        places: dict[str, Untyped] = model.state_dict()
        for name, array in converted.each_weight():
            if name not in places:
                raise ValueError(f"unexpected {name}")
            places.pop(name).set_value(array)
        if places:
            raise ValueError(f"missing {sorted(places)}")
        model.eval()
        steps = None if on_gpu else _load_steps(converted, threads)
    return Executor(library=library, model=model, converted=converted, steps=steps)


def _load_steps(converted: ConvertedWeights, threads: int) -> StepDecoder | None:
    """Build what decodes on a processor; None for a model that is too large to be there twice."""
    weights = {name: array for name, array in converted.each_weight() if name.startswith("decoder.")}
    if sum(array.nbytes for array in weights.values()) > MAX_STEPS_BYTES:
        return None
    given = converted.manifest.dimensions
    sizes = Sizes(width=given["n_text_state"], heads=given["n_text_head"], layers=given["n_text_layer"])
    return load_step_decoder(weights, sizes, threads)


def _has_gpu(paddle: Untyped) -> bool:
    return bool(paddle.is_compiled_with_cuda() and paddle.device.cuda.device_count())
