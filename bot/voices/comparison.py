"""Compares the voices of a clip with those of a server; the numbers stay in this process."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from bot.exceptions import RefusedError
from bot.voices.book import EnrolledVoice
from pipeline.errors import StoreError
from pipeline.types import Artefact, Result
from worker.store import Store

MAX_VOICES_BYTES: Final = 16 * 1024 * 1024
MAX_OTHER_VOICES_SHARE: Final = 0.1
"""Of what is heard in a recording of one person; some of their own speech may be taken for another's."""
MIN_MENTIONED_PROBABILITY: Final = 0.5
"""From here on somebody is asked whether it is the person."""
PRIOR_ANSWERS: Final = 4.0
"""So many right answers a voice begins with: the first wrong match takes a fifth off, the tenth two thirds."""


class ClipVoice(msgspec.Struct, frozen=True, kw_only=True):
    """The voice of a speaker of a clip."""

    name: str
    """Id of the speaker."""
    vector: tuple[float, ...]
    seconds: float


class ClipVoices(msgspec.Struct, frozen=True, kw_only=True):
    """The voices of a clip, as the worker described them (`pipeline.speech.speakers.matching.VoiceBook`)."""

    model: str
    digest: str
    voices: tuple[ClipVoice, ...]

    def find(self, speaker_id: str) -> ClipVoice | None:
        """Return the voice of a speaker; None where too little of it is heard."""
        return next((voice for voice in self.voices if voice.name == speaker_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """The person of a voice-book whose voice is most like a speaker's."""

    user_id: str
    probability: float
    sure: bool


async def read_voices(result: Result, store: Store) -> ClipVoices | None:
    """Read the voices of a clip; None where there are none. Raises `StoreError`."""
    artefact: Artefact | None = result.voices
    if artefact is None:
        return None
    try:
        return msgspec.json.decode(await store.read(artefact, max_bytes=MAX_VOICES_BYTES), type=ClipVoices)
    except msgspec.MsgspecError as error:
        raise StoreError("The voices of a clip cannot be read.", detail=type(error).__name__) from error


def compare(clip: ClipVoices, known: Mapping[str, EnrolledVoice]) -> dict[str, Likeness]:
    """Find the most likely person for each speaker, where one is likely at all; nobody is surely two speakers.

    The comparison is that of the command line's voice-book, with its calibration; a voice whose matches people took
    back must be the more alike.
    """
    # numpy is loaded by the first comparison: few bots need it.
    from pipeline.speech.speakers.matching import MIN_NAMING_PROBABILITY, Voice, VoiceBook, match_speakers

    voices = tuple(Voice(name=voice.name, vector=voice.vector, seconds=voice.seconds) for voice in clip.voices)
    book = tuple(Voice(name=key, vector=each.vector, seconds=each.seconds) for key, each in known.items())
    matches = match_speakers(
        VoiceBook(model=clip.model, digest=clip.digest, voices=voices),
        VoiceBook(model=clip.model, digest=clip.digest, voices=book),
    )
    found: dict[str, Likeness] = {}
    for speaker, match in matches.items():
        person = match.name or match.nearest
        if person is None or match.confidence < MIN_MENTIONED_PROBABILITY:
            continue
        needed = 1.0 - (1.0 - MIN_NAMING_PROBABILITY) * _trust(known[person])
        sure = match.name is not None and match.confidence >= needed
        found[speaker] = Likeness(user_id=person, probability=match.confidence, sure=sure)
    return found


def join(one: EnrolledVoice, other: ClipVoice) -> EnrolledVoice:
    """Return a voice with more speech of the same person."""
    import numpy as np

    from pipeline.speech.speakers.matching import mean_voice

    vectors = [np.asarray(each.vector, np.float32) for each in (one, other)]
    joined = mean_voice("", vectors, [one.seconds, other.seconds])
    if joined is None:
        return one
    return replace(one, vector=joined.vector, seconds=joined.seconds)


def only_voice(clip: ClipVoices) -> ClipVoice:
    """Return the voice of a recording of one person. Raises `RefusedError` where nobody or several people are heard."""
    if not clip.voices:
        raise too_short()
    main = max(clip.voices, key=lambda voice: voice.seconds)
    heard = sum(voice.seconds for voice in clip.voices)
    if heard - main.seconds > MAX_OTHER_VOICES_SHARE * heard:
        raise RefusedError("voice-several", "voice-several-hint")
    return main


def too_short() -> RefusedError:
    """Return the refusal of a voice that is heard for a moment only."""
    from pipeline.speech.speakers.matching import MIN_ENROLMENT_SECONDS

    return RefusedError("voice-short", "voice-short-hint", seconds=int(MIN_ENROLMENT_SECONDS))


def check_enrolment(clip: ClipVoices, voice: ClipVoice, user_id: str, known: Mapping[str, EnrolledVoice]) -> None:
    """Check that a voice is heard long enough, and is not that of somebody else who agreed. Raises `RefusedError`."""
    from pipeline.speech.speakers.matching import MIN_ENROLMENT_SECONDS

    if voice.seconds < MIN_ENROLMENT_SECONDS:
        raise too_short()
    others = {key: each for key, each in known.items() if key != user_id}
    alone = ClipVoices(model=clip.model, digest=clip.digest, voices=(voice,))
    if any(each.sure for each in compare(alone, others).values()):
        raise RefusedError("voice-of-another", "voice-of-another-hint")


def _trust(voice: EnrolledVoice) -> float:
    return (voice.confirmed + PRIOR_ANSWERS) / (voice.confirmed + voice.denied + PRIOR_ANSWERS)
