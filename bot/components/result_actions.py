"""What the buttons do, for those who may: the person who asked, or moderators who see the channel."""

import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import discord

from bot.ack_deadline import ack_deadline
from bot.components.custom_ids import action_button
from bot.components.dub import DubModal, dub_request, uploaded_track
from bot.components.modals import SubmittedModal
from bot.components.rebalance import RebalanceModal, available_faders, rebalance_request, submitted_mix_options
from bot.components.rename import (
    SPEAKER_NAMES,
    RenameModal,
    fetch_previews,
    modal_page,
    rename_request,
    replacement_job,
    submitted_names,
)
from bot.components.thread import post_thread
from bot.exceptions import RefusedError
from bot.i18n.translator import translator_for
from bot.jobs.history import HistoryEntry, JobHistory
from bot.jobs.result_buttons import AGAIN, DUB, PAGE, REBALANCE, RENAME, REVOKE, THREAD
from bot.jobs.result_files import read_transcript
from bot.jobs.submission import JobSubmitter
from bot.permissions import check_may_act
from pipeline.types import Result, Speaker, Transcript
from worker.protocol import Job
from worker.store import Store

Press: TypeAlias = "discord.Interaction[Any]"
MAX_TRANSCRIPT_BYTES = 8 * 1024 * 1024
"""Bytes of a transcript's file; two hours of talk are about 2 MB in the largest format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAddress:
    """Where the page of a result is, for whoever has it."""

    url: str
    expires: int
    """Unix time."""


class Pages(Protocol):
    """Makes addresses of pages of results."""

    async def create(self, job_id: str, user_id: str) -> PageAddress:
        """A new one."""
        ...

    async def revoke(self, job_id: str) -> int:
        """Take back every one of a result; how many still held."""
        ...


class ResultActions:
    """One for the bot; every press comes here."""

    def __init__(self, history: JobHistory, store: Store, submitter: JobSubmitter, pages: Pages | None = None) -> None:
        self._pages = pages
        self._history = history
        self._store = store
        self._submitter = submitter
        self._actions: Mapping[str, Callable[[Press, HistoryEntry, Result, int], Awaitable[None]]] = {
            REBALANCE: self._rebalance,
            RENAME: self._rename,
            SPEAKER_NAMES: self._names,
            DUB: self._dub,
            THREAD: self._thread,
            PAGE: self._page,
            REVOKE: self._revoke,
        }
        self._forms: Mapping[str, Callable[[Press, HistoryEntry, Result, int, SubmittedModal], Awaitable[None]]] = {
            REBALANCE: self._rebalanced,
            SPEAKER_NAMES: self._renamed,
            DUB: self._dubbed,
        }

    async def press(self, interaction: Press, action: str, job_id: str, page: int = 0) -> None:
        """Do what a button says. Raises `RefusedError`, and what the action raises."""
        if action != AGAIN and action not in self._actions:
            raise unknown_button()
        entry = await self._find(interaction, job_id)
        if action == AGAIN:
            await self._submitter.resubmit(interaction, entry.job, entry.job.request)
            return
        await self._actions[action](interaction, entry, _result(entry), page)

    async def submit(self, interaction: Press, action: str, job_id: str, page: int, submitted: SubmittedModal) -> None:
        """Do what a form was for. Raises `RefusedError`, and what the action raises."""
        if action not in self._forms:
            raise unknown_button()
        entry = await self._find(interaction, job_id)
        await self._forms[action](interaction, entry, _result(entry), page, submitted)

    async def choose(self, interaction: Press, job_id: str, suffix: str) -> None:
        """Bring the transcript in a format, in private. Raises `RefusedError` and `StoreError`."""
        entry = await self._find(interaction, job_id)
        artefact = _result(entry).artefact(f"transcript.{suffix}")
        if artefact is None:
            raise RefusedError("no-such-part")
        await interaction.response.defer(ephemeral=True, thinking=True)
        data = await self._store.read(artefact, max_bytes=MAX_TRANSCRIPT_BYTES)
        translator = translator_for(interaction.locale.value)
        file = discord.File(io.BytesIO(data), filename=artefact.name)
        await interaction.edit_original_response(content=translator.format("subtitles-here"), attachments=[file])

    async def rename(self, job: Job, names: Mapping[str, str]) -> None:
        """Make a result anew in its message, its speakers called so. Raises `QueueError` and `DatabaseError`."""
        await self._submitter.enqueue(replacement_job(job, rename_request(job.request, names)))

    async def _find(self, interaction: Press, job_id: str) -> HistoryEntry:
        async with ack_deadline():
            entry = await self._history.find(job_id)
        if entry is None:
            raise RefusedError("result-gone", "result-gone-hint")
        check_may_act(interaction, entry.job.reply_to, "not-yours")
        return entry

    async def _rebalance(self, interaction: Press, entry: HistoryEntry, result: Result, _: int) -> None:
        form = RebalanceModal(translator_for(interaction.locale.value), entry.job.id, available_faders(result))
        await interaction.response.send_modal(form)

    async def _rebalanced(
        self, interaction: Press, entry: HistoryEntry, _: Result, __: int, submitted: SubmittedModal
    ) -> None:
        await self._submitter.resubmit(
            interaction, entry.job, rebalance_request(entry.job.request, submitted_mix_options(submitted))
        )

    async def _dub(self, interaction: Press, entry: HistoryEntry, _: Result, __: int) -> None:
        await interaction.response.send_modal(DubModal(translator_for(interaction.locale.value), entry.job.id))

    async def _dubbed(
        self, interaction: Press, entry: HistoryEntry, _: Result, __: int, submitted: SubmittedModal
    ) -> None:
        await self._submitter.resubmit(
            interaction, entry.job, dub_request(entry.job.request), uploaded_track(submitted)
        )

    async def _rename(self, interaction: Press, entry: HistoryEntry, result: Result, _: int) -> None:
        """A short excerpt of each speaker, then the form."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        transcript = await self._transcript(result)
        translator = translator_for(interaction.locale.value)
        view = discord.ui.View(timeout=None)
        for page in range(5):
            if speakers := modal_page(result.speakers, page):
                label = ", ".join(speaker.name for speaker in speakers)[:80]
                view.add_item(action_button(SPEAKER_NAMES, entry.job.id, label, page))
        async with fetch_previews(result, transcript, self._store) as files:
            await interaction.edit_original_response(
                content=translator.format("form-rename"), attachments=files, view=view
            )

    async def _names(self, interaction: Press, entry: HistoryEntry, result: Result, page: int) -> None:
        speakers = _speakers(result, page)
        transcript = await self._transcript(result)
        form = RenameModal(translator_for(interaction.locale.value), entry.job.id, page, speakers, transcript)
        await interaction.response.send_modal(form)

    async def _renamed(
        self, interaction: Press, entry: HistoryEntry, result: Result, page: int, submitted: SubmittedModal
    ) -> None:
        names = submitted_names(submitted, _speakers(result, page))
        await interaction.response.defer()
        await self.rename(entry.job, names)
        translator = translator_for(interaction.locale.value)
        await interaction.edit_original_response(content=translator.format("renamed"), attachments=[], view=None)

    async def _thread(self, interaction: Press, entry: HistoryEntry, result: Result, _: int) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        translator = translator_for(interaction.locale.value)
        thread = await post_thread(interaction, entry.job.source.name, await self._transcript(result), translator)
        await interaction.edit_original_response(content=translator.format("thread-made", thread=thread.mention))

    async def _page(self, interaction: Press, entry: HistoryEntry, _: Result, __: int) -> None:
        pages = self._served_pages()
        await interaction.response.defer(ephemeral=True, thinking=True)
        address = await pages.create(entry.job.id, str(interaction.user.id))
        translator = translator_for(interaction.locale.value)
        view = discord.ui.View(timeout=None)
        view.add_item(discord.ui.Button(label=translator.format("button-page"), url=address.url))
        view.add_item(action_button(REVOKE, entry.job.id, translator.format("button-revoke")))
        text = translator.format("page-here", when=f"<t:{address.expires}:R>")
        await interaction.edit_original_response(content=text, view=view)

    async def _revoke(self, interaction: Press, entry: HistoryEntry, _: Result, __: int) -> None:
        pages = self._served_pages()
        await interaction.response.defer()
        count = await pages.revoke(entry.job.id)
        text = translator_for(interaction.locale.value).format("links-revoked", count=count)
        await interaction.edit_original_response(content=text, view=None)

    def _served_pages(self) -> Pages:
        if self._pages is None:
            raise RefusedError("no-pages")
        return self._pages

    async def _transcript(self, result: Result) -> Transcript:
        transcript = await read_transcript(result, self._store)
        if transcript is None:
            raise RefusedError("no-such-part")
        return transcript


def unknown_button() -> RefusedError:
    """For what no button of this bot says, or of this version of it."""
    return RefusedError("button-gone", "button-gone-hint")


def _speakers(result: Result, page: int) -> Sequence[Speaker]:
    """Those of one form; raises `RefusedError` when there are none."""
    speakers = modal_page(result.speakers, page)
    if not speakers:
        raise RefusedError("no-such-part")
    return speakers


def _result(entry: HistoryEntry) -> Result:
    if entry.result is None:
        raise RefusedError("result-gone", "result-gone-hint")
    return entry.result
