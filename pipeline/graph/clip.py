"""The graph of a tool for clips: one file out of a clip.

probe ─ edit_clip
probe ─ (what a transcript takes) ─ burn_captions
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pipeline.graph.context import GraphContext
from pipeline.graph.result import build_result
from pipeline.graph.speech import Speech
from pipeline.media.tools.contracts import (
    BURN_CAPTIONS,
    EDIT_CLIP,
    BurnCaptionsInputs,
    BurnCaptionsParams,
    EditClipInputs,
    EditClipParams,
)
from pipeline.media.tools.refusals import no_picture
from pipeline.types import BurnCaptions, ClipTool, MediaInfo, Result, Route, RouteName

_ROUTE = Route(
    name=RouteName.BASIC,
    engine="ffmpeg",
    model=None,
    reason="A tool for clips takes no sound apart.",
    asked=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Who says what in a clip, and how it was found out."""

    route: Route
    speech: Speech


async def use_tool(
    context: GraphContext, media: MediaInfo, tool: ClipTool, *, hear: Callable[[], Awaitable[Heard]]
) -> Result:
    """Make what a tool makes of a clip.

    Args:
        context: The job.
        media: What was found of the clip.
        tool: The tool.
        hear: Finds out who says what, which captions need.

    Raises:
        MediaError: The clip lacks what the tool needs.
        AudioProcessingError: A stage failed.
    """
    track = media.track if media.audio.is_there else None
    if not isinstance(tool, BurnCaptions):
        inputs, params = EditClipInputs(source=context.source), EditClipParams(tool=tool, track=track)
        made = await context.run(EDIT_CLIP, inputs, params)
        return build_result(context, media, _ROUTE, (made.made,))
    if media.video is None:
        raise no_picture()
    heard = await hear()
    made = await context.run(
        BURN_CAPTIONS,
        BurnCaptionsInputs(source=context.source, transcript=heard.speech.transcript),
        BurnCaptionsParams(tool=tool, track=track),
    )
    return build_result(context, media, heard.route, (made.made, *heard.speech.artefacts), heard.speech)
