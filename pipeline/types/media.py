"""Files, sounds and pictures, as the stages hand them on."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class StemName(StrEnum):
    """The parts a clip's sound is taken into; background is all but the vocals."""

    VOCALS = "vocals"
    MUSIC = "music"
    SFX = "sfx"
    AMBIENT = "ambient"
    BACKGROUND = "background"


class SoundFormat(StrEnum):
    """A form in which the final mix may be wanted; the m4a is always made."""

    M4A = "m4a"
    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"
    OPUS = "opus"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """The sound track of a clip as its container declares it."""

    codec: str
    sample_rate: int
    channels: int
    layout: str
    start: float = 0.0
    """Seconds on the clip's clock of the first sample of the files that were made; not 0 in older results only."""
    lead_in: float = 0.0
    """Seconds of silence that stand in front of a sound that begins after the picture."""

    @property
    def is_there(self) -> bool:
        """Tell whether there is a sound at all; only tools for clips take those without one."""
        return self.channels > 0


NO_SOUND: Final = AudioStream(codec="", sample_rate=0, channels=0, layout="")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundTrack:
    """One of the sound tracks of a clip, as its container describes it."""

    number: int
    """Among the sound tracks, from 1."""
    codec: str
    channels: int = 0
    """0 where it is not known."""
    language: str = ""
    """As the container tells it, mostly ISO 639-2."""
    title: str = ""
    readable: bool = True
    """False: its codec is not decoded."""
    silent: bool = False
    """Found to be digitally silent; that is looked at only where another track may take its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream:
    """The picture of a clip as its container declares it."""

    codec: str
    width: int
    height: int
    frame_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """What probing a clip tells."""

    container: str
    duration: float
    audio: AudioStream
    """The sound track that is heard; `NO_SOUND` where there is none."""
    video: VideoStream | None = None
    track: int = 1
    """Number of the sound track that is heard."""
    tracks: tuple[SoundTrack, ...] = ()
    """All sound tracks; empty in results that were made before they were listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A file in the store: its name for people and the sha256 of its bytes."""

    name: str
    """Relative path for people, such as `stems/vocals.flac`."""
    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """How loud a sound is (ITU-R BS.1770, EBU R 128); None for silence, and for less than 0.4 s."""

    integrated: float | None
    """LUFS."""
    peak: float | None
    """The highest sample, dBFS."""
    range: float | None = None
    """Loudness range (EBU Tech 3342), LU."""
    true_peak: float | None = None
    """The highest point between the samples too, dBTP."""
