"""Which parts of a result get a smaller copy, and what becomes of one that fails."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pipeline.errors import Cancelled, FFmpegError
from pipeline.graph.compact import add_compact
from pipeline.graph.stage import StageOutput
from pipeline.types import Artefact, AudioStream, JsonValue, MediaInfo, Request, Result, Route, RouteName


def artefact(name: str, size: int) -> Artefact:
    return Artefact(name=name, digest=f"{abs(hash(name)):064x}", size=size, media_type="audio/flac")


def result_of(*artefacts: Artefact) -> Result:
    audio = AudioStream(codec="aac", sample_rate=48000, channels=2, layout="stereo", start=0.0)
    route = Route(name=RouteName.BASIC, engine="ffmpeg", model=None, reason="asked", asked=True)
    media = MediaInfo(container="mp4", duration=60.0, audio=audio)
    return Result(request=Request(), media=media, route=route, artefacts=artefacts)


class Shrinker:
    """Plays the stage."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[str, str, JsonValue]] = []
        self._error = error

    async def __call__(
        self, stage: str, inputs: Mapping[str, Artefact], params: Mapping[str, JsonValue]
    ) -> StageOutput:
        self.asked.append((stage, inputs["sound"].name, params["size"]))
        if self._error is not None:
            raise self._error
        copy = replace(inputs["sound"], name="compact.opus", size=9)
        return StageOutput(facts={"rate": 96000}, artefacts={"compact.opus": copy}, engine_seconds=0.1)


LARGE = result_of(
    artefact("stems/vocals.flac", 11), artefact("final.mp4", 99), artefact("final.m4a", 12), artefact("audio.wav", 10)
)


async def test_sounds_over_the_size_get_a_copy() -> None:
    shrinker = Shrinker()
    made = await add_compact(LARGE, 10, shrinker)
    assert shrinker.asked == [("shrink", "stems/vocals.flac", 10), ("shrink", "final.m4a", 10)]
    assert [one.name for one in made.artefacts[4:]] == ["compact/vocals.opus", "compact/final.opus"]
    assert [timing.stage for timing in made.timings] == ["shrink", "shrink"]


async def test_a_copy_that_fails_is_named_and_takes_nothing_down() -> None:
    made = await add_compact(LARGE, 10, Shrinker(FFmpegError("No.")))
    assert made.artefacts == LARGE.artefacts
    assert [failure.type for failure in made.failures] == ["FFmpegError", "FFmpegError"]


async def test_a_cancel_goes_through() -> None:
    with pytest.raises(Cancelled):
        await add_compact(LARGE, 10, Shrinker(Cancelled("Stopped.")))
