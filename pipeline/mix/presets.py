"""Data of what a mix can be: presets of gains, loudness targets, ducking.

Loudness targets: -14 LUFS is what most music and video services play at, -16 LUFS is
AES TD1008's for talk, -23 LUFS is EBU R 128's and -24 LUFS (LKFS) ATSC A/85's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class MixPreset(StrEnum):
    """A named combination of gains and loudness; its settings are in `MIXES`."""

    ORIGINAL = "original"
    PODCAST = "podcast"
    CINEMA = "cinema"
    KARAOKE = "karaoke"
    CLEAN_DIALOGUE = "clean-dialogue"


class LoudnessTarget(StrEnum):
    """How loud the final mix is to be; the numbers are in `LOUDNESS`."""

    ORIGINAL = "original"
    STREAMING = "streaming"
    PODCAST = "podcast"
    BROADCAST = "broadcast"
    BROADCAST_US = "broadcast-us"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ducking:
    """How the background is turned down while somebody speaks."""

    depth: float
    """dB, above 0."""
    attack: float = 0.2
    """Seconds from full level to ducked; the way down ends where the speech begins."""
    release: float = 0.6
    """Seconds from ducked to full level, after the speech."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixSettings:
    """The settings of a preset; options that a person gives take precedence."""

    good_for: str
    voice: float = 1.0
    """Linear gain of the vocals."""
    background: float = 0.7
    """Linear gain of everything else."""
    loudness: LoudnessTarget | None = None
    ducking: Ducking | None = None


DEFAULT_MIX = MixSettings(good_for="the voice a little in front")
"""Without a preset."""

MIXES: Mapping[MixPreset, MixSettings] = MappingProxyType(
    {
        MixPreset.ORIGINAL: MixSettings(good_for="the clip as it was", background=1.0),
        MixPreset.PODCAST: MixSettings(
            good_for="talk that is easy to follow anywhere",
            background=0.5,
            loudness=LoudnessTarget.PODCAST,
            ducking=Ducking(depth=9.0),
        ),
        MixPreset.CINEMA: MixSettings(
            good_for="film sound with its full range, the dialogue 2 dB in front",
            voice=10 ** (2 / 20),
            background=1.0,
            loudness=LoudnessTarget.BROADCAST,
        ),
        MixPreset.KARAOKE: MixSettings(
            good_for="no vocals, as loud as the original", voice=0.0, background=1.0, loudness=LoudnessTarget.ORIGINAL
        ),
        MixPreset.CLEAN_DIALOGUE: MixSettings(
            good_for="the voices alone", background=0.0, loudness=LoudnessTarget.PODCAST
        ),
    }
)

LOUDNESS: Mapping[LoudnessTarget, float] = MappingProxyType(
    {
        LoudnessTarget.STREAMING: -14.0,
        LoudnessTarget.PODCAST: -16.0,
        LoudnessTarget.BROADCAST: -23.0,
        LoudnessTarget.BROADCAST_US: -24.0,
    }
)
"""Integrated loudness in LUFS; that of `ORIGINAL` is measured."""
TRUE_PEAK = -1.0
"""dBTP that a mix with a loudness target never goes above (EBU R 128)."""
MAX_DUCKING = 40.0
"""dB."""
MAX_FADE = 5.0
"""Seconds of attack or release."""
MAX_DUB_STRETCH = 40.0
"""Per cent."""
