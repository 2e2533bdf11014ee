"""Edits applied to a transcript as it is kept, with when each speaker is heard."""

from dataclasses import dataclass

from pipeline.edits.apply import Misfit
from pipeline.edits.edit_file import EditFile, apply_file
from pipeline.edits.lines import EditableTranscript
from pipeline.edits.voices import follow_voices
from pipeline.types import Diarization
from pipeline.types.edited import EditedTranscript, OriginalTranscript


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedSpeech:
    """What exports are written from after edits."""

    transcript: EditedTranscript
    voices: Diarization
    misfits: tuple[Misfit, ...]


def edit_transcript(kept: EditedTranscript, voices: Diarization, edits: EditFile) -> EditedSpeech:
    """Apply the edits of a file to a transcript as it was recognised, also where it was edited before.

    Args:
        kept: The transcript, with its original where it has one.
        voices: When each speaker of `kept` is heard.
        edits: All edits, from the first on.

    Raises:
        ValidationError: The edits are of another clip.
    """
    before = kept.before()
    if kept.original is not None:
        speakers = tuple(speaker.id for speaker in before.speakers)
        voices = Diarization(speakers=speakers, segments=kept.original.voices, exclusive=())
    outcome = apply_file(EditableTranscript.of(before), edits)
    after = outcome.transcript.transcript()
    original = OriginalTranscript(speakers=before.speakers, turns=before.turns, voices=voices.segments)
    edited = EditedTranscript(
        language=after.language,
        duration=after.duration,
        speakers=after.speakers,
        turns=after.turns,
        original=original,
    )
    return EditedSpeech(transcript=edited, voices=follow_voices(voices, before, after), misfits=outcome.misfits)
