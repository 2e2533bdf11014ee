"""The parameters of the dub stage for a request."""

from pathlib import PurePosixPath

from pipeline.mix.contracts import DubParams
from pipeline.types import Artefact, Request

ZIP_SUFFIX = ".zip"


def is_zip(name: str) -> bool:
    """Tell by the name that a dub was sent under whether it is a zip of clips."""
    return PurePosixPath(name).suffix.lower() == ZIP_SUFFIX


def needs_turns(request: Request, name: str) -> bool:
    """Tell whether a dub of that name can be placed only when it is known who speaks when."""
    return is_zip(name) or bool(request.keep_vocals)


def dub_params(request: Request, dub: Artefact, *, max_size: int) -> DubParams:
    """Build the parameters of the dub stage.

    Unless something else is asked for, clips keep the vocals between the turns and a whole track does not.

    Args:
        request: What the person asked for.
        dub: What replaces the vocals.
        max_size: Bytes that the clips of a zip may have, unpacked.
    """
    zipped = is_zip(dub.name)
    return DubParams(
        zipped=zipped,
        stretch=request.dub_stretch,
        keep_vocals=zipped if request.keep_vocals is None else request.keep_vocals,
        max_size=max_size,
    )
