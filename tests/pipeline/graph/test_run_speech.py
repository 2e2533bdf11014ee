"""Speech in the stage graph: stand-ins for models that cannot be had, and names for speakers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
import pytest

from pipeline.chapters.contracts import FindChaptersOutput
from pipeline.edits.contracts import EditTranscriptOutput
from pipeline.errors import AudioProcessingError, ModelMissingError, ValidationError
from pipeline.export.contracts import SubtitlesOutput
from pipeline.graph.run import run
from pipeline.graph.stage import InputsT, OutputT, ParamsT, Stage, StageOutput, StageRun
from pipeline.media.contracts import ProbeOutput
from pipeline.speech.contracts import AlignOutput
from pipeline.types import JsonValue, Preset, Request, Speaker
from tests.pipeline.graph.test_run import SOURCE, SPEAKERS, Stages, artefact

REFUSED = ModelMissingError("The hub wants a token.", hint="Set it as HF_TOKEN.")


@dataclass
class Refusing(Stages):
    """Cannot have the models of these names."""

    away: tuple[str, ...] = ()

    async def __call__(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
    ) -> StageRun[OutputT]:
        output = await super().__call__(stage, inputs, params)
        if {getattr(params, "pipeline", None), getattr(params, "model", None)} & {*self.away}:
            raise REFUSED
        return output


@dataclass
class Long(Stages):
    """Ten minutes of talk with topics of their own."""

    def _answer(self, stage: str, params: Mapping[str, JsonValue]) -> StageOutput:
        found = super()._answer(stage, params) if stage != "find_chapters" else None
        if found is None:
            return FindChaptersOutput(transcript=artefact("divided.json"), chapters=artefact("chapters.json"))
        if isinstance(found, ProbeOutput):
            return replace(found, media=replace(found.media, duration=600.0))
        return found


async def test_a_long_recording_is_divided_before_its_files_are_written() -> None:
    stages = Long()
    await run(Request(), SOURCE, stages)
    ((written, _),) = stages.of("subtitles")
    assert written["transcript"] == "divided.json"
    ((joined, _),) = stages.of("mux")
    assert joined["chapters"] == "chapters.json"


async def test_a_short_one_is_not() -> None:
    stages = Stages()
    await run(Request(), SOURCE, stages)
    assert "find_chapters" not in stages.names
    ((joined, _),) = stages.of("mux")
    assert "chapters" not in joined


async def test_a_recording_that_cannot_be_divided_has_everything_else() -> None:
    stages = Long(broken={"find_chapters": ValidationError("It is no transcript.")})
    result = await run(Request(), SOURCE, stages)
    assert [failure.stage for failure in result.failures] == ["find_chapters"]
    assert result.artefact("final.mp4") is not None


async def test_studio_has_the_best_of_both_when_they_are_there() -> None:
    stages = Refusing()
    result = await run(Request(preset=Preset.STUDIO, language="zh"), SOURCE, stages)
    ((_, told),) = stages.of("diarize")
    assert told["pipeline"] == "speaker-diarization-community-1"
    ((_, heard),) = stages.of("transcribe")
    assert heard["model"] == "conformer_wenetspeech"
    assert not result.failures
    assert any(note.startswith("conformer_wenetspeech recognised the Chinese") for note in result.notes)
    assert "" not in result.notes


@pytest.mark.parametrize(
    ("away", "stage", "stand_in"),
    [
        ("speaker-diarization-community-1", "diarize", "segmentation-3.0 and campplus-zh-en"),
        ("whisper-large-v2", "transcribe", "whisper-base"),
    ],
)
async def test_what_comes_with_packages_stands_in_and_the_hint_is_given(away: str, stage: str, stand_in: str) -> None:
    stages = Refusing(away=(away,))
    result = await run(Request(preset=Preset.STUDIO), SOURCE, stages)
    ((failure,),) = (result.failures,)
    assert (failure.type, failure.stage, failure.hint) == ("ModelMissingError", stage, REFUSED.hint)
    assert any(note.startswith(stand_in) for note in result.notes)
    names = {item.name for item in result.artefacts}
    assert {"transcript.json", "transcript.srt", "final.m4a", "stems/vocals.flac"} <= names
    assert [speaker.name for speaker in result.speakers] == ["Speaker 1"]


async def test_a_recogniser_that_was_asked_for_has_no_stand_in() -> None:
    result = await run(Request(recogniser="whisper-small"), SOURCE, Refusing(away=("whisper-small",)))
    assert [(failure.stage, failure.hint) for failure in result.failures] == [("transcribe", REFUSED.hint)]
    assert "final.m4a" in {item.name for item in result.artefacts}
    assert "transcript.json" not in {item.name for item in result.artefacts}


async def test_a_failure_of_the_last_option_ends_the_branch() -> None:
    stages = Stages(broken={"diarize": AudioProcessingError("no")})
    result = await run(Request(preset=Preset.STUDIO), SOURCE, stages)
    assert [failure.stage for failure in result.failures] == ["diarize", "transcribe"]
    assert len(stages.of("diarize")) == 2


async def test_a_name_for_nobody_costs_no_transcript() -> None:
    stages = Stages()
    result = await run(Request(names={"S1": "Anna", "S7": "Ben"}), SOURCE, stages)
    ((_, params),) = stages.of("subtitles")
    assert params["names"] == {"S1": "Anna"}
    assert not result.failures
    assert any("Ben is nobody's name" in note for note in result.notes)


@dataclass
class Edited(Stages):
    """Has corrections applied."""

    def _answer(self, stage: str, params: Mapping[str, JsonValue]) -> StageOutput:
        if stage == "edit_transcript":
            speakers = (*SPEAKERS, Speaker(id="S2", name="Eve"))
            return EditTranscriptOutput(
                transcript=artefact("edited.json"), voices=artefact("edited-voices.json"), speakers=speakers
            )
        return super()._answer(stage, params)


EDITS = artefact("edits.json")


async def test_exports_follow_corrections_and_a_mix_does_where_it_is_told_to() -> None:
    stages = Edited()
    result = await run(Request(edits=EDITS, speaker_gains={"S1": 0.5}), SOURCE, stages)
    assert not result.failures
    assert [speaker.name for speaker in result.speakers] == ["Speaker 1", "Eve"]
    ((corrected, _),) = stages.of("edit_transcript")
    assert corrected == {"transcript": "transcript.json", "voices": "voices.json", "edits": "edits.json"}
    ((written, _),) = stages.of("subtitles")
    assert written == {"transcript": "edited.json", "voices": "edited-voices.json"}
    ((drawn, _),) = stages.of("report")
    assert (drawn["transcript"], drawn["voices"]) == ("edited.json", "edited-voices.json")
    assert stages.of("mix")[0][0]["transcript"] == "transcript.json"
    followed = Edited()
    await run(Request(edits=EDITS, speaker_gains={"S1": 0.5}, mix_edits=True), SOURCE, followed)
    assert followed.of("mix")[0][0]["transcript"] == "edited.json"


async def test_tracks_of_speakers_follow_corrections_where_a_mix_does() -> None:
    stages, followed = Edited(), Edited()
    await run(Request(edits=EDITS, speaker_stems=True), SOURCE, stages)
    await run(Request(edits=EDITS, speaker_stems=True, mix_edits=True), SOURCE, followed)
    told = [made.of("split_speakers")[0][0]["voices"] for made in (stages, followed)]
    assert told == ["voices.json", "edited-voices.json"]


async def test_corrections_that_cannot_be_used_cost_no_transcript() -> None:
    stages = Edited(broken={"edit_transcript": ValidationError("The edits are of another clip.", hint="…")})
    result = await run(Request(edits=EDITS), SOURCE, stages)
    assert [failure.stage for failure in result.failures] == ["edit_transcript"]
    assert "transcript.srt" in {item.name for item in result.artefacts}


def test_a_job_without_corrections_is_written_as_before_there_were_any() -> None:
    assert b"edits" not in msgspec.json.encode(Request())


@dataclass
class Wordless(Stages):
    """A clip in which nobody speaks."""

    def _answer(self, stage: str, params: Mapping[str, JsonValue]) -> StageOutput:
        output = super()._answer(stage, params)
        return replace(output, speakers=()) if isinstance(output, AlignOutput | SubtitlesOutput) else output


async def test_without_speech_there_is_an_empty_transcript_that_says_so() -> None:
    stages = Wordless()
    result = await run(Request(names={"S1": "Anna"}), SOURCE, stages)
    assert "No speech was found, so the transcript is empty." in result.notes
    assert result.artefact("transcript.json") is not None
    assert result.artefact("transcript.srt") is not None
    assert not result.failures
    assert result.voices is None
