"""The stage that puts recognised words and speakers together into turns."""

import math
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pipeline.audio import io as audio_io
from pipeline.graph.stage import StageContext
from pipeline.speech.alignment.boundary_snapping import snap_words
from pipeline.speech.alignment.sentences import ends_sentence
from pipeline.speech.alignment.speaker_attribution import SpokenWord, attribute_words
from pipeline.speech.alignment.text import attach_punctuation, join_words
from pipeline.speech.alignment.voice_attribution import attribute_by_voice
from pipeline.speech.contracts import ALIGN, AlignInputs, AlignOutput, AlignParams
from pipeline.speech.diarization.mapped_samples import map_samples
from pipeline.speech.diarization.pyannote_pipeline import SpeakerCount
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.speech.speakers.embedding_model import load_speaker_encoder
from pipeline.types import Diarization, Recognition, Speaker, SpeakerSegment, Transcript, Turn, Word

TURN_PAUSE_SECONDS = 3.0
"""A longer pause ends a turn even inside a sentence."""
TURN_SENTENCE_PAUSE_SECONDS = 1.5
"""A longer pause ends a turn after a full stop."""
LONG_TURN_SECONDS = 60.0
"""A longer turn ends with its sentence, so that a speech has paragraphs."""
MIN_WORD_SECONDS = 0.02
"""Of a word that a recogniser puts after the end of the clip."""
Listener = Callable[[Sequence[Word], Diarization], tuple[list[SpokenWord], Diarization]]
"""Gives words to speakers, and the stretches of speech likewise."""
MIN_OVERLAP_SECONDS = 0.1
"""Of two voices at once, before a turn is marked as overlapping; less is the inaccuracy of the edges."""


def align_stage(context: StageContext, inputs: AlignInputs[Path], params: AlignParams) -> AlignOutput[Path]:
    """Write `transcript.json` and `voices.json`, both on the clip's clock.

    `voices.json` is the diarization of the transcript's speakers under the transcript's ids: when each
    is heard, which the words tell less well.
    """
    diarization = msgspec.json.decode(inputs.diarization.read_bytes(), type=Diarization)
    recognition = msgspec.json.decode(inputs.recognition.read_bytes(), type=Recognition)
    context.report(0.0, "Putting words and voices together")
    with _listener(context, inputs, params) as listen:
        transcript, voices = build_transcript(recognition, diarization, duration=params.duration, listen=listen)
    voices_path, transcript_path = context.out / "voices.json", context.out / "transcript.json"
    voices_path.write_bytes(msgspec.json.encode(voices))
    transcript_path.write_bytes(msgspec.json.format(msgspec.json.encode(transcript), indent=1))
    context.report(1.0)
    return AlignOutput(
        transcript=transcript_path,
        voices=voices_path,
        language=transcript.language,
        speakers=transcript.speakers,
        turns=len(transcript.turns),
        models=() if params.embedding is None else (context.models.use(ALIGN.name, params.embedding),),
    )


@contextmanager
def _listener(context: StageContext, inputs: AlignInputs[Path], params: AlignParams) -> Generator[Listener | None]:
    """Make what tells the voices of phrases apart; None where words go to speakers by time alone."""
    if inputs.speech is None or params.embedding is None:
        yield None
        return
    if audio_io.info(inputs.speech).frames == 0:
        yield None
        return
    encoder = load_speaker_encoder(context.models, params.embedding)
    count = SpeakerCount(exact=params.speakers, min=params.min_speakers, max=params.max_speakers)
    with tempfile.TemporaryDirectory(prefix="stemcord-") as folder:
        blocks = (audio_io.to_mono(block)[:, 0] for block in audio_io.read_blocks(inputs.speech))
        samples = map_samples(inputs.speech, blocks, Path(folder) / "speech.f32")
        yield lambda words, diarization: attribute_by_voice(
            words,
            diarization,
            samples,
            encoder,
            count,
            lambda fraction: context.report(fraction, "Putting words and voices together"),
        )


def build_transcript(
    recognition: Recognition, diarization: Diarization, *, duration: float, listen: Listener | None = None
) -> tuple[Transcript, Diarization]:
    """Build the turns of the speakers who say something.

    Args:
        recognition: The words.
        diarization: When each speaker is heard.
        duration: Seconds of the clip.
        listen: Gives words and stretches of speech to speakers by their voices; None: time alone tells.

    Returns:
        The transcript, whose speakers stand in order of their first word, and when those speakers are heard.
    """
    # The recogniser's order stands: it is surer of which word comes first than of when.
    words = attach_punctuation(recognition.words)
    if listen is None or not words:
        spoken = attribute_words(words, diarization)
    else:
        spoken, diarization = listen(words, diarization)
    spoken = snap_words(spoken, diarization.segments)
    order = list(dict.fromkeys(item.speaker for item in spoken))
    ids = {label: f"S{number}" for number, label in enumerate(order, start=1)}
    timelines = by_speaker(diarization.segments)
    clock = _ClipClock(duration=duration)
    turns = [
        Turn(
            start=clock.place_start(min(item.word.start for item in turn)),
            end=clock.place_end(max(item.word.end for item in turn)),
            speaker=ids[turn[0].speaker],
            text=join_words((item.word.text for item in turn), recognition.language),
            overlap=_has_overlap(turn, timelines),
            words=tuple(clock.place_word(item.word) for item in turn),
        )
        for turn in split_turns(spoken)
    ]
    transcript = Transcript(
        language=recognition.language,
        duration=duration,
        speakers=tuple(Speaker(id=ids[label], name=f"Speaker {ids[label][1:]}") for label in order),
        turns=tuple(turns),
    )
    voices = Diarization(
        speakers=tuple(ids.values()),
        segments=_relabel(diarization.segments, ids, clock),
        exclusive=_relabel(diarization.exclusive, ids, clock),
    )
    return transcript, voices


def split_turns(words: Sequence[SpokenWord]) -> Iterator[list[SpokenWord]]:
    """Split words at changes of speaker and at pauses that a reader would take for an end."""
    turn: list[SpokenWord] = []
    for spoken in words:
        if turn and _ends_turn(turn, spoken):
            yield turn
            turn = []
        turn.append(spoken)
    if turn:
        yield turn


def _ends_turn(turn: Sequence[SpokenWord], following: SpokenWord) -> bool:
    last = turn[-1]
    if following.speaker != last.speaker:
        return True
    pause = following.word.start - last.word.end
    if ends_sentence(last.word.text, following.word.text):
        return pause > TURN_SENTENCE_PAUSE_SECONDS or last.word.end - turn[0].word.start > LONG_TURN_SECONDS
    return pause > TURN_PAUSE_SECONDS


def _has_overlap(turn: Sequence[SpokenWord], timelines: Mapping[str, Timeline]) -> bool:
    """Tell whether another voice is heard while the turn's own speaker is."""
    start, end = min(item.word.start for item in turn), max(item.word.end for item in turn)
    speaker = turn[0].speaker
    own = timelines.get(speaker)
    return own is not None and any(
        timeline.covered_duration(max(segment.start, start), min(segment.end, end)) >= MIN_OVERLAP_SECONDS
        for other, timeline in timelines.items()
        if other != speaker
        for segment in own.overlapping(start, end)
    )


def _relabel(
    segments: Sequence[SpeakerSegment], ids: Mapping[str, str], clock: "_ClipClock"
) -> tuple[SpeakerSegment, ...]:
    """Keep the segments of those who say something, under their ids."""
    return tuple(
        SpeakerSegment(
            start=clock.place_start(segment.start), end=clock.place_end(segment.end), speaker=ids[segment.speaker]
        )
        for segment in segments
        if segment.speaker in ids
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClipClock:
    """Places what was heard in milliseconds, which are as fine as speech gets, and never after the end of the clip."""

    duration: float
    """Seconds of the clip."""

    @property
    def _last(self) -> float:
        return math.floor(1000 * self.duration + 1e-6) / 1000

    def place_start(self, seconds: float) -> float:
        return min(round(seconds, 3), max(0.0, round(self._last - MIN_WORD_SECONDS, 3)))

    def place_end(self, seconds: float) -> float:
        return min(round(seconds, 3), self._last)

    def place_word(self, word: Word) -> Word:
        return replace(word, start=self.place_start(word.start), end=self.place_end(word.end))
