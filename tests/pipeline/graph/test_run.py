"""Which stages run for which request, and what a failure takes down."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast, get_origin

import msgspec
import pytest

from pipeline.errors import (
    AudioProcessingError,
    Cancelled,
    DemucsError,
    MediaError,
    MixError,
    QueueError,
    TranscriptionError,
    ValidationError,
)
from pipeline.export.contracts import ReportOutput, SubtitlesOutput
from pipeline.graph.codec import encode_params, files_of
from pipeline.graph.run import run
from pipeline.graph.stage import InputsT, OutputT, ParamsT, Stage, StageOutput, StageRun
from pipeline.graph.turns import result_follows_turns
from pipeline.media.contracts import ExtractOutput, MixDownOutput, MuxOutput, PrepareSpeechOutput, ProbeOutput
from pipeline.mix.contracts import DubOutput, MeasureOutput, MixOutput, RenderDubComparisonOutput
from pipeline.options import parse_request
from pipeline.routing.contracts import RouteOutput
from pipeline.separation.contracts import SeparateOutput, SplitBackgroundOutput, StemFiles
from pipeline.speaker_stems.contracts import SplitSpeakersOutput
from pipeline.speech.contracts import (
    AlignOutput,
    CompareVoicesOutput,
    DiarizeOutput,
    FindSpeechOutput,
    SampleVoicesOutput,
    TranscribeOutput,
)
from pipeline.speech.speakers.contracts import EmbedSpeakersOutput, MatchSpeakersOutput
from pipeline.types import (
    Artefact,
    AudioStream,
    BackgroundParts,
    JsonValue,
    Loudness,
    MediaInfo,
    Request,
    Route,
    RouteName,
    Speaker,
    SpeakerStem,
    Task,
    VideoStream,
)

AUDIO = AudioStream(codec="aac", sample_rate=44_100, channels=2, layout="stereo", start=0.0)
VIDEO = VideoStream(codec="h264", width=320, height=180, frame_rate=12.0)
SOURCE = Artefact(name="clip.mp4", digest="0" * 64, size=10, media_type="video/mp4")
SPEAKERS = (Speaker(id="S1", name="Speaker 1"),)


def artefact(name: str) -> Artefact:
    return Artefact(name=name, digest=name.encode().hex(), size=1, media_type="application/octet-stream")


ANSWERS: Mapping[str, StageOutput] = {
    "probe": ProbeOutput(media=MediaInfo(container="mp4", duration=61.0, audio=AUDIO, video=VIDEO)),
    "separate": SeparateOutput(
        stems=StemFiles(vocals=artefact("vocals.flac"), background=artefact("background.flac")), notes=("fine",)
    ),
    "split_background": SplitBackgroundOutput(
        stems=StemFiles(music=artefact("music.flac"), ambient=artefact("ambient.flac")), notes=("No SFX.",)
    ),
    "prepare_speech": PrepareSpeechOutput(speech=artefact("speech.flac"), duration=61.0),
    "find_speech": FindSpeechOutput(speech=artefact("spans.json"), voices=artefact("first-voices.json")),
    "sample_voices": SampleVoicesOutput(clear=False),
    "compare_voices": CompareVoicesOutput(background_gain=1.0, notes=("Clear.",)),
    "diarize": DiarizeOutput(diarization=artefact("diarization.json"), speakers=1),
    "transcribe": TranscribeOutput(recognition=artefact("recognition.json"), language="en", words=3, windows=1),
    "align": AlignOutput(
        transcript=artefact("transcript.json"),
        voices=artefact("voices.json"),
        language="en",
        speakers=SPEAKERS,
        turns=1,
    ),
    "embed_speakers": EmbedSpeakersOutput(embeddings=artefact("voices-embeddings.json"), voices=1),
    "match_speakers": MatchSpeakersOutput(names={"S1": "Anna"}, notes=("S1 is Anna (99 % sure).",)),
    "measure": MeasureOutput(loudness={"original": Loudness(integrated=-20.0, peak=-1.0)}),
    "render_dub_comparison": RenderDubComparisonOutput(
        reports=(artefact("dub-report.json"), artefact("dub-report.txt")), lines=1, notes=("It fits.",)
    ),
    "mux": MuxOutput(video=artefact("final.mp4")),
    "mix": MixOutput(mix=artefact("final.m4a"), loudness={"final": Loudness(integrated=-21.0, peak=-2.0)}),
    "subtitles": SubtitlesOutput(
        subtitles=artefact("transcript.srt"),
        exports=(artefact("transcript.txt"), artefact("transcript.srt")),
        speakers=SPEAKERS,
    ),
    "split_speakers": SplitSpeakersOutput(
        stems=(artefact("speaker-1.flac"),), speakers=("S1",), shares=artefact("speaker-stems.json")
    ),
    "report": ReportOutput(picture=artefact("report.png")),
    "extract": ExtractOutput(
        sound=artefact("master.flac"), sample_rate=44_100, channels=2, layout="stereo", duration=61.0
    ),
    "mix_down": MixDownOutput(sound=artefact("audio.wav")),
}


def _dubbed(params: Mapping[str, JsonValue]) -> StageOutput:
    reports = (artefact("dub-report.json"),) if params["zipped"] else ()
    return DubOutput(track=artefact("dub.flac"), reports=reports, lines=1)


@dataclass
class Stages:
    """Answers every stage with what its contract names; raises where told to."""

    route: RouteName = RouteName.DIALOGUE
    broken: dict[str, AudioProcessingError] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str], dict[str, JsonValue]]] = field(default_factory=list)

    async def __call__(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
    ) -> StageRun[OutputT]:
        files = {name: item.name for name, item in files_of(inputs, Artefact).items()}
        given = encode_params(params)
        self.calls.append((stage.name, files, given))
        if stage.name in self.broken:
            raise self.broken[stage.name]
        output = self._answer(stage.name, given)
        assert type(output) is (get_origin(stage.output) or stage.output)
        return StageRun(output=cast("OutputT", output), engine_seconds=1.0)

    def _answer(self, stage: str, params: Mapping[str, JsonValue]) -> StageOutput:
        answers: dict[str, Callable[[Mapping[str, JsonValue]], StageOutput]] = {
            "route": lambda _: self._route(),
            "dub": _dubbed,
        }
        return answers[stage](params) if stage in answers else ANSWERS[stage]

    def _route(self) -> RouteOutput:
        basic = self.route is RouteName.BASIC
        engine, model = ("ffmpeg", None) if basic else ("deepfilternet", "deepfilternet3")
        return RouteOutput(route=Route(name=self.route, engine=engine, model=model, reason="because", asked=False))

    def of(self, wanted: str) -> list[tuple[dict[str, str], dict[str, JsonValue]]]:
        return [(inputs, params) for stage, inputs, params in self.calls if stage == wanted]

    @property
    def names(self) -> list[str]:
        return [stage for stage, _, _ in self.calls]


async def test_all_parts_of_a_clip_are_made() -> None:
    stages = Stages()
    result = await run(Request(parts=BackgroundParts.NONE), SOURCE, stages)
    assert {item.name for item in result.artefacts} == {
        *("stems/vocals.flac", "stems/background.flac", "final.m4a", "final.mp4", "report.png"),
        *("transcript.json", "transcript.txt", "transcript.srt"),
    }
    assert [speaker.name for speaker in result.speakers] == ["Speaker 1"]
    assert result.language == "en"
    assert result.loudness["final"].integrated == -21.0
    assert len(result.timings) == len(stages.calls)
    assert result.notes == ("fine", "Clear.")
    assert not result.failures


@pytest.mark.parametrize(
    ("task", "absent"),
    [
        (Task.SEPARATE, {"mix", "mux", "diarize", "transcribe", "align", "subtitles", "find_speech"}),
        (Task.TRANSCRIBE, {"mix", "mux"}),
        (Task.REMIX, {"diarize", "transcribe", "align", "subtitles", "find_speech"}),
    ],
)
async def test_a_task_runs_only_its_stages(task: Task, absent: set[str]) -> None:
    stages = Stages()
    await run(Request(task=task), SOURCE, stages)
    assert absent.isdisjoint(stages.names)
    assert "separate" in stages.names


async def test_voices_alone_are_described_and_nothing_is_delivered() -> None:
    stages = Stages()
    result = await run(Request(task=Task.VOICES), SOURCE, stages)
    assert stages.names == ["probe", "extract", "prepare_speech", "find_speech", "diarize", "embed_speakers"]
    assert result.voices is not None
    assert (result.artefacts, result.speakers, result.language) == ((), (), None)


@dataclass
class Loud(Stages):
    """A clip whose background is as loud as its voices."""

    def _answer(self, stage: str, params: Mapping[str, JsonValue]) -> StageOutput:
        return CompareVoicesOutput(background_gain=0.3) if stage == "compare_voices" else super()._answer(stage, params)


@dataclass
class Clear(Stages):
    """A clip whose voices are clear."""

    def _answer(self, stage: str, params: Mapping[str, JsonValue]) -> StageOutput:
        return SampleVoicesOutput(clear=True) if stage == "sample_voices" else super()._answer(stage, params)


@pytest.mark.parametrize(
    ("route", "listened"),
    [(RouteName.DIALOGUE, ["master.flac", "vocals.flac"]), (RouteName.BASIC, ["master.flac"])],
)
async def test_speakers_and_words_are_heard_in_the_whole_sound(route: RouteName, listened: list[str]) -> None:
    stages = Stages(route=route)
    await run(Request(), SOURCE, stages)
    assert [inputs["sound"] for inputs, _ in stages.of("prepare_speech")] == listened
    ((told, params),) = stages.of("diarize")
    assert told == {"speech": "speech.flac", "found": "first-voices.json"}
    assert params["background_gain"] == 1.0
    ((heard, _),) = stages.of("transcribe")
    assert heard["diarization"] == "spans.json"


async def test_with_a_loud_background_speakers_and_words_are_heard_with_less_of_it() -> None:
    stages = Loud()
    await run(Request(), SOURCE, stages)
    ((told, params),) = stages.of("diarize")
    assert set(told) == {"speech", "vocals"}
    assert params["background_gain"] == 0.3
    assert [heard["diarization"] for heard, _ in stages.of("transcribe")] == ["spans.json", "diarization.json"]


async def test_a_transcript_of_clear_voices_costs_no_separation() -> None:
    stages = Clear()
    result = await run(Request(task=Task.TRANSCRIBE), SOURCE, stages)
    assert "separate" not in stages.names
    assert "transcript.json" in {item.name for item in result.artefacts}
    whole = Clear()
    await run(Request(), SOURCE, whole)
    assert "separate" in whole.names
    assert whole.of("diarize") == stages.of("diarize"), "so that each finds what the other left"


async def test_a_second_recognition_that_fails_leaves_the_first() -> None:
    class Tired(Loud):
        async def __call__(
            self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
        ) -> StageRun[OutputT]:
            if stage.name == "transcribe" and len(self.of("transcribe")) == 1:
                raise TranscriptionError("enough")
            return await super().__call__(stage, inputs, params)

    result = await run(Request(), SOURCE, Tired())
    assert [failure.stage for failure in result.failures] == ["transcribe"]
    assert "transcript.json" in {item.name for item in result.artefacts}


async def test_voices_are_taken_out_where_nobody_knows_how_clear_they_are() -> None:
    stages = Stages(broken={"sample_voices": AudioProcessingError("no")})
    result = await run(Request(task=Task.TRANSCRIBE), SOURCE, stages)
    assert "separate" in stages.names
    assert "transcript.json" in {item.name for item in result.artefacts}


async def test_without_places_of_speech_nothing_is_taken_apart_for_a_transcript() -> None:
    stages = Stages(broken={"find_speech": AudioProcessingError("no")})
    with pytest.raises(AudioProcessingError, match="no"):
        await run(Request(task=Task.TRANSCRIBE), SOURCE, stages)
    assert "separate" not in stages.names


async def test_words_are_recognised_while_the_sound_is_taken_apart() -> None:
    """Each of the two waits until the other runs."""
    both = asyncio.Barrier(2)

    class Meeting(Stages):
        async def __call__(
            self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
        ) -> StageRun[OutputT]:
            if stage.name in ("separate", "transcribe"):
                await asyncio.wait_for(both.wait(), 5)
            return await super().__call__(stage, inputs, params)

    assert not (await run(Request(), SOURCE, Meeting())).failures


async def test_without_places_of_speech_there_is_no_transcript_and_one_failure() -> None:
    stages = Stages(broken={"find_speech": AudioProcessingError("no")})
    result = await run(Request(), SOURCE, stages)
    assert [failure.stage for failure in result.failures] == ["find_speech"]
    assert {"diarize", "transcribe"}.isdisjoint(stages.names)
    assert "stems/vocals.flac" in {item.name for item in result.artefacts}


async def test_the_basic_route_only_extracts() -> None:
    stages = Stages(route=RouteName.BASIC)
    result = await run(Request(task=Task.SEPARATE), SOURCE, stages)
    assert "separate" not in stages.names
    assert [item.name for item in result.artefacts] == ["audio.wav", "report.png"]
    assert any("basic route" in note for note in result.notes)


async def test_a_dub_reaches_the_mix() -> None:
    stages = Stages()
    result = await run(Request(task=Task.REMIX), SOURCE, stages, dub=artefact("dub.wav"))
    ((inputs, params),) = stages.of("dub")
    assert inputs == {"vocals": "vocals.flac", "dub": "dub.wav"}
    assert (params["zipped"], params["keep_vocals"], params["stretch"]) == (False, False, 12.0)
    ((inputs, params),) = stages.of("mix")
    assert inputs["dub"] == "dub.flac"
    assert params["dub"] is True
    assert {"transcribe", "render_dub_comparison"}.isdisjoint(stages.names)
    assert "stems/dub.flac" not in {item.name for item in result.artefacts}


async def test_a_dub_in_pieces_waits_for_the_transcript() -> None:
    stages = Stages()
    result = await run(Request(task=Task.REMIX, dub_stretch=5.0), SOURCE, stages, dub=artefact("lines.ZIP"))
    ((inputs, params),) = stages.of("dub")
    assert inputs == {"vocals": "vocals.flac", "dub": "lines.ZIP", "transcript": "transcript.json"}
    assert (params["zipped"], params["keep_vocals"], params["stretch"]) == (True, True, 5.0)
    assert stages.names.index("align") < stages.names.index("dub") < stages.names.index("mix")
    assert {"stems/dub.flac", "dub-report.json"} <= {item.name for item in result.artefacts}
    assert "render_dub_comparison" not in stages.names


async def test_a_whole_dub_waits_for_the_transcript_only_to_keep_vocals() -> None:
    stages = Stages()
    await run(Request(task=Task.REMIX, keep_vocals=True), SOURCE, stages, dub=artefact("dub.wav"))
    ((inputs, params),) = stages.of("dub")
    assert inputs["transcript"] == "transcript.json"
    assert params["keep_vocals"] is True


async def test_a_whole_dub_is_compared_with_turns_that_are_heard_anyway() -> None:
    stages = Stages()
    result = await run(Request(), SOURCE, stages, dub=artefact("dub.wav"))
    ((inputs, params),) = stages.of("render_dub_comparison")
    assert inputs == {"vocals": "vocals.flac", "dub": "dub.wav", "transcript": "transcript.json"}
    assert params == {"name": "dub.wav"}
    assert "transcript" not in stages.of("dub")[0][0]
    assert stages.names.index("mix") < stages.names.index("render_dub_comparison")
    assert {"dub-report.json", "dub-report.txt"} <= {item.name for item in result.artefacts}
    assert "It fits." in result.notes


@pytest.mark.parametrize("broken", ["dub", "transcribe", "separate"])
async def test_what_is_not_there_is_not_compared(broken: str) -> None:
    stages = Stages(broken={broken: MixError("broken")})
    await run(Request(), SOURCE, stages, dub=artefact("dub.wav"))
    assert "render_dub_comparison" not in stages.names


async def test_a_comparison_that_fails_leaves_the_dub() -> None:
    result = await run(
        Request(), SOURCE, Stages(broken={"render_dub_comparison": MixError("broken")}), dub=artefact("dub.wav")
    )
    assert [failure.stage for failure in result.failures] == ["render_dub_comparison"]
    assert {"final.m4a", "final.mp4", "transcript.json", "report.png"} <= {item.name for item in result.artefacts}


async def test_a_dub_that_cannot_be_used_leaves_the_rest() -> None:
    result = await run(
        Request(), SOURCE, Stages(broken={"dub": ValidationError("no turn 9")}), dub=artefact("lines.zip")
    )
    assert [(failure.type, failure.stage) for failure in result.failures] == [("ValidationError", "mix")]
    assert {"transcript.json", "stems/vocals.flac"} <= {item.name for item in result.artefacts}


async def test_without_stems_a_dub_is_not_looked_at() -> None:
    stages = Stages(route=RouteName.BASIC)
    await run(Request(task=Task.REMIX), SOURCE, stages, dub=artefact("dub.wav"))
    assert stages.of("dub") == []
    ((inputs, params),) = stages.of("mix")
    assert "dub" not in inputs
    assert params["dub"] is True


async def test_a_failed_branch_leaves_the_others_standing() -> None:
    result = await run(Request(), SOURCE, Stages(broken={"transcribe": TranscriptionError("no words")}))
    assert [(failure.type, failure.stage) for failure in result.failures] == [("TranscriptionError", "transcribe")]
    names = {item.name for item in result.artefacts}
    assert {"stems/vocals.flac", "final.mp4", "report.png"} <= names
    assert "transcript.json" not in names


async def test_without_stems_the_words_are_still_written_down() -> None:
    stages = Stages(broken={"separate": DemucsError("no stems")})
    result = await run(Request(), SOURCE, stages)
    assert [failure.type for failure in result.failures] == ["DemucsError"]
    assert "transcript.json" in {item.name for item in result.artefacts}
    assert next(inputs for stage, inputs, _ in stages.calls if stage == "mix") == {"sound": "master.flac"}


async def test_nothing_at_all_raises_the_first_error() -> None:
    broken: dict[str, AudioProcessingError] = {"separate": DemucsError("no stems"), "mix": MixError("no mix")}
    with pytest.raises(DemucsError, match="no stems"):
        await run(Request(task=Task.REMIX), SOURCE, Stages(broken=broken))


async def test_a_bad_clip_ends_the_job_at_once() -> None:
    stages = Stages(broken={"probe": MediaError("no sound")})
    with pytest.raises(MediaError):
        await run(Request(), SOURCE, stages)
    assert stages.names == ["probe"]


@pytest.mark.parametrize("error", [Cancelled("stop"), QueueError("away")])
@pytest.mark.parametrize("stage", ["separate", "mix", "transcribe", "report"])
async def test_a_stopped_job_or_a_lost_queue_ends_the_whole_job(error: AudioProcessingError, stage: str) -> None:
    with pytest.raises(type(error)):
        await run(Request(), SOURCE, Stages(broken={stage: error}))


async def test_the_video_is_made_of_the_final_sound_and_speaks_its_language() -> None:
    stages = Stages()
    await run(Request(), SOURCE, stages)
    assert stages.of("mux") == [
        ({"source": "clip.mp4", "sound": "final.m4a"}, {"language": "eng", "track": 1}),
    ]


async def test_the_sound_track_is_a_parameter_of_each_stage_that_reads_the_clip() -> None:
    stages = Stages(route=RouteName.BASIC)
    await run(Request(track=3), SOURCE, stages)
    assert [params["track"] for _, params in stages.of("probe")] == [3]
    # The others are told the one that probe found.
    assert [params["track"] for name in ("extract", "mux") for _, params in stages.of(name)] == [1, 1]


async def test_soft_subtitles_wait_for_the_words() -> None:
    stages = Stages()
    await run(Request(task=Task.REMIX, language="de", soft_subtitles=True), SOURCE, stages)
    ((inputs, params),) = stages.of("mux")
    assert inputs["subtitles"] == "transcript.srt"
    assert params["language"] == "deu"
    assert stages.names.index("subtitles") < stages.names.index("mux")


async def test_voices_are_kept_apart_from_what_is_delivered_and_name_their_speakers() -> None:
    stages = Stages()
    book = artefact("voice-book.json")
    result = await run(Request(task=Task.TRANSCRIBE, voice_book=book, names={"S1": "Ben"}), SOURCE, stages)
    assert result.voices == artefact("voices-embeddings.json")
    assert "voices-embeddings.json" not in {item.name for item in result.artefacts}
    inputs, params = next((inputs, params) for stage, inputs, params in stages.calls if stage == "subtitles")
    assert params["names"] == {"S1": "Ben"}, "what a person says goes before what a voice-book does"
    assert "book" not in inputs
    assert "S1 is Anna (99 % sure)." in result.notes


async def test_a_transcript_stands_without_its_voices() -> None:
    stages = Stages(broken={"embed_speakers": AudioProcessingError("No voices.")})
    result = await run(Request(task=Task.TRANSCRIBE), SOURCE, stages)
    assert result.voices is None
    assert [failure.stage for failure in result.failures] == ["embed_speakers"]
    assert result.artefact("transcript.json") is not None


async def test_a_background_is_parted_once_its_voices_are_out() -> None:
    stages = Stages()
    result = await run(Request(parts=BackgroundParts.ALL), SOURCE, stages)
    assert [inputs for inputs, _ in stages.of("split_background")] == [{"background": "background.flac"}]
    assert {item.name for item in result.artefacts} > {"stems/music.flac", "stems/ambient.flac"}
    assert "No SFX." in result.notes
    assert set(stages.of("report")[0][0].values()) > {"music.flac", "ambient.flac", "background.flac"}


async def test_a_transcript_alone_needs_no_parts() -> None:
    stages = Stages()
    await run(Request(task=Task.TRANSCRIBE, parts=BackgroundParts.ALL), SOURCE, stages)
    assert "split_background" not in stages.names


async def test_without_parts_the_stems_are_vocals_and_background() -> None:
    stages = Stages(broken={"split_background": DemucsError("no memory")})
    result = await run(Request(parts=BackgroundParts.ALL), SOURCE, stages)
    stems = {item.name for item in result.artefacts if item.name.startswith("stems/")}
    assert stems == {"stems/vocals.flac", "stems/background.flac"}
    assert [failure.stage for failure in result.failures] == ["split_background"]


@pytest.mark.parametrize("task", [Task.SEPARATE, Task.TRANSCRIBE, Task.REMIX, Task.ALL])
async def test_each_speaker_gets_a_track_with_any_task(task: Task) -> None:
    stages = Clear()
    result = await run(Request(task=task, speaker_stems=True), SOURCE, stages)
    ((inputs, _),) = stages.of("split_speakers")
    assert inputs == {"vocals": "vocals.flac", "voices": "voices.json"}
    assert {"stems/speaker-1.flac", "speaker-stems.json"} <= {item.name for item in result.artefacts}
    assert result.speaker_stems == (SpeakerStem(speaker="S1", file="stems/speaker-1.flac"),)
    assert "speaker-1" not in str(stages.of("measure") + stages.of("mix") + stages.of("report")), (
        "the sum counts it once"
    )


async def test_without_being_asked_for_no_speaker_gets_a_track() -> None:
    stages = Stages()
    result = await run(Request(), SOURCE, stages)
    assert "split_speakers" not in stages.names
    assert result.speaker_stems == ()
    assert b"speaker_stems" not in msgspec.json.encode(parse_request({}))


@pytest.mark.parametrize(
    ("route", "broken", "word"),
    [(RouteName.BASIC, "", "not taken apart"), (RouteName.DIALOGUE, "transcribe", "not known who speaks")],
)
async def test_where_tracks_of_speakers_cannot_be_made_a_note_says_so(route: RouteName, broken: str, word: str) -> None:
    stages = Stages(route=route, broken={broken: TranscriptionError("no")})
    result = await run(Request(speaker_stems=True), SOURCE, stages)
    assert "split_speakers" not in stages.names
    assert any(word in note for note in result.notes)


async def test_tracks_of_speakers_that_fail_take_nothing_else_down() -> None:
    result = await run(Request(speaker_stems=True), SOURCE, Stages(broken={"split_speakers": MixError("full")}))
    assert [failure.stage for failure in result.failures] == ["split_speakers"]
    assert {"stems/vocals.flac", "final.mp4", "report.png"} <= {item.name for item in result.artefacts}


def test_tracks_of_speakers_follow_who_speaks_when_with_any_task() -> None:
    assert result_follows_turns(Request(task=Task.SEPARATE, speaker_stems=True), None)
    assert result_follows_turns(Request(speaker_gains={"S1": 0.5}), None)
    assert not result_follows_turns(Request(task=Task.SEPARATE, speaker_gains={"S1": 0.5}), None)
