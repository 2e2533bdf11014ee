"""Which stages run for which request, and what a failure takes down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
)
from pipeline.run import run
from pipeline.stages import Facts, StageOutput
from pipeline.types import (
    Artefact,
    AudioStream,
    JsonValue,
    MediaInfo,
    Request,
    Route,
    RouteName,
    Task,
    VideoStream,
)

AUDIO = AudioStream(codec="aac", sample_rate=44_100, channels=2, layout="stereo", start=0.0)
VIDEO = VideoStream(codec="h264", width=320, height=180, frame_rate=12.0)
SOURCE = Artefact(name="clip.mp4", digest="0" * 64, size=10, media_type="video/mp4")
SPEAKERS: JsonValue = [{"id": "S1", "name": "Speaker 1"}]
LOUDNESS: JsonValue = {"original": {"integrated": -20.0, "peak": -1.0}, "final": {"integrated": -21.0, "peak": -2.0}}


def artefact(name: str) -> Artefact:
    return Artefact(name=name, digest=name.encode().hex(), size=1, media_type="application/octet-stream")


@dataclass
class Stages:
    """Answers every stage with the facts and files that its contract names; raises where told to."""

    route: RouteName = RouteName.DIALOGUE
    broken: dict[str, AudioProcessingError] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str], dict[str, JsonValue]]] = field(default_factory=list)

    async def __call__(
        self, stage: str, inputs: Mapping[str, Artefact], params: Mapping[str, JsonValue]
    ) -> StageOutput:
        self.calls.append((stage, {name: item.name for name, item in inputs.items()}, dict(params)))
        if stage in self.broken:
            raise self.broken[stage]
        names, facts = self._answer(stage, params)
        return StageOutput(facts=facts, artefacts={name: artefact(name) for name in names}, engine_seconds=1.0)

    def _answer(self, stage: str, params: Mapping[str, JsonValue]) -> tuple[list[str], Facts]:
        engine = "ffmpeg" if self.route is RouteName.BASIC else "deepfilternet"
        model = None if self.route is RouteName.BASIC else "deepfilternet3"
        route = Route(name=self.route, engine=engine, model=model, reason="because", asked=False)
        media = MediaInfo(container="mp4", duration=61.0, audio=AUDIO, video=VIDEO)
        answers: dict[str, tuple[list[str], Facts]] = {
            "probe": ([], msgspec.to_builtins(media)),
            "extract": (["audio.wav" if params.get("mono") else "master.flac"], {}),
            "route": ([], msgspec.to_builtins(route)),
            "separate": (["vocals.flac", "background.flac"], {"stems": ["vocals", "background"], "notes": ["fine"]}),
            "listen": (["speech.flac"], {}),
            "diarize": (["diarization.json"], {"speakers": 1}),
            "transcribe": (["recognition.json"], {"language": "en", "words": 3}),
            "align": (["transcript.json", "voices.json"], {"language": "en", "speakers": SPEAKERS, "turns": 1}),
            "mix": (["final.m4a", "final.mp4"], {"loudness": LOUDNESS, "notes": []}),
            "subtitles": (["transcript.txt", "transcript.srt"], {}),
            "report": (["report.png"], {}),
        }
        return answers[stage]

    @property
    def names(self) -> list[str]:
        return [stage for stage, _, _ in self.calls]


async def test_all_parts_of_a_clip_are_made() -> None:
    stages = Stages()
    result = await run(Request(), SOURCE, stages)
    assert {item.name for item in result.artefacts} == {
        *("stems/vocals.flac", "stems/background.flac", "final.m4a", "final.mp4", "report.png"),
        *("transcript.json", "transcript.txt", "transcript.srt"),
    }
    assert [speaker.name for speaker in result.speakers] == ["Speaker 1"]
    assert result.language == "en"
    assert result.loudness["final"].integrated == -21.0
    assert len(result.timings) == len(stages.calls)
    assert result.notes == ("fine",)
    assert not result.failures


@pytest.mark.parametrize(
    ("task", "absent"),
    [
        (Task.SEPARATE, {"mix", "diarize", "transcribe", "align", "subtitles", "listen"}),
        (Task.TRANSCRIBE, {"mix"}),
        (Task.REMIX, {"diarize", "transcribe", "align", "subtitles", "listen"}),
    ],
)
async def test_a_task_runs_only_its_stages(task: Task, absent: set[str]) -> None:
    stages = Stages()
    await run(Request(task=task), SOURCE, stages)
    assert absent.isdisjoint(stages.names)
    assert "separate" in stages.names


async def test_speakers_are_told_apart_on_the_vocals_and_words_heard_in_the_mix() -> None:
    stages = Stages()
    await run(Request(), SOURCE, stages)
    heard = [inputs["sound"] for stage, inputs, _ in stages.calls if stage == "listen"]
    assert heard == ["vocals.flac", "master.flac"]


async def test_the_basic_route_only_extracts() -> None:
    stages = Stages(route=RouteName.BASIC)
    result = await run(Request(task=Task.SEPARATE), SOURCE, stages)
    assert "separate" not in stages.names
    assert [item.name for item in result.artefacts] == ["audio.wav", "report.png"]
    assert any("basic route" in note for note in result.notes)


async def test_a_dub_reaches_the_mix() -> None:
    stages = Stages()
    await run(Request(task=Task.REMIX), SOURCE, stages, dub=artefact("dub.wav"))
    (inputs, params) = next((inputs, params) for stage, inputs, params in stages.calls if stage == "mix")
    assert inputs["dub"] == "dub.wav"
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
    assert next(inputs for stage, inputs, _ in stages.calls if stage == "mix") == {
        "source": "clip.mp4",
        "sound": "master.flac",
    }


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
