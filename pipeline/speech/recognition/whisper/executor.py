"""Typed front of PaddleSpeech's Whisper: sound in, tokens, probabilities and attention out.

Windows are float32 at 16 kHz, at most 30 s; features are the encoder's output for a window,
shape (1, 1500, width). One executor serves one thread at a time.
"""

import os
import warnings
import zlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.compat.paddlespeech import PaddleSpeech, Untyped, load_paddlespeech, translate_errors
from pipeline.speech.recognition.whisper.decoding import OnToken, run_task
from pipeline.speech.recognition.whisper.networks.base import Features, Network
from pipeline.speech.recognition.whisper.networks.onnx_network import load_onnx_network
from pipeline.speech.recognition.whisper.networks.paddle_network import load_paddle_network
from pipeline.speech.recognition.whisper.tokenizer import WhisperTokenizer
from pipeline.speech.recognition.whisper.weights import ConvertedWeights

SAMPLE_RATE = 16_000
WINDOW_SAMPLES = 30 * SAMPLE_RATE
"""Length that the encoder takes at once."""
FRAME_SECONDS = 0.02
"""Of one encoder frame and of one timestamp step."""
SAMPLED_CANDIDATES = 3
"""Drawn when decoding at a temperature; the likeliest is kept."""
MAX_THREADS = 8
MAX_ONNX_WIDTH = 768
"""Of the largest decoder that onnxruntime runs: its weights are there twice while it is loaded."""


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
    network: Network
    converted: ConvertedWeights
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
            return self.network.encode(mel[:, : WINDOW_SAMPLES // 160].unsqueeze(0))

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
            logits = self.network.score_start(features, spans, tokenizer.sot)
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
            results = run_task(self.library, self.network, options, self.resources, features, on_token)
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
        with self._running("placing words"):
            read = self.network.read(features, [*start, *text, tokenizer.eot])
        first = len(start) - 1
        scores = read.logits[first:-2, : tokenizer.eot]
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities = odds[np.arange(len(text)), list(text)] / odds.sum(axis=1)
        return Attention(weights=read.attention[:, first:-1], probabilities=probabilities)

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
        if on_gpu or converted.manifest.dimensions["n_text_state"] > MAX_ONNX_WIDTH:
            network: Network = load_paddle_network(library, converted)
        else:
            network = load_onnx_network(library, converted, threads)
    return Executor(library=library, network=network, converted=converted)


def _has_gpu(paddle: Untyped) -> bool:
    return bool(paddle.is_compiled_with_cuda() and paddle.device.cuda.device_count())
