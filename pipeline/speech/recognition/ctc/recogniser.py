"""A CTC network over the windows of a clip; words are put in time by forced alignment."""

from collections.abc import Sequence

import numpy as np

from pipeline.errors import TranscriptionError
from pipeline.languages import language_name
from pipeline.speech.recognition.base import DecodedText, RecognitionInput, WindowProgress
from pipeline.speech.recognition.chunking import Window, to_clip_word
from pipeline.speech.recognition.ctc.forced_alignment import align_tokens, group_words
from pipeline.speech.recognition.ctc.network import CtcNetwork
from pipeline.types import Word

MIN_MEAN_PROBABILITY = 0.35
"""Mean probability of the tokens; a text below it was guessed from what is no speech."""


class CtcRecogniser:
    """A loaded network that knows some languages, the first of which is taken when none is asked for."""

    def __init__(self, network: CtcNetwork, languages: Sequence[str], name: str) -> None:
        self._network, self._languages, self._name = network, tuple(languages), name

    def recognise(self, source: RecognitionInput) -> DecodedText:
        """Recognise the words of a clip.

        Raises:
            TranscriptionError: The network lacks the language, or failed.
            Cancelled: Raised by `source.report` when the job was stopped.
        """
        asked = source.language
        if asked and asked not in self._languages:
            known = " and ".join(language_name(code) for code in self._languages)
            raise TranscriptionError(
                f"{self._name} knows {known}, and {language_name(asked)} was asked for.",
                hint="Choose another language, or leave the recogniser to the preset.",
            )
        progress = WindowProgress(source.report, len(source.windows))
        words: list[Word] = []
        for index, window in enumerate(source.windows):
            progress.update(index, 1, 0.0)
            heard = self._recognise_window(source, window)
            source.draft.add(heard, asked or self._languages[0])
            words += heard
        return DecodedText(language=asked or self._languages[0], words=tuple(words))

    def _recognise_window(self, source: RecognitionInput, window: Window) -> list[Word]:
        found = self._network.decode(source.reader.read_window(window))
        if not found.tokens or len(found.logprobs) < len(found.tokens):
            return []
        try:
            spans = align_tokens(found.logprobs, found.tokens)
        except ValueError as error:
            raise TranscriptionError("The words could not be put in time.", detail=str(error)) from error
        probabilities = [
            float(np.exp(found.logprobs[first : last + 1, token].max()))
            for token, (first, last) in zip(found.tokens, spans, strict=True)
        ]
        if np.mean(probabilities) < MIN_MEAN_PROBABILITY:
            return []
        timed = group_words(found.texts, spans, probabilities, self._network.frame_seconds)
        return [to_clip_word(word, window, source.speech_spans) for word in timed]
