"""Parts are given where they are known to be good, or asked for; people are told which are not."""

import pytest

from pipeline.separation import background_parts
from pipeline.separation.background_parts import choose_parts, explain_parts
from pipeline.types import BackgroundParts, Request, StemName

MUSIC, SFX, AMBIENT = StemName.MUSIC, StemName.SFX, StemName.AMBIENT


@pytest.fixture(autouse=True)
def only_ambience_is_good(monkeypatch):
    monkeypatch.setattr(background_parts, "PART_GAIN_DB", {MUSIC: 2.9, SFX: -1.0, AMBIENT: 3.0})


@pytest.mark.parametrize(
    ("request_", "parts"),
    [
        (Request(), (AMBIENT,)),
        (Request(parts=BackgroundParts.AUTO), (AMBIENT,)),
        (Request(parts=BackgroundParts.ALL), (MUSIC, SFX, AMBIENT)),
        (Request(parts=BackgroundParts.NONE, sfx=0.1), ()),
        (Request(sfx=0.1), (SFX, AMBIENT)),
        (Request(background=0.7, sfx=0.7), (AMBIENT,)),
    ],
)
def test_parts_are_chosen(request_, parts):
    assert choose_parts(request_) == parts


def test_what_is_withheld_or_rough_is_said():
    withheld = explain_parts(Request(), (AMBIENT,))
    assert withheld == [
        "Music and SFX stay in the background, since they are not told apart well enough yet; ask for all parts to "
        "have them anyway."
    ]
    rough = explain_parts(Request(parts=BackgroundParts.ALL), (MUSIC, SFX, AMBIENT))
    assert rough == ["Music and SFX are told apart only roughly."]
    assert explain_parts(Request(parts=BackgroundParts.NONE), ()) == []
