"""Decides on a route from the measured shares, and says why.

The rule:

    shorter than 5 minutes and the budget is low  → basic: the sound is extracted, nothing more
    else most of it is talk                       → dialogue
    else                                          → cinematic
"""

from pipeline.catalog import MODELS, PRESETS
from pipeline.routing.contracts import RouteParams
from pipeline.routing.features import ContentShares
from pipeline.types import Budget, Preset, Rejected, Route, RouteName

MAX_BASIC_SECONDS = 5 * 60.0
"""Length of a clip below which a low budget means the basic route."""
MIN_DIALOGUE_SPEECH_SHARE = 0.5
"""Share of speech from which a clip counts as dialogue."""
MIN_DOMINANT_MUSIC_SHARE = 0.6
"""Share of music from which music may dominate, ..."""
MAX_DOMINANT_MUSIC_SPEECH_SHARE = 0.3
"""... if the share of speech is below this, or if the preset has a separator for music under talk."""


def is_basic(params: RouteParams) -> bool:
    """Return whether the basic route is certain without any measurement."""
    if params.asked is not None:
        return params.asked is RouteName.BASIC
    return params.budget is Budget.LOW and params.duration < MAX_BASIC_SECONDS


def choose_route(params: RouteParams, shares: ContentShares | None) -> Route:
    """Choose the route, its engine and its model.

    Args:
        params: The clip's length and what the person asked for.
        shares: What was measured; may be None when `is_basic`.

    Returns:
        The route with the reason for it and the reasons against the others.
    """
    name, reason = _decide(params, shares)
    if shares is not None and name is not RouteName.BASIC and _music_dominates(name, params.preset, shares):
        model = PRESETS[params.preset].music_separation
        reason += f" Music is heard in {shares.music:.0%} of it, so a separator that knows music is used."
    else:
        model = PRESETS[params.preset].separation.get(name)
    measurements = {"duration": round(params.duration, 3)}
    if shares is not None:
        measurements |= {"audible": shares.audible, "speech": shares.speech, "music": shares.music}
    return Route(
        name=name,
        engine="ffmpeg" if model is None else MODELS[model].engine,
        model=model,
        reason=reason,
        asked=params.asked is not None,
        measurements=measurements,
        rejected=tuple(
            Rejected(name=other, reason=_reason_against(other, name, params, shares))
            for other in RouteName
            if other is not name
        ),
    )


def _decide(params: RouteParams, shares: ContentShares | None) -> tuple[RouteName, str]:
    """Choose the route and give the reason as one sentence."""
    if params.asked is not None:
        return params.asked, f"The {params.asked} route was asked for."
    if is_basic(params):
        return RouteName.BASIC, "The clip is shorter than 5 minutes and the budget is low."
    if shares is None or shares.audible == 0:
        return RouteName.BASIC, "The clip is silent, so there is nothing to take apart."
    speech = f"Speech is heard in {shares.speech:.0%} of the clip"
    if shares.speech >= MIN_DIALOGUE_SPEECH_SHARE:
        return RouteName.DIALOGUE, f"{speech}, so it is taken as dialogue."
    return RouteName.CINEMATIC, f"{speech}, so it is taken as film rather than dialogue."


def _reason_against(other: RouteName, chosen: RouteName, params: RouteParams, shares: ContentShares | None) -> str:
    """Say in one sentence why a route was not taken."""
    if params.asked is not None:
        return f"The {chosen} route was asked for."
    if other is RouteName.BASIC:
        return "The budget is not low." if params.budget is not Budget.LOW else "The clip is longer than 5 minutes."
    if shares is None or chosen is RouteName.BASIC:
        return "The sound is not taken apart on the basic route."
    if other is RouteName.DIALOGUE:
        return f"Speech is heard in less than {MIN_DIALOGUE_SPEECH_SHARE:.0%} of the clip."
    return f"Speech is heard in {MIN_DIALOGUE_SPEECH_SHARE:.0%} of the clip or more."


def _music_dominates(name: RouteName, preset: Preset, shares: ContentShares) -> bool:
    """Return whether there is enough music for the preset's music separator."""
    little_speech = name is RouteName.CINEMATIC and shares.speech < MAX_DOMINANT_MUSIC_SPEECH_SHARE
    return shares.music >= MIN_DOMINANT_MUSIC_SHARE and (little_speech or PRESETS[preset].music_under_talk)
