"""A CTC network over the windows of a clip: text, words put in time by forced alignment."""

from collections.abc import Sequence

import numpy as np

from pipeline.errors import TranscriptionError
from pipeline.languages import language_name
from pipeline.speech.recognition.base import DecodedText, RecognitionInput, WindowProgress
from pipeline.speech.recognition.chunking import Window, trim_to_speech
from pipeline.speech.recognition.ctc.forced_alignment import align_tokens, group_words
from pipeline.speech.recognition.ctc.network import CtcNetwork
from pipeline.types import Word

LOADED_PROGRESS = 0.03
MIN_MEAN_PROBABILITY = 0.35
"""Mean probability of the tokens; a text below it was guessed from what is no speech."""


class CtcRecogniser:
    """A loaded network that knows some languages, the first of which is taken when none is asked for."""

    def __init__(self, network: CtcNetwork, languages: Sequence[str], name: str) -> None:
        self._network, self._languages, self._name = network, tuple(languages), name

    def run(self, listening: RecognitionInput) -> DecodedText:
        """All words of the windows; raises `TranscriptionError` for a language that the network lacks."""
        asked = listening.language
        if asked and asked not in self._languages:
            known = " and ".join(language_name(code) for code in self._languages)
            raise TranscriptionError(
                f"{self._name} knows {known}, and {language_name(asked)} was asked for.",
                hint="Choose another language, or leave the recogniser to the preset.",
            )
        pace = WindowProgress(listening.report, len(listening.windows), LOADED_PROGRESS)
        words: list[Word] = []
        for index, window in enumerate(listening.windows):
            pace.update(index, 1, 0.0)
            words += self._recognise(listening, window)
        return DecodedText(language=asked or self._languages[0], words=tuple(words))

    def _recognise(self, listening: RecognitionInput, window: Window) -> list[Word]:
        draft = self._network.decode(listening.reader.read_window(window))
        if not draft.tokens or len(draft.logprobs) < len(draft.tokens):
            return []
        try:
            spans = align_tokens(draft.logprobs, draft.tokens)
        except ValueError as error:
            raise TranscriptionError("The words could not be put in time.", detail=str(error)) from error
        peaks = [
            float(np.exp(draft.logprobs[first : last + 1, token].max()))
            for token, (first, last) in zip(draft.tokens, spans, strict=True)
        ]
        if np.mean(peaks) < MIN_MEAN_PROBABILITY:
            return []
        words: list[Word] = []
        for word in group_words(draft.texts, spans, peaks, self._network.frame_seconds):
            start, end = trim_to_speech(*window.to_clip_span(word.start, word.end), listening.speech_spans)
            confidence = round(min(1.0, word.confidence), 3)
            words.append(Word(start=round(start, 3), end=round(end, 3), text=word.text, confidence=confidence))
        return words
