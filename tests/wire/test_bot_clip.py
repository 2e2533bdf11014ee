"""Each tool of `/clip`, as people use it, on the whole system; and what cannot be made, said in private."""

import io
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from tests.folders import files_below
from tests.wire.acts import COMMAND
from tests.wire.answers import CHINESE, in_chinese, private, result_of, shows
from tests.wire.objects import Message
from tests.wire.shapes import Json
from tests.wire.stack import Stack
from tests.wire.test_bot_fix_line import listed, opened

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

FAILED = "could not be processed"


def video(data: bytes) -> tuple[str, int, int, int, float]:
    """Codec, width, height, number of pictures, and seconds of the whole."""
    with av.open(io.BytesIO(data), "r") as container:
        seconds = (container.duration or 0) / av.time_base
        frames = [(frame.width, frame.height) for frame in container.decode(video=0)]
        codec = container.streams.video[0].codec_context.name
    return codec, *frames[0], len(frames), seconds


async def made(stack: Stack, tool: str, clip: Path, **options: Any) -> Message:
    interaction = await stack.fake.slash(f"clip {tool}", clip=clip, **{k.strip("_"): v for k, v in options.items()})
    return await result_of(stack, interaction)


def scratch(stack: Stack) -> list[Path]:
    """What stages left in their folders."""
    return [path for path in stack.folder.glob("home/scratch*/**/*") if path.is_file() and path.name != ".lock"]


async def test_cut(stack: Stack, scene: Path) -> None:
    message = await made(stack, "cut", scene, from_="0:02.5", to="5")
    assert "Cut for" in message.text
    assert "Route" not in message.text
    assert [*message.files] == ["cut.mp4"]
    codec, width, height, count, seconds = video(message.files["cut.mp4"].data)
    assert (codec, width, height) == ("h264", 320, 180)
    assert seconds == pytest.approx(2.5, abs=0.1)
    assert count == pytest.approx(30, abs=1)
    quick = await made(stack, "cut", scene, from_="0:02.5", to="5", quick=True)
    assert video(quick.files["cut.mp4"].data)[4] == pytest.approx(2.5, abs=0.6)


async def test_resize_and_rate_and_turn(stack: Stack, scene: Path) -> None:
    message = await made(stack, "resize", scene, width=160)
    assert "Resized for" in message.text
    assert video(message.files["resized.mp4"].data)[1:3] == (160, 90)
    message = await made(stack, "fps", scene, fps=24.0)
    assert video(message.files["fps.mp4"].data)[3] == pytest.approx(24 * 21, abs=6)
    message = await made(stack, "turn", scene, turn="left")
    assert video(message.files["turned.mp4"].data)[1:3] == (180, 320)


@pytest.mark.parametrize("form", ["mp3", "m4a", "wav", "flac", "opus"])
async def test_audio(stack: Stack, scene: Path, form: str) -> None:
    message = await made(stack, "audio", scene, format=form, from_="1", to="3")
    assert "Sound taken for" in message.text
    with av.open(io.BytesIO(message.files[f"sound.{form}"].data), "r") as container:
        assert (container.duration or 0) / av.time_base == pytest.approx(2.0, abs=0.06)
        assert not container.streams.video


async def test_frame_and_sheet_and_loop(stack: Stack, scene: Path) -> None:
    wanted: tuple[tuple[str, dict[str, Any], str, tuple[int, int] | None], ...] = (
        ("frame", {"time": "0:03"}, "frame.png", (320, 180)),
        ("frame", {"time": "3", "format": "jpg"}, "frame.jpg", (320, 180)),
        ("sheet", {"columns": 2, "rows": 3}, "sheet.jpg", None),
        ("gif", {"from": "1", "to": "3", "width": 160}, "loop.gif", (160, 90)),
        ("gif", {"from": "1", "to": "2", "format": "webp"}, "loop.webp", (320, 180)),
    )
    for tool, options, name, size in wanted:
        message = await made(stack, tool, scene, **options)
        assert [*message.files] == [name]
        with Image.open(io.BytesIO(message.files[name].data)) as picture:
            picture.load()
            assert size in (None, picture.size)
            assert getattr(picture, "n_frames", 1) > 1 or tool != "gif"


async def test_captions(stack: Stack, scene: Path) -> None:
    message = await made(stack, "captions", scene, language="en", highlight=True, size="large")
    assert "Captions written for" in message.text
    assert [*message.files] == ["captions.mp4"]
    with av.open(io.BytesIO(message.files["captions.mp4"].data), "r") as container:
        shown = [
            frame.to_ndarray(format="gray")[130:].max() for frame in container.decode(video=0) if (frame.time or 0) < 3
        ]
    assert max(shown) > 220


async def test_captions_follow_a_correction(stack: Stack, scene: Path) -> None:
    message = await made(stack, "captions", scene, language="en")
    before = message.files["captions.mp4"].data
    shown = await listed(stack, message)
    await stack.fake.submit(await opened(stack, shown), text="Bananas are yellow.")
    await shows(stack, message, lambda m: m.files["captions.mp4"].data != before, 120)
    assert video(message.files["captions.mp4"].data)[4] == pytest.approx(21, abs=0.5)


async def test_a_clip_without_sound_is_worked_on(stack: Stack, scene: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    with av.open(str(scene)) as source, av.open(str(silent), "w") as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    message = await made(stack, "cut", silent, to="2")
    assert video(message.files["cut.mp4"].data)[4] == pytest.approx(2.0, abs=0.1)
    told = await failed(stack, "audio", silent)
    assert told == "This clip has no sound. Send a clip with sound."


async def failed(stack: Stack, tool: str, clip: Path, *, locale: str = "en-US", **options: Any) -> str:
    """What a person is told in private of a tool that fails at the clip."""
    interaction = await stack.fake.slash(f"clip {tool}", clip=clip, locale=locale, **options)
    told = await private(stack, interaction, 60.0)
    word = FAILED if locale == "en-US" else "无法处理"
    await shows(stack, interaction.original, lambda message: word in message.text, 10)
    assert interaction.original is not None
    assert not interaction.original.files
    assert scratch(stack) == []
    return told.text


async def test_what_is_not_in_the_clip_is_told_in_private(stack: Stack, scene: Path, voice: Path) -> None:
    assert await failed(stack, "cut", scene, **{"from": "60"}) == (
        "The clip lasts 0:21.17, so there is nothing at 1:00. Choose an earlier time."
    )
    told = await failed(stack, "frame", scene, locale=CHINESE, time="1:00:00")
    assert told.startswith(in_chinese("tool-beyond-end", length="0:21.17", at="1:00:00"))
    assert "The" not in told
    assert await failed(stack, "resize", voice, width=100) == "This clip has no picture. Send a video."
    assert (await failed(stack, "captions", voice, locale=CHINESE)).startswith(in_chinese("tool-no-picture"))


@pytest.mark.parametrize(
    ("tool", "options", "key", "values"),
    [
        ("cut", {"from": "5", "to": "2"}, "tool-empty-stretch", {"start": "0:05", "end": "0:02"}),
        ("cut", {}, "tool-no-stretch", {}),
        ("cut", {"from": "-1"}, "bad-time", {"value": "-1"}),
        ("cut", {"to": "nan"}, "bad-time", {"value": "nan"}),
        ("resize", {}, "tool-no-size", {}),
        ("gif", {"to": "1:00:00"}, "tool-long-loop", {"limit": "30"}),
    ],
)
async def test_options_that_make_no_sense_are_refused_at_once(
    stack: Stack, scene: Path, tool: str, options: dict[str, Any], key: str, values: dict[str, str]
) -> None:
    kept = len(list(files_below(stack.folder / "home" / "store")))
    for locale in ("en-US", CHINESE):
        interaction = await stack.fake.slash(f"clip {tool}", clip=scene, locale=locale, **options)
        told = await private(stack, interaction)
        if locale == CHINESE:
            assert told.text.startswith(
                in_chinese(key, **values).replace("-", "\\-") if key == "bad-time" else in_chinese(key, **values)
            )
        assert interaction.original is not None
        assert interaction.original.ephemeral
    assert len(list(files_below(stack.folder / "home" / "store"))) == kept


@pytest.mark.parametrize(
    ("tool", "name", "kind", "value"),
    [("resize", "width", 4, 0), ("fps", "fps", 10, 10_000.0), ("fps", "fps", 10, -1.0), ("turn", "turn", 3, "vflip,x")],
)
async def test_numbers_that_no_client_sends_are_refused(
    stack: Stack, scene: Path, tool: str, name: str, kind: int, value: object
) -> None:
    file = stack.fake.upload(scene)
    given = [{"name": "clip", "type": 11, "value": file.id}, {"name": name, "type": kind, "value": value}]
    data: Json = {
        "id": stack.fake.command("clip")["id"],
        "name": "clip",
        "type": 1,
        "options": [{"name": tool, "type": 1, "options": given}],
        "resolved": {"attachments": {file.id: file.to_json()}},
    }
    interaction = await stack.fake.act(COMMAND, {"data": data, "locale": CHINESE})
    told = await private(stack, interaction)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told.text)
    assert interaction.original is not None
    assert interaction.original.ephemeral


async def test_a_tool_can_be_cancelled(stack: Stack, scene: Path) -> None:
    worker = stack.workers["media"]
    worker.pause()
    try:
        interaction = await stack.fake.slash("clip turn", clip=scene, turn="over")
        message = await shows(stack, interaction.original, lambda m: bool(m.buttons), 10)
        (cancel,) = message.buttons
        await stack.fake.click(cancel, message)
    finally:
        worker.resume()
    await shows(stack, message, lambda m: "Cancelled." in m.text, 20)
    assert not message.files


async def test_a_tool_at_work_can_be_cancelled(stack: Stack, scene: Path) -> None:
    interaction = await stack.fake.slash("clip resize", clip=scene, width=4096)
    message = await shows(stack, interaction.original, lambda m: "Editing the clip" in m.text, 60)
    (cancel,) = [key for key in message.buttons if ":cancel:" in key]
    await stack.fake.click(cancel, message)
    await shows(stack, message, lambda m: "Cancelled" in m.text, 20)
    assert not message.files
    assert scratch(stack) == []
