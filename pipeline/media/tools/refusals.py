"""What a tool cannot make of a clip, said with a message that exists in every language of the interface."""

from typing import TYPE_CHECKING, NoReturn

from pipeline.clip_options import MIN_STRETCH_SECONDS, format_time
from pipeline.errors import LimitError, MediaError, ValidationError
from pipeline.types import TextReference, VideoStream

if TYPE_CHECKING:
    from pipeline.media.probe import Probe

MAX_ENCODED_PIXELS = 1920 * 1080 * 30 * 3600
"""Pixels of all pictures together that are encoded again at most: an hour of 1080p."""


def check_time(clip: "Probe", at: float) -> None:
    """Raise `ValidationError` for a time (seconds) at or after the end of a clip."""
    if at >= clip.media.duration:
        raise ValidationError(
            f"The clip lasts {format_time(clip.media.duration)}, so there is nothing at {format_time(at)}.",
            hint="Choose an earlier time.",
            text=TextReference(
                key="tool-beyond-end",
                values={"at": format_time(at), "length": format_time(clip.media.duration)},
            ),
        )


def check_stretch(clip: "Probe", start: float, end: float | None) -> float:
    """Check that a stretch lies within a clip, and return where it ends (seconds).

    An end that is named may lie beyond that of the clip by less than a second, as players round its length up.

    Raises:
        ValidationError: It begins or ends after the clip.
    """
    duration = clip.media.duration
    check_time(clip, start)
    if end is not None and end >= duration + 1.0:
        check_time(clip, end)
    end = duration if end is None else min(end, duration)
    if end - start < MIN_STRETCH_SECONDS:
        check_time(clip, duration)
    return end


def no_picture() -> MediaError:
    """Return the error for a clip without a picture."""
    return MediaError("The clip has no picture.", hint="Choose a video.", text=TextReference(key="tool-no-picture"))


def need_picture(clip: "Probe") -> VideoStream:
    """Return the picture of a clip. Raises `MediaError` for one without."""
    if clip.media.video is None:
        raise no_picture()
    return clip.media.video


def need_sound(clip: "Probe") -> None:
    """Raise `MediaError` for a clip without a sound."""
    if not clip.media.audio.is_there:
        raise MediaError(
            "The file has no sound track.", hint="Send a clip with sound.", text=TextReference(key="tool-no-sound")
        )


def refuse_codec(codec: str) -> NoReturn:
    """Raise `MediaError` for pictures of a kind that is not decoded."""
    raise MediaError(
        f"Pictures of this kind ({codec}) are not decoded.",
        hint="Convert the clip to mp4 and try again.",
        text=TextReference(key="tool-codec", values={"codec": codec}),
    )


def refuse_damaged(detail: str = "") -> NoReturn:
    """Raise `MediaError` for a picture that cannot be decoded."""
    raise MediaError(
        "The picture of this clip cannot be decoded.",
        hint="Convert the clip to mp4 with another program and try again.",
        detail=detail,
        text=TextReference(key="tool-damaged"),
    )


def check_steady(clip: "Probe") -> None:
    """Raise `MediaError` for a clip whose clock starts again, so that no picture can be found by its time."""
    if clip.restarts:
        raise MediaError(
            "The clip is several recordings put together, so no picture can be found by its time.",
            hint="Export the clip again with another program and try again.",
            text=TextReference(key="tool-joined"),
        )


def check_work(pixels: int, rate: float, seconds: float) -> None:
    """Raise `LimitError` for more picture than is encoded in one go.

    Args:
        pixels: Of one picture, before or after, whichever is larger.
        rate: Pictures a second.
        seconds: Of the clip.
    """
    if pixels * max(1.0, rate) * seconds > MAX_ENCODED_PIXELS:
        length = format_time(float(int(MAX_ENCODED_PIXELS / (pixels * max(1.0, rate)))))
        raise LimitError(
            f"This is too much picture to encode at once: at this size and rate, at most {length}.",
            hint="Cut a shorter stretch first, or choose a smaller size.",
            text=TextReference(key="tool-too-much", values={"length": length}),
        )
