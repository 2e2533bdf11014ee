"""The edit_transcript stage: a transcript with what people corrected in it."""

from pathlib import Path

import msgspec

from pipeline.edits.contracts import EditTranscriptInputs, EditTranscriptOutput
from pipeline.edits.edit_file import read_edits
from pipeline.edits.edited_transcript import edit_transcript
from pipeline.export.stage import write_json
from pipeline.export.transcripts import read_edited, read_voices
from pipeline.graph.stage import NoParams, StageContext


def edit_transcript_stage(
    context: StageContext, inputs: EditTranscriptInputs[Path], params: NoParams
) -> EditTranscriptOutput[Path]:
    """Apply edits as far as they fit; a note names each that does not.

    Raises:
        ValidationError: The edits cannot be used, or are of another clip.
    """
    kept = read_edited(inputs.transcript)
    edited = edit_transcript(kept, read_voices(inputs.voices, kept.current()), read_edits(inputs.edits))
    transcript, voices = context.out / "transcript.json", context.out / "voices.json"
    write_json(edited.transcript, transcript)
    voices.write_bytes(msgspec.json.encode(edited.voices))
    return EditTranscriptOutput(
        transcript=transcript,
        voices=voices,
        speakers=edited.transcript.speakers,
        notes=tuple(f"Edit {each.number} was left out: {each.reason}" for each in edited.misfits),
    )
