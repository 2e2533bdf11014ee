"""Takes guesses back whose voice is not kept any longer: "perhaps" goes with the voice that it came from."""

from bot.database.repository import Repository
from bot.database.speaker_names import VOICE, SpeakerName
from bot.transcripts.naming import SpeakerNaming
from bot.voices.matches import VoiceMatches


class Guesses:
    """What was found by voice without being sure.

    Args:
        repository: Where the results are recorded.
        naming: Names speakers.
        matches: What was found.

    """

    def __init__(self, repository: Repository, naming: SpeakerNaming, matches: VoiceMatches) -> None:
        self._repository = repository
        self._naming = naming
        self._matches = matches

    async def clear(self) -> int:
        """Take back all guesses at people whose voice is not kept; return how many. Raises `DatabaseError`.

        What is interrupted can be repeated: a guess is forgotten after the speaker has another name.
        """
        written: dict[str, None] = {}
        guesses = await self._matches.outlived()
        for job_id, speaker_id in guesses:
            record = await self._repository.newest_of_message(job_id)
            if record is not None:
                name = (await self._naming.names(record)).get(speaker_id)
                if name is not None and name.by == VOICE:
                    await self._repository.speaker_names.give(record.id, {speaker_id: SpeakerName(name="")}, "")
                    written[record.id] = None
            await self._matches.take(job_id, speaker_id)
        await self._naming.write_all(list(written))
        return len(guesses)
