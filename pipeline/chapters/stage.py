"""The find_chapters stage: a transcript with its chapters."""

from dataclasses import replace
from pathlib import Path

import msgspec
from msgspec import UNSET

from pipeline.chapters.contracts import FindChaptersInputs, FindChaptersOutput
from pipeline.chapters.segmentation import find_chapters
from pipeline.export.stage import write_json
from pipeline.export.transcripts import read_edited
from pipeline.graph.stage import NoParams, StageContext
from pipeline.types.edited import EditedTranscript


def find_chapters_stage(
    context: StageContext, inputs: FindChaptersInputs[Path], params: NoParams
) -> FindChaptersOutput[Path]:
    """Divide a recording by topics; one that is short or has one topic stays as it is.

    Raises:
        ValidationError: The transcript cannot be used.
    """
    divided = divide(read_edited(inputs.transcript))
    transcript, chapters = context.out / "transcript.json", context.out / "chapters.json"
    write_json(divided.current() if divided.original is None else divided, transcript)
    if divided.topics:
        chapters.write_bytes(msgspec.json.encode(divided.topics))
    return FindChaptersOutput(transcript=transcript, chapters=chapters if divided.topics else None)


def divide(transcript: EditedTranscript) -> EditedTranscript:
    """Return a transcript with its chapters as they follow from its words now."""
    return replace(transcript, chapters=find_chapters(transcript.current()) or UNSET)
