"""The stage that applies edits, and the exports that follow it."""

from pathlib import Path

import msgspec

from pipeline.edits.contracts import EditTranscriptInputs
from pipeline.edits.edit_file import encode_edits
from pipeline.edits.lines import EditableTranscript, see
from pipeline.edits.operations import Edit, GiveWords, SeenLine, SetWords
from pipeline.edits.stage import edit_transcript_stage
from pipeline.export.contracts import SubtitlesInputs, SubtitlesParams
from pipeline.export.stage import subtitles_stage, write_json
from pipeline.export.transcripts import read_edited
from pipeline.graph.stage import NoParams
from tests.pipeline.clips import make_context
from tests.pipeline.export.dialogue import heard, talk

TALK = EditableTranscript.of(talk())
FIRST, THANKS, QUESTION, DOES = (see(line) for line in TALK.lines)
GONE = SetWords(seen=SeenLine(line="L9", speaker="S1", words=THANKS.words[:0]), words=("No",))


def test_exports_follow_edits_and_the_original_stays(tmp_path: Path) -> None:
    edits: list[Edit] = [SetWords(seen=THANKS, words=("Thanks", "for", "halving", "it.")), GONE]
    edits.append(GiveWords(seen=QUESTION, speaker="S3", name="Eve"))
    transcript, voices, kept = tmp_path / "transcript.json", tmp_path / "voices.json", tmp_path / "edits.json"
    write_json(talk(), transcript)
    voices.write_bytes(msgspec.json.encode(heard(talk())))
    kept.write_bytes(encode_edits(talk().duration, edits))
    inputs = EditTranscriptInputs(transcript=transcript, voices=voices, edits=kept)
    edited = edit_transcript_stage(make_context(tmp_path / "edited"), inputs, NoParams())
    assert [speaker.id for speaker in edited.speakers] == ["S1", "S2", "S3"]
    assert edited.notes == ("Edit 2 was left out: Line L9 is gone.",)

    written = subtitles_stage(
        make_context(tmp_path / "exports"),
        SubtitlesInputs(transcript=edited.transcript, voices=edited.voices),
        SubtitlesParams(names={"S3": "Evelyn"}),
    )
    assert "halving it." in written.subtitles.read_text()
    assert "Evelyn" in (tmp_path / "exports" / "transcript.txt").read_text()
    assert "Evelyn" in (tmp_path / "exports" / "transcript.rttm").read_text()
    assert written.transcript is not None
    found = read_edited(written.transcript)
    assert found.before() == talk()
    assert [speaker.name for speaker in found.speakers][2] == "Evelyn"
