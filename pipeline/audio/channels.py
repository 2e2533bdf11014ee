"""Channel layouts: which speaker each channel of a sound is for.

Channels come in the order of WAVE and FLAC (RFC 9639, section 9.1.3): that of `CHANNEL_ORDER`, without
those that are not there. Names are ffmpeg's. How a clip's channels are brought to one of these layouts is
told by `pipeline.media.sound.channel_folding`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CHANNEL_ORDER = ("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR")
"""Speakers at the height of the ears, by the bits of WAVE's channel mask: front, back, side; left, right, centre."""

_LAYOUT_CHANNELS = (
    ("mono", "FC"),
    ("stereo", "FL FR"),
    ("2.1", "FL FR LFE"),
    ("3.0", "FL FR FC"),
    ("3.0(back)", "FL FR BC"),
    ("4.0", "FL FR FC BC"),
    ("quad", "FL FR BL BR"),
    ("quad(side)", "FL FR SL SR"),
    ("3.1", "FL FR FC LFE"),
    ("5.0", "FL FR FC BL BR"),
    ("5.0(side)", "FL FR FC SL SR"),
    ("4.1", "FL FR FC LFE BC"),
    ("5.1", "FL FR FC LFE BL BR"),
    ("5.1(side)", "FL FR FC LFE SL SR"),
    ("6.0", "FL FR FC BC SL SR"),
    ("6.0(front)", "FL FR FLC FRC SL SR"),
    ("hexagonal", "FL FR FC BL BR BC"),
    ("6.1", "FL FR FC LFE BC SL SR"),
    ("6.1(back)", "FL FR FC LFE BL BR BC"),
    ("6.1(front)", "FL FR LFE FLC FRC SL SR"),
    ("7.0", "FL FR FC BL BR SL SR"),
    ("7.0(front)", "FL FR FC FLC FRC SL SR"),
    ("7.1", "FL FR FC LFE BL BR SL SR"),
    ("7.1(wide)", "FL FR FC LFE BL BR FLC FRC"),
    ("7.1(wide-side)", "FL FR FC LFE FLC FRC SL SR"),
    ("octagonal", "FL FR FC BL BR BC SL SR"),
)
_FLAC_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""What FLAC means by one to eight channels. It does not tell 5.0 and 5.1 from 5.0(side) and 5.1(side)."""
_CHANNEL_GROUPS = (("FC",), ("FL", "FR"), ("FLC", "FRC"), ("SL", "SR"), ("BL", "BR"), ("BC",))
_FRONT_CHANNELS = ("FL", "FR", "FLC", "FRC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A channel layout by ffmpeg's name, with its speakers in order."""

    name: str
    channels: tuple[str, ...]

    @property
    def mask(self) -> int:
        """Return WAVE's channel mask."""
        return sum(1 << CHANNEL_ORDER.index(channel) for channel in self.channels)

    @property
    def centre(self) -> int | None:
        """Return the index of the centre channel; None for mono and where there is none."""
        return self.channels.index("FC") if len(self.channels) > 1 and "FC" in self.channels else None

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Return the indices of the channels that belong together: centre, then pairs from front to back; no LFE."""
        groups = (tuple(name for name in group if name in self.channels) for group in _CHANNEL_GROUPS)
        return tuple(tuple(map(self.channels.index, group)) for group in groups if group)

    @property
    def loudness_weights(self) -> tuple[float, ...]:
        """Return the weights of the channels' powers (ITU-R BS.1770-5, tables 3 and 4).

        They are 1.41 for 60° to 120° to the side. The surround channels of 5.1 stand at 110°; in 7.1 the side ones
        stand at 90° and the back ones behind.
        """
        beside = ("SL", "SR") if "SL" in self.channels else ("BL", "BR")
        return tuple(0.0 if name == "LFE" else 1.41 if name in beside else 1.0 for name in self.channels)

    @property
    def dialogue_weights(self) -> tuple[float, ...]:
        """Return the weights of a mix to mono, without the LFE.

        They are the mean for stereo, and those of ITU-R BS.775 (table 2) for more channels.
        """
        if len(self.channels) <= 2:
            return (1 / len(self.channels),) * len(self.channels)
        return tuple(_dialogue_weight(name) for name in self.channels)


def _dialogue_weight(name: str) -> float:
    if name == "LFE":
        return 0.0
    return 1.0 if name == "FC" else 0.5**0.5 if name in _FRONT_CHANNELS else 0.5


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {name: Layout(name=name, channels=tuple(channels.split())) for name, channels in _LAYOUT_CHANNELS}
)


def default_layout(channels: int) -> Layout:
    """Return the layout that FLAC means by a number of channels from 1 to 8."""
    return LAYOUTS[_FLAC_LAYOUTS[channels - 1]]


def layout_of_mask(mask: int) -> Layout | None:
    """Return the layout of a WAVE channel mask; None for one that is not among `LAYOUTS`."""
    return next((layout for layout in LAYOUTS.values() if layout.mask == mask), None)
