"""What commands and buttons work with, built once at the start."""

from dataclasses import dataclass, field
from typing import TypeAlias

import discord

from bot.audition.sample import Sampler
from bot.clips.attachments import AttachmentDownloader
from bot.database.deletion import DataDeletion
from bot.database.glossaries import Glossaries
from bot.database.person_archive import PersonArchives
from bot.database.repository import Repository
from bot.glossary.server_glossary import ServerGlossary
from bot.handover.gate import EventGate
from bot.jobs.batches import BatchSubmitter
from bot.jobs.delivery import Delivery
from bot.jobs.history import JobHistory
from bot.jobs.recording_submission import RecordingSubmitter
from bot.jobs.submission import JobSubmitter
from bot.jobs.tracker import JobTracker
from bot.search.search import Search
from bot.settings import BotSettings
from bot.summary.summarizer import Summarizer
from bot.transcripts.naming import SpeakerNaming
from bot.transcripts.transcripts import Transcripts
from bot.voices.voices import Voices
from bot.web.signed_links import PageAddresses
from worker.queue import Queue
from worker.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of the bot that answer people."""

    settings: BotSettings
    queue: Queue
    store: Store
    repository: Repository
    glossaries: Glossaries
    glossary: ServerGlossary
    deletion: DataDeletion
    downloader: AttachmentDownloader
    submitter: JobSubmitter
    batches: BatchSubmitter
    recordings: RecordingSubmitter
    tracker: JobTracker
    transcripts: Transcripts
    naming: SpeakerNaming
    delivery: Delivery
    sampler: Sampler
    search: Search
    archives: PersonArchives
    summarizer: Summarizer | None
    """None: transcripts are not summarised."""
    pages: PageAddresses | None
    """None: the bot serves no pages."""
    gate: EventGate = field(default_factory=EventGate)
    """Which events this process handles."""

    @property
    def history(self) -> JobHistory:
        """Return what looks jobs up."""
        return JobHistory(self.queue, self.repository)


class ServiceClient(discord.Client):
    """Discord client that gives commands and buttons their services."""

    services: Services
    voices: Voices


Interaction: TypeAlias = discord.Interaction[ServiceClient]
