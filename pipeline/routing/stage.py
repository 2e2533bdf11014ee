"""The stage `route`: measures the sound of a clip and chooses its route."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.audio.polarity import INVERTED_NOTE
from pipeline.graph.stage import StageContext
from pipeline.routing.contracts import RouteInputs, RouteOutput, RouteParams
from pipeline.routing.decision import choose_route, is_basic
from pipeline.routing.features import ContentShares, measure_shares

SOFT_NOTE = "The sound is very soft, so less may be found in it. A louder recording gives better results."


def route_stage(context: StageContext, inputs: RouteInputs[Path], params: RouteParams) -> RouteOutput:
    """Choose the route of a clip; its sound is measured unless the basic route is certain.

    Raises:
        MediaError: The sound cannot be read.
    """
    shares = None if is_basic(params) else measure_shares(inputs.sound, context.report)
    route = choose_route(params, shares)
    context.report(1.0)
    return RouteOutput(route=route, notes=() if shares is None else tuple(_notes(shares)))


def _notes(shares: ContentShares) -> Iterator[str]:
    if shares.is_soft:
        yield SOFT_NOTE
    if shares.is_inverted:
        yield INVERTED_NOTE
