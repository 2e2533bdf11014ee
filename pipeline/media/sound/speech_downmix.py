"""Which channels of a surround sound speech models are given.

In film and television dialogue lies in the centre. Where the centre has most of the power in the speech band,
the other channels are turned down, not left out: somebody who speaks from the side while the centre is
silent is still heard. Else all channels are mixed as for one loudspeaker.
"""

from dataclasses import dataclass

from pipeline.audio.channels import Layout
from pipeline.audio.levels import ChannelLevels

MIN_CENTRE_SHARE = 0.5
"""Part of the power in the speech band from which the centre is listened to."""
OTHER_CHANNELS_GAIN = 0.25
"""Gain of the other channels then, linear (-12 dB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSelection:
    """The gain of each channel in the mono sound, and a note about it."""

    weights: tuple[float, ...]
    note: str = ""


def select_channels(layout: Layout, levels: ChannelLevels) -> ChannelSelection:
    """Choose the gains for a sound with more than two channels; their sum is never louder than full scale."""
    weights = layout.dialogue_weights
    heard = sum(levels.speech_power)
    note = "Speech is listened to in all channels but the LFE, since the centre does not have most of it."
    if layout.centre is not None and heard > 0 and levels.speech_power[layout.centre] >= MIN_CENTRE_SHARE * heard:
        weights = tuple(
            gain * (1.0 if index == layout.centre else OTHER_CHANNELS_GAIN) for index, gain in enumerate(weights)
        )
        note = "Speech is listened to in the centre channel, which has most of it; the others are 12 dB down."
    audible = sum(weight for index, weight in enumerate(weights) if not levels.is_silent(index))
    return ChannelSelection(weights=tuple(weight / max(1.0, audible) for weight in weights), note=note)
