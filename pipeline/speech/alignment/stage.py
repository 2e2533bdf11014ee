"""Who said what: the words of the recogniser and the voices of the diarization become turns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

import msgspec

from pipeline.graph.stage import StageContext, StageMetadata
from pipeline.speech.alignment.boundary_snapping import snap_words
from pipeline.speech.alignment.speaker_attribution import SpokenWord, attribute_words
from pipeline.speech.alignment.text import attach_punctuation, ends_sentence, join_words
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.types import Diarization, Recognition, Speaker, SpeakerSegment, Transcript, Turn, Word

TURN_PAUSE_SECONDS = 3.0
"""Seconds; a turn ends here even inside a sentence."""
TURN_SENTENCE_PAUSE_SECONDS = 1.5
"""Seconds; a turn ends here after a full stop."""
LONG_TURN_SECONDS = 60.0
"""Seconds; past this a turn ends with its sentence, so that a speech has paragraphs."""
MIN_OVERLAP_SECONDS = 0.1
"""Seconds of two voices at once before a turn is marked; less is the blur of the edges."""


def align_stage(work: StageContext) -> StageMetadata:
    """Writes `transcript.json` and `voices.json`, on the clip's clock: `audio_start` is added to all times.

    `voices.json` is the diarization of the transcript's speakers under the transcript's ids:
    when each is heard, which the words tell less well.
    """
    diarization = msgspec.json.decode(work.inputs["diarization"].read_bytes(), type=Diarization)
    recognition = msgspec.json.decode(work.inputs["recognition"].read_bytes(), type=Recognition)
    work.report(0.0, "Putting words and voices together")
    transcript, voices = build_transcript(
        recognition,
        diarization,
        duration=float(cast("float", work.params["duration"])),
        offset=float(cast("float", work.params.get("audio_start", 0.0))),
    )
    (work.out / "voices.json").write_bytes(msgspec.json.encode(voices))
    (work.out / "transcript.json").write_bytes(msgspec.json.format(msgspec.json.encode(transcript), indent=1))
    work.report(1.0)
    return {
        "language": transcript.language,
        "speakers": [msgspec.to_builtins(speaker) for speaker in transcript.speakers],
        "turns": len(transcript.turns),
    }


def build_transcript(
    recognition: Recognition, diarization: Diarization, *, duration: float, offset: float = 0.0
) -> tuple[Transcript, Diarization]:
    """Turns of the speakers who say something, in order of their first word, and when those are heard.

    `offset` seconds are added to all times.
    """
    # The recogniser's order stands: it is surer of which word comes first than of when.
    words = attach_punctuation(recognition.words)
    spoken = snap_words(attribute_words(words, diarization), diarization.segments)
    order = list(dict.fromkeys(item.speaker for item in spoken))
    ids = {label: f"S{number}" for number, label in enumerate(order, start=1)}
    voices = by_speaker(diarization.segments)
    turns = [
        Turn(
            start=_shift(min(item.word.start for item in turn), offset),
            end=_shift(max(item.word.end for item in turn), offset),
            speaker=ids[turn[0].speaker],
            text=join_words((item.word.text for item in turn), recognition.language),
            overlap=_has_overlap(turn, voices),
            words=tuple(_shift_word(item.word, offset) for item in turn),
        )
        for turn in split_turns(spoken)
    ]
    transcript = Transcript(
        language=recognition.language,
        duration=duration,
        speakers=tuple(Speaker(id=ids[label], name=f"Speaker {ids[label][1:]}") for label in order),
        turns=tuple(turns),
    )
    heard = Diarization(
        speakers=tuple(ids.values()),
        segments=_relabel(diarization.segments, ids, offset),
        exclusive=_relabel(diarization.exclusive, ids, offset),
    )
    return transcript, heard


def split_turns(words: Sequence[SpokenWord]) -> Iterator[list[SpokenWord]]:
    """Consecutive words of one speaker, up to a pause that a reader would take for an end."""
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
    if ends_sentence(last.word.text):
        return pause > TURN_SENTENCE_PAUSE_SECONDS or last.word.end - turn[0].word.start > LONG_TURN_SECONDS
    return pause > TURN_PAUSE_SECONDS


def _has_overlap(turn: Sequence[SpokenWord], voices: Mapping[str, Timeline]) -> bool:
    """True when another voice is heard while the turn's own speaker is."""
    start, end = min(item.word.start for item in turn), max(item.word.end for item in turn)
    speaker = turn[0].speaker
    own = voices.get(speaker)
    return own is not None and any(
        timeline.covered_duration(max(part.start, start), min(part.end, end)) >= MIN_OVERLAP_SECONDS
        for other, timeline in voices.items()
        if other != speaker
        for part in own.overlapping(start, end)
    )


def _relabel(segments: Sequence[SpeakerSegment], ids: Mapping[str, str], offset: float) -> tuple[SpeakerSegment, ...]:
    """The segments of those who say something, on the clip's clock."""
    return tuple(
        SpeakerSegment(
            start=_shift(segment.start, offset), end=_shift(segment.end, offset), speaker=ids[segment.speaker]
        )
        for segment in segments
        if segment.speaker in ids
    )


def _shift_word(word: Word, offset: float) -> Word:
    return replace(word, start=_shift(word.start, offset), end=_shift(word.end, offset))


def _shift(seconds: float, offset: float) -> float:
    """Milliseconds are as fine as speech gets."""
    return round(seconds + offset, 3)
