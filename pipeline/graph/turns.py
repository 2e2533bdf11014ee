"""What needs to know who speaks when; data only, so that the bot can tell before a job runs."""

from pipeline.mix.dub.params import needs_turns
from pipeline.types import Artefact, Request, Task


def mix_follows_turns(request: Request, dub: Artefact | None) -> bool:
    """Tell whether the mix of a request, with what replaces the vocals, depends on who speaks when."""
    ducks = request.ducking is not None and request.task is Task.ALL
    dubs = dub is not None and needs_turns(request, dub.name)
    return bool(request.speaker_gains) or ducks or dubs


def result_follows_turns(request: Request, dub: Artefact | None) -> bool:
    """Tell whether any sound of a result depends on who speaks when."""
    mixes = request.task in (Task.REMIX, Task.ALL) and mix_follows_turns(request, dub)
    return mixes or request.wants_speaker_stems
