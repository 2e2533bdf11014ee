"""PaddleSpeech's decoding task with a main loop that takes any number of windows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from pipeline.speech.compat.paddlespeech import PaddleSpeech, Untyped
from pipeline.speech.recognition.whisper.onnx.step_decoder import StepDecoder, Steps

OnToken: TypeAlias = Callable[[int], None]
"""Called before each token with the number of tokens so far; may raise to stop."""

TOKEN_TIMEOUT_S = 2.0
"""A hundred times what a token takes, so that only a machine that stands still gets there."""


def make_task(
    library: PaddleSpeech,
    model: Untyped,
    options: Untyped,
    resources: str,
    on_token: OnToken,
    steps: StepDecoder | None,
) -> Untyped:
    """Make a task that calls `on_token`.

    Args:
        library: What the task is made of.
        model: The loaded network.
        options: PaddleSpeech's `DecodingOptions`.
        resources: The folder with its vocabulary.
        on_token: Called before each token.
        steps: What scores tokens; None: the model does.
    """

    class Decoding(library.whisper.DecodingTask):
        def _get_audio_features(self, mel: Untyped) -> Untyped:
            if steps is not None:
                self.inference = _StepInference(library.paddle, steps, mel, self.tokenizer.eot)
            return mel

        def _main_loop(self, audio_features: Untyped, tokens: Untyped) -> tuple[Untyped, Untyped, list[float]]:
            del tokens  # Two rows of them, for any number of windows.
            try:
                return _decode(library, self, audio_features, on_token)
            finally:
                self.inference.cleanup_caching()
                for block in model.decoder.blocks:
                    block.cross_attn.kept = None

    return Decoding(model, options, resources)


def _decode(
    library: PaddleSpeech, task: Untyped, features: Untyped, on_token: OnToken
) -> tuple[Untyped, Untyped, list[float]]:
    """Return tokens, sums of their log-probabilities and, by row, the probability that nobody speaks."""
    paddle, whisper = library.paddle, library.whisper
    rows = features.shape[0]
    tokens = paddle.to_tensor([task.initial_tokens] * rows)
    sums = paddle.zeros([rows], dtype="float32")
    no_speech: list[float] = []
    end = time.monotonic() + TOKEN_TIMEOUT_S * task.sample_len
    for step in range(task.sample_len):
        on_token(step)
        if step and time.monotonic() > end:
            break
        logits = task.inference.logits(tokens, features)
        if not step:
            starts = whisper.F.softmax(logits[:, task.sot_index], axis=-1)
            no_speech = starts[:, task.tokenizer.no_speech].tolist()
        logits = logits[:, -1]
        for logit_filter in task.logit_filters:
            logit_filter.apply(logits, tokens)
        tokens, completed = task.decoder.update(tokens, logits, sums)
        if completed:
            break
    return tokens, sums, no_speech


@dataclass(slots=True)
class _StepInference:
    """PaddleSpeech's `Inference` by a `StepDecoder`."""

    paddle: Untyped
    steps: StepDecoder
    windows: Untyped
    end: int
    _texts: Steps | None = field(default=None, init=False)

    def logits(self, tokens: Untyped, audio_features: Untyped) -> Untyped:
        """Score the tokens that are new."""
        del audio_features  # The windows again, one for each row.
        if self._texts is None:
            self._texts = self.steps.begin(self.windows.numpy(), self.end)
        return self.paddle.to_tensor(self._texts.score(np.asarray(tokens.numpy(), np.int64)))

    def cleanup_caching(self) -> None:
        """Forget the texts."""
        self._texts = None
