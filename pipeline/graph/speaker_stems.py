"""The part of the graph that gives each speaker a track."""

from dataclasses import dataclass

from pipeline.graph.context import GraphContext, renamed
from pipeline.graph.speech import Speech
from pipeline.graph.stage import NoParams
from pipeline.speaker_stems.contracts import SPLIT_SPEAKERS, SplitSpeakersInputs
from pipeline.types import Artefact, SpeakerStem

NOT_APART = "The sound was not taken apart, so there is no track for each speaker."
NOBODY_KNOWN = "It is not known who speaks, so there is no track for each speaker."


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerStems:
    """The tracks of the speakers."""

    stems: tuple[SpeakerStem, ...] = ()
    artefacts: tuple[Artefact, ...] = ()
    """What is delivered."""


async def split_speakers(context: GraphContext, vocals: Artefact | None, speech: Speech | None) -> SpeakerStems:
    """Give each speaker a track, where that is asked for; a note says why where there is none.

    Like a mix that goes by who speaks when, the tracks follow edits only where they are to.

    Raises:
        AudioProcessingError: The stage failed.
    """
    if not context.request.wants_speaker_stems:
        return SpeakerStems()
    if vocals is None or speech is None:
        context.log.notes.append(NOT_APART if vocals is None else NOBODY_KNOWN)
        return SpeakerStems()
    made = await context.run(SPLIT_SPEAKERS, SplitSpeakersInputs(vocals=vocals, voices=speech.turn_voices), NoParams())
    files = tuple(renamed(file, f"stems/{file.name}") for file in made.stems)
    stems = zip(made.speakers, files, strict=True)
    return SpeakerStems(
        stems=tuple(SpeakerStem(speaker=speaker, file=file.name) for speaker, file in stems),
        artefacts=(*files, *(() if made.shares is None else (made.shares,))),
    )
