"""What the mix stage is told, as a request has it; no sound library is needed to say it."""

from typing import cast

import msgspec

from pipeline.graph.stage import StageMetadata
from pipeline.mix.presets import Ducking, LoudnessTarget
from pipeline.types import Loudness, MediaInfo, Request, SoundFormat

_SILENT = Loudness(integrated=None, peak=None)


class MixParams(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the mix stage."""

    voice: float
    background: float
    dub: bool
    audio_start: float
    """Seconds on the clip's clock of the first sample."""
    own: dict[str, float] = {}
    """Linear gains of music, sfx and ambient that differ from the background's."""
    speaker_gains: dict[str, float] = {}
    loudness: LoudnessTarget | None = None
    ducking: Ducking | None = None
    formats: tuple[SoundFormat, ...] = ()
    """Forms of the mix beside `final.m4a`."""
    original: Loudness = _SILENT
    vocals: Loudness = _SILENT


def mix_params(request: Request, media: MediaInfo, measured: dict[str, Loudness], *, dub: bool) -> StageMetadata:
    """The parameters for a request, as JSON."""
    given = {"music": request.music, "sfx": request.sfx, "ambient": request.ambient}
    params = MixParams(
        voice=request.voice,
        background=request.background,
        dub=dub,
        audio_start=media.audio.start,
        own={name: gain for name, gain in given.items() if gain is not None},
        speaker_gains=dict(request.speaker_gains),
        loudness=request.loudness,
        ducking=request.ducking,
        formats=tuple(sorted(set(request.formats) - {SoundFormat.M4A})),
        original=measured.get("original", _SILENT),
        vocals=measured.get("vocals", _SILENT),
    )
    return cast("StageMetadata", msgspec.to_builtins(params))
