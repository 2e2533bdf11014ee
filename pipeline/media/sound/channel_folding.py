"""ffmpeg filters that bring the channels of a clip to one of the layouts of `pipeline.audio.channels`.

The master keeps the clip's channels as they are, up to the eight of a FLAC. What no FLAC can
hold is brought, by the speakers' names, to the layout nearest to it: channels above and below
the listener fold into those at the height of the ears, at -3 dB if those have a sound of their own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pipeline.audio.channels import CHANNEL_ORDER, LAYOUTS, Layout, default_layout

MAX_FLAC_CHANNELS = 8
"""Channels of a FLAC."""
_FOLD_GAIN = 0.5**0.5

_FOLD_TARGETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("FL", "TFL", "BFL", "WL", "DL", "BIL"), ("FL", "FC")),
        **dict.fromkeys(("FR", "TFR", "BFR", "WR", "DR", "BIR"), ("FR", "FC")),
        **dict.fromkeys(("FC", "TFC", "BFC"), ("FC", "FL FR")),
        **dict.fromkeys(("LFE", "LFE2"), ("LFE",)),
        **dict.fromkeys(("SL", "TSL", "SDL", "SSL"), ("SL", "BL", "FL")),
        **dict.fromkeys(("SR", "TSR", "SDR", "SSR"), ("SR", "BR", "FR")),
        **dict.fromkeys(("BL", "TBL", "TTL"), ("BL", "SL", "BC", "FL")),
        **dict.fromkeys(("BR", "TBR", "TTR"), ("BR", "SR", "BC", "FR")),
        **dict.fromkeys(("BC", "TBC"), ("BC", "BL BR", "SL SR", "FL FR")),
        "FLC": ("FLC", "FL FC", "FL"),
        "FRC": ("FRC", "FR FC", "FR"),
        "TC": ("FC", "FL FR"),
    }
)
"""Where a speaker's sound goes, the best places first; two places share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMapping:
    """The layout of the master and the filter that brings the channels of a clip to it."""

    layout: Layout
    filter: str
    """For ffmpeg."""
    note: str = ""
    """One sentence for the person when the channels are not passed on as they are."""


def map_channels(name: str, speakers: Sequence[str]) -> ChannelMapping:
    """Choose how the channels of a clip become those of its master.

    Args:
        name: ffmpeg's name of the clip's layout.
        speakers: ffmpeg's names of the speakers, in the order of the channels.
    """
    count = len(speakers)
    kept = next((layout for layout in LAYOUTS.values() if layout.channels == tuple(speakers)), None)
    if kept is not None:
        return ChannelMapping(layout=kept, filter=f"aformat=channel_layouts={kept.name}")
    if count <= 2:
        return ChannelMapping(layout=default_layout(count), filter=_identity_pan(count))
    if speakers[0].startswith("AMBI"):
        return _decode_ambisonics(name)
    if not all(speaker in _FOLD_TARGETS for speaker in speakers):
        return _map_unnamed(count)
    return _fold(name, speakers)


def place_channels(layout: Layout, target: Layout) -> str:
    """Build the ffmpeg filter that brings a voice on its own, such as a dub, from one layout to another.

    One channel goes to the centre, and at its own level to both sides where there is no centre: ffmpeg
    would take 3 dB off. Two channels go to the front. Any other layout is mixed by ffmpeg's matrix.
    """
    count, names = len(layout.channels), target.channels
    if count > 2 or len(names) == 1 or layout == target:
        return f"aformat=channel_layouts={target.name}"
    voices = {"FC": "c0"} if count == 1 and "FC" in names else {"FL": "c0", "FR": f"c{count - 1}"}
    return "|".join((f"pan={target.name}", *(f"{name}={voices.get(name, '0*c0')}" for name in names)))


def _decode_ambisonics(name: str) -> ChannelMapping:
    """Decode two virtual cardioids to the left and the right from the channels W and Y (ACN, SN3D)."""
    return ChannelMapping(
        layout=default_layout(2),
        filter="pan=stereo|c0=0.5*c0+0.5*c1|c1=0.5*c0-0.5*c1",
        note=f"The clip's surround sound ({name}) is taken as stereo.",
    )


def _map_unnamed(count: int) -> ChannelMapping:
    """Map the channels of a clip that gives only their number."""
    if count > MAX_FLAC_CHANNELS:
        parts = "+".join(f"{1 / count:.6f}*c{index}" for index in range(count))
        return ChannelMapping(
            layout=default_layout(1),
            filter=f"pan=mono|c0={parts}",
            note=f"The clip does not say what its {count} channels are for, so they are mixed to one.",
        )
    layout = default_layout(count)
    return ChannelMapping(
        layout=layout,
        filter=_identity_pan(count),
        note=f"The clip does not say what its {count} channels are for; they are taken as {layout.name}.",
    )


def _identity_pan(count: int) -> str:
    return "|".join((f"pan={default_layout(count).name}", *(f"c{index}=c{index}" for index in range(count))))


def _fold(name: str, speakers: Sequence[str]) -> ChannelMapping:
    layout = _nearest_layout(speakers)
    gains: dict[str, dict[int, float]] = {channel: {} for channel in layout.channels}
    for index, speaker in enumerate(speakers):
        places = next(
            (group.split() for group in _FOLD_TARGETS[speaker] if set(group.split()) <= set(layout.channels)),
            [] if speaker.startswith("LFE") else list(layout.channels[:2]),
        )
        own = len(places) == 1 and (places[0] == speaker or places[0] not in speakers)
        for place in places:
            gains[place][index] = 1.0 if own else _FOLD_GAIN
    highest = max(sum(gains[channel].values()) for channel in gains)
    scale = min(1.0, 1 / highest)
    rows = (_pan_channel(channel, gains[channel] or {0: 0.0}, scale) for channel in layout.channels)
    moved = set(speakers) != set(layout.channels)
    quieter = f", {-20 * math.log10(scale):.0f} dB quieter so that nothing clips" if scale < 1 else ""
    return ChannelMapping(
        layout=layout,
        filter="|".join((f"pan={layout.name}", *rows)),
        note=f"The clip's {len(speakers)} channels ({name}) were brought to {layout.name}{quieter}." if moved else "",
    )


def _nearest_layout(speakers: Sequence[str]) -> Layout:
    """Find the layout with the most of the speakers and, among such, the fewest others."""
    level = {speaker for speaker in speakers if speaker in CHANNEL_ORDER}
    return min(LAYOUTS.values(), key=lambda layout: (-len(level & {*layout.channels}), len(layout.channels)))


def _pan_channel(channel: str, gains: Mapping[int, float], scale: float) -> str:
    """Write one channel of ffmpeg's `pan`."""
    return f"{channel}=" + "+".join(f"{gain * scale:.6f}*c{index}" for index, gain in gains.items())
