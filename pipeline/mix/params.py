"""The parameters of the mix stage for a request."""

from collections.abc import Mapping

from pipeline.mix.contracts import SILENT, MixParams
from pipeline.types import Loudness, Request, SoundFormat, StemName


def mix_params(request: Request, measured: Mapping[str, Loudness], *, dub: bool) -> MixParams:
    """Build the parameters of the mix stage.

    Args:
        request: What the person asked for.
        measured: Loudness by `original` and the name of the stem.
        dub: Whether the person sent a dub.
    """
    given = {StemName.MUSIC: request.music, StemName.SFX: request.sfx, StemName.AMBIENT: request.ambient}
    return MixParams(
        voice=request.voice,
        background=request.background,
        dub=dub,
        stem_gains={name: gain for name, gain in given.items() if gain is not None},
        speaker_gains=dict(request.speaker_gains),
        loudness=request.loudness,
        ducking=request.ducking,
        formats=tuple(sorted(set(request.formats) - {SoundFormat.M4A})),
        original=measured.get("original", SILENT),
        vocals=measured.get("vocals", SILENT),
    )
