"""PaddleSpeech's decoding task with a main loop that takes any number of windows."""

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from pipeline.speech.compat.paddlespeech import PaddleSpeech, Untyped
from pipeline.speech.recognition.whisper.networks.base import Features, Network, Texts

OnToken: TypeAlias = Callable[[int], None]
"""Called before each token with the number of tokens so far; may raise to stop."""

TOKEN_TIMEOUT_S = 2.0
"""A hundred times what a token takes, so that only a machine that stands still gets there."""


def run_task(
    library: PaddleSpeech,
    network: Network,
    options: Untyped,
    resources: str,
    features: Sequence[Features],
    on_token: OnToken,
) -> Sequence[Untyped]:
    """Decode windows.

    Args:
        library: What the task is made of.
        network: What scores tokens.
        options: PaddleSpeech's `DecodingOptions`.
        resources: The folder with its vocabulary.
        features: Of each window.
        on_token: Called before each token.

    Returns:
        PaddleSpeech's `DecodingResult` of each window.
    """

    class Decoding(library.whisper.DecodingTask):
        def _get_audio_features(self, mel: Untyped) -> Untyped:
            return mel

        def _main_loop(self, audio_features: Untyped, tokens: Untyped) -> tuple[Untyped, Untyped, list[float]]:
            del tokens  # Two rows of them, for any number of windows.
            texts = network.begin(features, self.sample_begin, self.tokenizer.eot)
            try:
                return _decode(library, self, texts, audio_features.shape[0], on_token)
            finally:
                texts.cleanup_caching()

    # The task counts the windows by their features, and hands them to nobody else.
    return Decoding(network.outline, options, resources).run(library.paddle.zeros([len(features), 1]))


def _decode(
    library: PaddleSpeech, task: Untyped, texts: Texts, rows: int, on_token: OnToken
) -> tuple[Untyped, Untyped, list[float]]:
    """Return tokens, sums of their log-probabilities and, by row, the probability that nobody speaks."""
    paddle, whisper = library.paddle, library.whisper
    tokens = paddle.to_tensor([task.initial_tokens] * rows)
    sums = paddle.zeros([rows], dtype="float32")
    no_speech: list[float] = []
    end = time.monotonic() + TOKEN_TIMEOUT_S * task.sample_len
    for step in range(task.sample_len):
        on_token(step)
        if step and time.monotonic() > end:
            break
        logits = texts.logits(tokens, None)
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
