"""What each tool makes of clips of many kinds: length, size, rate, and picture and sound together."""

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pipeline.clip_options import parse_tool
from pipeline.errors import LimitError, MediaError, ValidationError
from pipeline.graph.stage import StageContext
from pipeline.media.tools.contracts import EditClipInputs, EditClipParams, MadeFile
from pipeline.media.tools.pictures import HDR_NOTE
from pipeline.media.tools.refusals import check_work
from pipeline.media.tools.stage import edit_clip_stage
from pipeline.models.loader import Models
from tests.pipeline.clips import decode, ffmpeg, make_click

FLASH_AT = 1.0
"""Seconds at which one picture is white and a click is heard."""
RATE = 48_000
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "20")


def make_flash(path: Path, *coding: str, size: str = "64x48", filters: str = "") -> Path:
    """Three seconds of black, with a white picture and a click at the same time."""
    click = path.with_suffix(".click.wav")
    make_click(click, at=FLASH_AT, seconds=3.0)
    flash = f"drawbox=c=white:t=fill:enable='between(t,{FLASH_AT - 0.01},{FLASH_AT + 0.03})'"
    picture = f"color=black:s={size}:r=25:d=3,{flash}{filters}"
    ffmpeg("-f", "lavfi", "-i", picture, "-i", click, *(coding or (*X264, "-c:a", "aac")), path)
    return path


def edit(clip: Path, out: Path, name: str, **given: object) -> MadeFile[Path]:
    out.mkdir(exist_ok=True)
    context = StageContext(out=out, report=lambda fraction, message="": None, models=Models(out))
    tool = parse_tool(name, {key.strip("_"): value for key, value in given.items()})
    assert not isinstance(tool, EditClipParams)
    params = EditClipParams(tool=tool)  # type: ignore[arg-type]
    return edit_clip_stage(context, EditClipInputs(source=clip), params)


def flash_of(path: Path) -> float:
    with av.open(str(path)) as container:
        return next(
            float(frame.time or 0)
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 128
        )


def click_of(path: Path) -> float:
    return float(np.argmax(np.abs(decode(path)[:, 0]) > 0.2)) / RATE


def picture_of(path: Path) -> tuple[int, int, int, float]:
    """Width, height, number of pictures and the time of the last one."""
    with av.open(str(path)) as container:
        frames = [(frame.width, frame.height, float(frame.time or 0)) for frame in container.decode(video=0)]
    return frames[0][0], frames[0][1], len(frames), frames[-1][2]


def length_of(path: Path) -> float:
    with av.open(str(path)) as container:
        return (container.duration or 0) / av.time_base


@pytest.fixture
def flash(tmp_path: Path) -> Path:
    return make_flash(tmp_path / "flash.mp4")


KINDS = {
    "mp4": ("a.mp4", (*X264, "-c:a", "aac")),
    "pictures out of order": (
        "a.mp4",
        ("-c:v", "libx264", "-bf", "3", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac"),
    ),
    "webm": ("a.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")),
    "transport stream": ("a.ts", ("-c:v", "mpeg2video", "-q:v", "2", "-c:a", "mp2")),
    "avi": ("a.avi", ("-c:v", "mpeg4", "-bf", "2", "-q:v", "2", "-c:a", "pcm_s16le")),
    "4:4:4": ("a.mp4", ("-c:v", "libx264", "-pix_fmt", "yuv444p", "-c:a", "aac")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_is_exact_and_together(tmp_path: Path, kind: str) -> None:
    name, coding = KINDS[kind]
    clip = make_flash(tmp_path / name, *coding)
    made = edit(clip, tmp_path / "out", "cut", from_="0.53", to="2.1").made
    assert made.name == "cut.mp4"
    assert length_of(made) == pytest.approx(1.57, abs=0.045)
    assert flash_of(made) == pytest.approx(FLASH_AT - 0.53, abs=0.03)
    # Of a lossy sound, the click is smeared by some milliseconds.
    assert flash_of(made) == pytest.approx(click_of(made), abs=0.012)


def test_the_first_picture_is_the_one_that_is_shown(tmp_path: Path) -> None:
    clip = make_flash(tmp_path / "a.mp4")
    made = edit(clip, tmp_path / "out", "cut", from_=str(FLASH_AT + 0.02), to="2").made
    assert flash_of(made) == 0.0
    assert flash_of(edit(clip, tmp_path / "out", "cut", from_=str(FLASH_AT), to="2").made) == 0.0


def test_a_quick_cut_copies_the_picture(tmp_path: Path, flash: Path) -> None:
    made = edit(flash, tmp_path / "out", "cut", from_="0.5", to="2", quick=True).made
    assert flash_of(made) == pytest.approx(0.52, abs=0.005)
    assert click_of(made) == pytest.approx(0.52, abs=0.005)


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({"width": 128}, (128, 96)),
        ({"height": 24}, (32, 24)),
        ({"width": 100, "height": 100}, (100, 76)),
        ({"width": 100, "height": 100, "fit": "fill"}, (100, 100)),
        ({"width": 100, "height": 50, "fit": "stretch"}, (100, 50)),
    ],
)
def test_a_picture_gets_its_size(tmp_path: Path, flash: Path, given: dict[str, object], size: tuple[int, int]) -> None:
    made = edit(flash, tmp_path / "out", "resize", **given).made
    assert picture_of(made)[:3] == (*size, 75)
    assert flash_of(made) == pytest.approx(FLASH_AT, abs=0.001)
    assert click_of(made) == pytest.approx(click_of(flash), abs=0.001)


@pytest.mark.parametrize(("rate", "count"), [(10, 30), (50, 150), (29.97, 90), (1, 3)])
def test_a_rate_is_kept_to(tmp_path: Path, flash: Path, rate: float, count: int) -> None:
    made = edit(flash, tmp_path / "out", "fps", fps=rate).made
    assert picture_of(made)[2] == pytest.approx(count, abs=1)
    assert length_of(made) == pytest.approx(3.0, abs=1 / rate)
    assert click_of(made) == pytest.approx(click_of(flash), abs=0.001)


def test_a_picture_is_turned(tmp_path: Path) -> None:
    clip = make_flash(tmp_path / "a.mp4", filters=",drawbox=x=0:y=0:w=16:h=12:c=red:t=fill")
    corners = {"right": (1, 0), "left": (0, 1), "over": (1, 1), "mirror": (1, 0), "flip": (0, 1)}
    for turn, (x, y) in corners.items():
        made = edit(clip, tmp_path / "out", "turn", turn=turn).made
        with av.open(str(made)) as container:
            picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
        assert picture.shape[:2] == ((64, 48) if turn in ("right", "left") else (48, 64))
        assert picture[-4 if y else 4, -4 if x else 4, 0] > 150, turn
        assert picture[4 if y else -4, 4 if x else -4, 0] < 100, turn


@pytest.mark.parametrize("form", ["mp3", "m4a", "wav", "flac", "opus"])
def test_a_sound_is_taken(tmp_path: Path, flash: Path, form: str) -> None:
    made = edit(flash, tmp_path / "out", "audio", format=form, from_="0.5", to="2").made
    assert made.name == f"sound.{form}"
    assert click_of(made) == pytest.approx(0.5, abs=0.004)
    assert len(decode(made)) / RATE == pytest.approx(1.5, abs=0.03)


@pytest.mark.parametrize("form", ["png", "jpg"])
def test_a_frame_is_the_one_that_is_shown(tmp_path: Path, flash: Path, form: str) -> None:
    for at, white in ((FLASH_AT - 0.02, False), (FLASH_AT + 0.02, True), (FLASH_AT + 0.06, False)):
        made = edit(flash, tmp_path / "out", "frame", at=str(at), format=form).made
        with Image.open(made) as picture:
            assert picture.size == (64, 48)
            assert bool(np.asarray(picture.convert("L")).mean() > 128) is white, at


def test_the_last_picture_stays_where_the_sound_goes_on(tmp_path: Path) -> None:
    make_flash(tmp_path / "a.mp4")
    ffmpeg(
        "-i",
        tmp_path / "a.mp4",
        "-f",
        "lavfi",
        "-i",
        "sine=d=6",
        "-map",
        "0:v",
        "-map",
        "1",
        "-c:v",
        "copy",
        tmp_path / "b.mp4",
    )
    edit(tmp_path / "b.mp4", tmp_path / "out", "frame", at="5.9")
    made = edit(tmp_path / "b.mp4", tmp_path / "out", "gif", from_="2", to="5").made
    with Image.open(made) as loop:
        assert sum(_durations(loop)) == pytest.approx(3000, abs=90)


def _durations(loop: Image.Image) -> list[int]:
    found: list[int] = []
    for index in range(int(getattr(loop, "n_frames", 1))):
        loop.seek(index)
        loop.load()
        found.append(int(loop.info["duration"]))
    return found


@pytest.mark.parametrize("form", ["gif", "webp"])
def test_a_loop_plays_on_and_is_small(tmp_path: Path, form: str) -> None:
    for size, name in (("640x480", "a.mp4"), ("64x48", "b.mp4")):
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=3", *X264, tmp_path / name)
    made = edit(tmp_path / "a.mp4", tmp_path / "out", "gif", from_="0.5", to="2", format=form, width=320).made
    assert made.name == f"loop.{form}"
    with Image.open(made) as loop:
        assert loop.size == (320, 240)
        assert loop.info["loop"] == 0
        assert sum(_durations(loop)) == pytest.approx(1500, abs=90)
    smaller = edit(tmp_path / "b.mp4", tmp_path / "out", "gif", format=form).made
    with Image.open(smaller) as loop:
        assert loop.size == (64, 48)
        assert sum(_durations(loop)) == pytest.approx(3000, abs=90)


@pytest.mark.parametrize("form", ["png", "jpg"])
def test_a_sheet_has_pictures_from_all_over(tmp_path: Path, form: str) -> None:
    picture = "color=black:s=160x90:r=25:d=4,geq=lum='255*floor(T)/4':cb=128:cr=128"
    ffmpeg("-f", "lavfi", "-i", picture, *X264, tmp_path / "a.mp4")
    made = edit(tmp_path / "a.mp4", tmp_path / "out", "sheet", columns=2, rows=2, format=form).made
    with Image.open(made) as sheet:
        pixels = np.asarray(sheet.convert("L")).astype(int)
    height, width = pixels.shape
    seen = [
        pixels[height * (1 + 2 * row) // 4 - 40, width * (1 + 2 * column) // 4] for row in (0, 1) for column in (0, 1)
    ]
    assert seen == sorted(seen)
    assert seen[3] - seen[0] > 120


def test_a_clip_without_sound_is_worked_on(tmp_path: Path, flash: Path) -> None:
    ffmpeg("-i", flash, "-an", "-c", "copy", tmp_path / "silent.mp4")
    for name, given in {
        "cut": {"from_": "0.5", "to": "2"},
        "resize": {"width": 32},
        "fps": {"fps": 10},
        "turn": {},
        "frame": {},
        "gif": {},
        "sheet": {},
    }.items():
        made = edit(tmp_path / "silent.mp4", tmp_path / name, name, **given).made
        assert made.stat().st_size > 100
    assert flash_of(tmp_path / "cut" / "cut.mp4") == pytest.approx(0.5, abs=0.03)
    quick = edit(tmp_path / "silent.mp4", tmp_path / "out", "cut", from_="0.5", to="2", quick=True).made
    assert flash_of(quick) == pytest.approx(0.52, abs=0.005)
    with pytest.raises(MediaError, match="no sound track"):
        edit(tmp_path / "silent.mp4", tmp_path / "out", "audio")


def test_a_sound_alone_is_cut(tmp_path: Path, flash: Path) -> None:
    ffmpeg("-i", flash, "-vn", "-c:a", "flac", tmp_path / "a.flac")
    made = edit(tmp_path / "a.flac", tmp_path / "out", "cut", from_="0.5", to="2").made
    assert made.name == "cut.m4a"
    assert click_of(made) == pytest.approx(0.5, abs=0.004)
    for name in ("resize", "fps", "turn", "frame", "gif", "sheet"):
        with pytest.raises(MediaError, match="no picture") as caught:
            edit(tmp_path / "a.flac", tmp_path / "none", name, width=100, fps=10)
        assert caught.value.text is not None
        assert caught.value.text.key == "tool-no-picture"
    assert list((tmp_path / "none").iterdir()) == []


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    picture = "testsrc2=s=64x48:r=25:d=4,select='lt(mod(n\\,25)\\,2)'"
    coding = (*X264, "-fps_mode", "vfr", "-c:a", "aac")
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=3.2", *coding, tmp_path / "a.mp4")
    made = edit(tmp_path / "a.mp4", tmp_path / "out", "turn").made
    with av.open(str(made)) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert times == pytest.approx([0.0, 0.04, 1.0, 1.04, 2.0, 2.04, 3.0, 3.04], abs=0.001)
    # The picture that is shown at 1.5 s began at 1.04 s and stays until 2 s.
    made = edit(tmp_path / "a.mp4", tmp_path / "out", "cut", from_="1.5", to="2.3").made
    with av.open(str(made)) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert times == pytest.approx([0.0, 0.5, 0.54], abs=0.001)


def test_a_late_picture_stays_late(tmp_path: Path) -> None:
    ffmpeg(
        "-itsoffset",
        "0.8",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x48:r=25:d=2",
        "-f",
        "lavfi",
        "-i",
        "sine=d=3",
        *X264,
        "-c:a",
        "aac",
        tmp_path / "a.mp4",
    )
    made = edit(tmp_path / "a.mp4", tmp_path / "out", "resize", width=32).made
    with av.open(str(made)) as container:
        assert float(next(container.decode(video=0)).time or 0) == pytest.approx(0.8, abs=0.001)


@pytest.mark.parametrize(("size", "expected"), [("65x49", (64, 48)), ("1x1", (2, 2)), ("17x300", (16, 300))])
def test_odd_sizes_are_made_even(tmp_path: Path, size: str, expected: tuple[int, int]) -> None:
    ffmpeg(
        "-f", "lavfi", "-i", f"color=red:s={size}:r=5:d=1", "-c:v", "libx264", "-pix_fmt", "yuv444p", tmp_path / "a.mp4"
    )
    made = edit(tmp_path / "a.mp4", tmp_path / "out", "fps", fps=5).made
    assert picture_of(made)[:2] == expected
    with Image.open(edit(tmp_path / "a.mp4", tmp_path / "out", "frame").made) as picture:
        assert picture.size == tuple(map(int, size.split("x")))


def test_pictures_are_turned_as_they_are_played(tmp_path: Path, flash: Path) -> None:
    ffmpeg("-display_rotation", "90", "-i", flash, "-c", "copy", tmp_path / "turned.mp4")
    assert picture_of(edit(tmp_path / "turned.mp4", tmp_path / "out", "cut", to="1").made)[:2] == (48, 64)
    assert picture_of(edit(tmp_path / "turned.mp4", tmp_path / "out", "resize", width=24).made)[:2] == (24, 32)


def test_pixels_become_square(tmp_path: Path) -> None:
    clip = make_flash(tmp_path / "a.mp4", filters=",setsar=2")
    assert picture_of(edit(clip, tmp_path / "out", "cut", to="1").made)[:2] == (128, 48)
    with Image.open(edit(clip, tmp_path / "out", "frame").made) as picture:
        assert picture.size == (128, 48)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_pictures_for_hdr_screens_are_brought_to_ordinary_ones(tmp_path: Path, transfer: str) -> None:
    picture = "color=0x808080:s=64x48:r=5:d=1,setparams=color_trc=bt709:color_primaries=bt709:colorspace=bt709"
    picture += ",zscale=t=linear,format=gbrpf32le"
    picture += f",zscale=p=2020:t={transfer}:m=2020_ncl:r=limited:npl=203,format=yuv420p10le"
    quiet = ("-x265-params", "log-level=error")
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx265", "-preset", "ultrafast", *quiet, tmp_path / "a.mp4")
    made = edit(tmp_path / "a.mp4", tmp_path / "out", "frame")
    assert made.notes == (HDR_NOTE,)
    with Image.open(made.made) as still:
        assert np.asarray(still.convert("L")).mean() == pytest.approx(128, abs=8)


@pytest.mark.parametrize(
    ("name", "given", "key"),
    [
        ("cut", {"from_": "10", "to": "12"}, "tool-beyond-end"),
        ("cut", {"from_": "1", "to": "12"}, "tool-beyond-end"),
        ("cut", {"from_": "2.99"}, "tool-beyond-end"),
        ("frame", {"at": "3.1"}, "tool-beyond-end"),
        ("audio", {"from_": "4"}, "tool-beyond-end"),
        ("gif", {"from_": "4"}, "tool-beyond-end"),
        ("gif", {"from_": "1", "to": "20"}, "tool-beyond-end"),
    ],
)
def test_what_is_not_in_the_clip_is_refused(
    tmp_path: Path, flash: Path, name: str, given: dict[str, object], key: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        edit(flash, tmp_path / "out", name, **given)
    assert caught.value.text is not None
    assert caught.value.text.key == key
    assert list((tmp_path / "out").iterdir()) == []


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:d=1", "-c:v", "ffv1", tmp_path / "a.mkv")
    with pytest.raises(MediaError, match="ffv1"):
        edit(tmp_path / "a.mkv", tmp_path / "out", "turn")
    clip = make_flash(tmp_path / "b.webm", "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")
    with pytest.raises(MediaError, match="cannot be cut without") as caught:
        edit(clip, tmp_path / "out", "cut", to="1", quick=True)
    assert caught.value.text is not None
    assert caught.value.text.key == "tool-no-copy"
    assert list((tmp_path / "out").iterdir()) == []


def test_more_than_is_encoded_at_once_is_refused() -> None:
    check_work(1920 * 1080, 30, 3600)
    with pytest.raises(LimitError, match="at most 7:30"):
        check_work(3840 * 2160, 60, 3600)
