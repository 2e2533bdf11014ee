"""Speakers, and what their places mean."""

import pytest

from pipeline.audio.channels import CHANNEL_ORDER, LAYOUTS, default_layout, layout_of_mask


@pytest.mark.parametrize("name", LAYOUTS)
def test_channels_come_in_the_order_of_the_mask(name: str) -> None:
    layout = LAYOUTS[name]
    assert list(layout.channels) == sorted(layout.channels, key=CHANNEL_ORDER.index)
    assert layout_of_mask(layout.mask) == layout
    grouped = sorted(index for group in layout.groups for index in group)
    assert grouped == [index for index, channel in enumerate(layout.channels) if channel != "LFE"]


def test_no_two_layouts_are_one() -> None:
    assert len({layout.mask for layout in LAYOUTS.values()}) == len(LAYOUTS)
    assert layout_of_mask(1 << 12) is None


def test_the_default_of_a_number_of_channels_is_flac_s() -> None:
    assert [default_layout(count).name for count in range(1, 9)] == [
        *("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
    ]


def test_5_1_is_weighted_as_the_standards_say() -> None:
    layout = LAYOUTS["5.1"]
    assert layout.mask == 0x3F
    assert layout.centre == 2
    assert layout.groups == ((2,), (0, 1), (4, 5))
    assert layout.loudness_weights == (1, 1, 1, 0, 1.41, 1.41)
    assert layout.dialogue_weights == pytest.approx((0.7071, 0.7071, 1, 0, 0.5, 0.5), abs=1e-4)


def test_in_7_1_only_the_side_is_louder() -> None:
    assert LAYOUTS["7.1"].loudness_weights == (1, 1, 1, 0, 1, 1, 1.41, 1.41)


def test_mono_and_stereo_are_their_own_mean() -> None:
    assert default_layout(1).dialogue_weights == (1,)
    assert default_layout(1).centre is None
    assert default_layout(2).dialogue_weights == (0.5, 0.5)
    assert default_layout(1).loudness_weights == (1,)
    assert default_layout(2).loudness_weights == (1, 1)
