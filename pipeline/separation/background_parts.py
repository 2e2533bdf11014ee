"""Which parts of a background are given, and what is said of those that are not."""

from collections.abc import Sequence

from pipeline.separation.engines.background import BACKGROUND_PARTS, MIN_PART_GAIN_DB, PART_GAIN_DB
from pipeline.types import BackgroundParts, Request, StemName

PART_TITLES = {StemName.MUSIC: "music", StemName.SFX: "SFX", StemName.AMBIENT: "ambience"}
"""What parts are called in a sentence."""


def choose_parts(request: Request) -> tuple[StemName, ...]:
    """Choose the parts of a background that are given.

    By default these are the ones that the network was measured to be good at, and those that have a gain of their own
    in the mix.
    """
    asked = request.wanted_parts
    if asked is BackgroundParts.NONE:
        return ()
    gains = {StemName.MUSIC: request.music, StemName.SFX: request.sfx, StemName.AMBIENT: request.ambient}
    return tuple(
        part
        for part in BACKGROUND_PARTS
        if asked is BackgroundParts.ALL or _is_good(part) or gains[part] not in (None, request.background)
    )


def explain_parts(request: Request, given: Sequence[StemName]) -> list[str]:
    """Say in sentences for people which parts were not made, and which are rough."""
    if request.wanted_parts is BackgroundParts.NONE:
        return []
    sentences: list[str] = []
    if withheld := [part for part in BACKGROUND_PARTS if part not in given]:
        sentences.append(
            f"{_listed(withheld)} {_stay(withheld)} in the background, since they are not told apart well enough yet; "
            "ask for all parts to have them anyway."
        )
    if rough := [part for part in given if not _is_good(part)]:
        sentences.append(f"{_listed(rough)} {_are(rough)} told apart only roughly.")
    return sentences


def explain_silent(silent: Sequence[StemName]) -> list[str]:
    """Say which parts are not there because the clip has none of them."""
    return [f"There is no stem of {PART_TITLES[part]}: none was heard in the background." for part in silent]


def _is_good(part: StemName) -> bool:
    return PART_GAIN_DB[part] >= MIN_PART_GAIN_DB


def _listed(parts: Sequence[StemName]) -> str:
    """List parts at the beginning of a sentence."""
    *most, last = (PART_TITLES[part] for part in parts)
    text = f"{', '.join(most)} and {last}" if most else last
    return text[0].upper() + text[1:]


def _stay(parts: Sequence[StemName]) -> str:
    return "stay" if len(parts) > 1 or parts[0] is StemName.SFX else "stays"


def _are(parts: Sequence[StemName]) -> str:
    return "are" if len(parts) > 1 or parts[0] is StemName.SFX else "is"
