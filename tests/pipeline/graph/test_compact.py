"""Which parts of a result get a smaller copy, and what becomes of one that fails."""

from dataclasses import replace
from typing import cast

import pytest

from pipeline.errors import Cancelled, FFmpegError
from pipeline.graph.codec import encode_params, files_of
from pipeline.graph.compact import add_compact
from pipeline.graph.stage import InputsT, OutputT, ParamsT, Stage, StageRun
from pipeline.media.contracts import CompressOutput
from pipeline.types import Artefact, AudioStream, JsonValue, MediaInfo, Request, Result, Route, RouteName


def artefact(name: str, size: int) -> Artefact:
    return Artefact(name=name, digest=f"{abs(hash(name)):064x}", size=size, media_type="audio/flac")


def result_of(*artefacts: Artefact) -> Result:
    audio = AudioStream(codec="aac", sample_rate=48000, channels=2, layout="stereo", start=0.0)
    route = Route(name=RouteName.BASIC, engine="ffmpeg", model=None, reason="asked", asked=True)
    media = MediaInfo(container="mp4", duration=60.0, audio=audio)
    return Result(request=Request(), media=media, route=route, artefacts=artefacts)


class Compressor:
    """Plays the stage."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[tuple[str, str, JsonValue]] = []
        self._error = error

    async def __call__(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
    ) -> StageRun[OutputT]:
        sound = files_of(inputs, Artefact)["sound"]
        self.asked.append((stage.name, sound.name, encode_params(params)["size"]))
        if self._error is not None:
            raise self._error
        copy = replace(sound, name="compact.opus", size=9)
        return StageRun(output=cast("OutputT", CompressOutput(sound=copy, rate=96_000)), engine_seconds=0.1)


SOURCE = artefact("clip.mp4", 99)
LARGE = result_of(
    artefact("stems/vocals.flac", 11), artefact("final.mp4", 99), artefact("final.m4a", 12), artefact("audio.wav", 10)
)


async def test_sounds_over_the_size_get_a_copy() -> None:
    compressor = Compressor()
    made = await add_compact(LARGE, SOURCE, 10, compressor)
    assert compressor.asked == [("compress", "stems/vocals.flac", 10), ("compress", "final.m4a", 10)]
    assert [one.name for one in made.artefacts[4:]] == ["compact/vocals.opus", "compact/final.opus"]
    assert [timing.stage for timing in made.timings] == ["compress", "compress"]


async def test_a_copy_that_fails_is_named_and_takes_nothing_down() -> None:
    made = await add_compact(LARGE, SOURCE, 10, Compressor(FFmpegError("No.")))
    assert made.artefacts == LARGE.artefacts
    assert [failure.type for failure in made.failures] == ["FFmpegError", "FFmpegError"]


async def test_a_cancel_goes_through() -> None:
    with pytest.raises(Cancelled):
        await add_compact(LARGE, SOURCE, 10, Compressor(Cancelled("Stopped.")))
