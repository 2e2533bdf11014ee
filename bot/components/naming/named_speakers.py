"""The speakers of a result as people see and name them, and who may do so."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot import discord_limits
from bot.database.models import JobRecord
from bot.database.speaker_names import SpeakerName
from bot.exceptions import RefusedError
from bot.i18n.translator import Translator
from bot.permissions import check_may_act, check_may_see, may_act
from bot.retry import ack_deadline
from bot.services import Interaction
from bot.voices.matches import VoiceMatch
from bot.voices.voices import valid_matches
from pipeline.types import Result, Speaker

MAX_PAGES: Final = 5
"""Forms for one result, of five speakers each."""
TOKEN_CHARS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSpeakers:
    """The speakers in the newest result of a message."""

    job_id: str
    """The job of the button that was pressed."""
    record: JobRecord
    result: Result
    names: Mapping[str, SpeakerName]
    """What people called them, by id."""
    may_name: bool
    """Whether the person may name others."""
    matches: Mapping[str, VoiceMatch] = field(default_factory=dict[str, VoiceMatch])
    """Whom speakers were found to be by their voice, as long as nobody answered."""
    has_book: bool = False
    """Whether the server has a voice-book."""

    @property
    def speakers(self) -> Sequence[Speaker]:
        """Those that there is room for."""
        return self.result.speakers[: MAX_PAGES * discord_limits.MAX_MODAL_FIELDS]

    @property
    def pages(self) -> int:
        """How many lists of five there are."""
        return -(-len(self.speakers) // discord_limits.MAX_MODAL_FIELDS)

    def page(self, number: int) -> Sequence[Speaker]:
        """Return the speakers of one list. Raises `RefusedError` when there are none."""
        speakers = speakers_on_page(self.speakers, number)
        if not speakers:
            raise RefusedError("no-such-part")
        return speakers

    def find(self, token: str) -> Speaker:
        """Return the speaker of a custom id. Raises `RefusedError` when there is none."""
        speaker = next((each for each in self.speakers if token_of(each.id) == token), None)
        if speaker is None:
            raise RefusedError("no-such-part")
        return speaker

    def page_of(self, speaker: Speaker) -> int:
        """Return the number of the list that a speaker is in."""
        return self.speakers.index(speaker) // discord_limits.MAX_MODAL_FIELDS

    def person_of(self, speaker: Speaker) -> str:
        """Return the id of who a speaker is; empty where nobody said."""
        given = self.names.get(speaker.id)
        return "" if given is None else given.user_id

    def name_of(self, speaker: Speaker, translator: Translator) -> str:
        """Return what a speaker is called now, also while the files are still written again."""
        given = self.names.get(speaker.id)
        if given is None:
            return speaker.name
        number = self.speakers.index(speaker) + 1
        return given.name or translator.format("page-speaker-number", number=number)


async def open_speakers(interaction: Interaction, job_id: str, *, to_name: bool = False) -> NamedSpeakers:
    """Open the newest result in the message of a job for a person who sees it.

    Args:
        interaction: The button or form.
        job_id: The job.
        to_name: Whether the person must be allowed to name others.

    Raises:
        RefusedError: The result is gone or not visible, or not the person's to change.
        AckTimeoutError: It could not be found in time.

    """
    services = interaction.client.services
    async with ack_deadline():
        entry = await services.history.find(job_id)
        record = await services.repository.newest_of_message(job_id)
        names = {} if record is None else await services.naming.names(record)
        voices = interaction.client.voices
        matches = {} if record is None else valid_matches(names, await voices.matches.of(record.id))
        has_book = record is not None and await voices.books.is_enabled(record.guild_id)
    if entry is None or record is None or record.result is None:
        raise RefusedError("result-gone", "result-gone-hint")
    if to_name:
        check_may_act(interaction, entry.job.reply_to, "not-yours")
    check_may_see(interaction, entry.job.reply_to)
    if not record.result.speakers:
        raise RefusedError("no-such-part")
    return NamedSpeakers(
        job_id=job_id,
        record=record,
        result=record.result,
        names=names,
        may_name=may_act(interaction, entry.job.reply_to),
        matches=matches,
        has_book=has_book,
    )


def speakers_on_page(speakers: Sequence[Speaker], page: int) -> Sequence[Speaker]:
    """Return the speakers of one form, which has room for five."""
    return speakers[page * discord_limits.MAX_MODAL_FIELDS : (page + 1) * discord_limits.MAX_MODAL_FIELDS]


def token_of(speaker_id: str) -> str:
    """Return what stands for a speaker in custom ids, whatever the id."""
    return hashlib.sha256(speaker_id.encode("utf-8", "surrogatepass")).hexdigest()[:TOKEN_CHARS]
