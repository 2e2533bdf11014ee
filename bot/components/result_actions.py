"""What the buttons do, for those who may: the person who asked, or moderators who see the channel."""

import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import discord

from bot.ack_deadline import promptly
from bot.components.custom_ids import action_button
from bot.components.dub import DubForm, dubbed, track_of
from bot.components.modals import Filled
from bot.components.rebalance import RebalanceForm, balance_of, faders_of, rebalanced
from bot.components.rename import NAMES, RenameForm, excerpts_of, in_same_message, names_of, page_of, renamed
from bot.components.thread import post_thread
from bot.exceptions import RefusedError
from bot.i18n.translator import speech_for
from bot.jobs.history import Archive, Kept
from bot.jobs.result_buttons import AGAIN, DUB, PAGE, REBALANCE, RENAME, REVOKE, THREAD
from bot.jobs.result_files import read_transcript
from bot.jobs.submission import Desk
from bot.permissions import check_may_act
from pipeline.types import Result, Speaker, Transcript
from worker.protocol import Job
from worker.store import Store

Press: TypeAlias = "discord.Interaction[Any]"
FILE_SIZE = 8 * 1024 * 1024
"""Bytes of a transcript's file; two hours of talk are about 2 MB in the largest format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAddress:
    """Where the page of a result is, for whoever has it."""

    url: str
    expires: int
    """Unix time."""


class Pages(Protocol):
    """Makes addresses of pages of results."""

    async def link(self, job_id: str, user_id: str) -> PageAddress:
        """A new one."""
        ...

    async def revoke(self, job_id: str) -> int:
        """Take back every one of a result; how many still held."""
        ...


class Board:
    """One for the bot; every press comes here."""

    def __init__(self, archive: Archive, store: Store, desk: Desk, pages: Pages | None = None) -> None:
        self._pages = pages
        self._archive = archive
        self._store = store
        self._desk = desk
        self._actions: Mapping[str, Callable[[Press, Kept, Result, int], Awaitable[None]]] = {
            REBALANCE: self._rebalance,
            RENAME: self._rename,
            NAMES: self._names,
            DUB: self._dub,
            THREAD: self._thread,
            PAGE: self._page,
            REVOKE: self._revoke,
        }
        self._forms: Mapping[str, Callable[[Press, Kept, Result, int, Filled], Awaitable[None]]] = {
            REBALANCE: self._rebalanced,
            NAMES: self._renamed,
            DUB: self._dubbed,
        }

    async def press(self, interaction: Press, action: str, job_id: str, page: int = 0) -> None:
        """Do what a button says. Raises `RefusedError`, and what the action raises."""
        if action != AGAIN and action not in self._actions:
            raise unknown_button()
        kept = await self._find(interaction, job_id)
        if action == AGAIN:
            await self._desk.repeat(interaction, kept.job, kept.job.request)
            return
        await self._actions[action](interaction, kept, _result(kept), page)

    async def submit(self, interaction: Press, action: str, job_id: str, page: int, filled: Filled) -> None:
        """Do what a form was for. Raises `RefusedError`, and what the action raises."""
        if action not in self._forms:
            raise unknown_button()
        kept = await self._find(interaction, job_id)
        await self._forms[action](interaction, kept, _result(kept), page, filled)

    async def choose(self, interaction: Press, job_id: str, suffix: str) -> None:
        """Bring the transcript in a format, in private. Raises `RefusedError` and `StoreError`."""
        kept = await self._find(interaction, job_id)
        artefact = _result(kept).artefact(f"transcript.{suffix}")
        if artefact is None:
            raise RefusedError("no-such-part")
        await interaction.response.defer(ephemeral=True, thinking=True)
        data = await self._store.read(artefact, max_bytes=FILE_SIZE)
        speech = speech_for(interaction.locale.value)
        file = discord.File(io.BytesIO(data), filename=artefact.name)
        await interaction.edit_original_response(content=speech.say("subtitles-here"), attachments=[file])

    async def rename(self, job: Job, names: Mapping[str, str]) -> None:
        """Make a result anew in its message, its speakers called so. Raises `QueueError` and `RecordsError`."""
        await self._desk.send(in_same_message(job, renamed(job.request, names)))

    async def _find(self, interaction: Press, job_id: str) -> Kept:
        async with promptly():
            kept = await self._archive.find(job_id)
        if kept is None:
            raise RefusedError("result-gone", "result-gone-hint")
        check_may_act(interaction, kept.job.reply_to, "not-yours")
        return kept

    async def _rebalance(self, interaction: Press, kept: Kept, result: Result, _: int) -> None:
        form = RebalanceForm(speech_for(interaction.locale.value), kept.job.id, faders_of(result))
        await interaction.response.send_modal(form)

    async def _rebalanced(self, interaction: Press, kept: Kept, _: Result, __: int, filled: Filled) -> None:
        await self._desk.repeat(interaction, kept.job, rebalanced(kept.job.request, balance_of(filled)))

    async def _dub(self, interaction: Press, kept: Kept, _: Result, __: int) -> None:
        await interaction.response.send_modal(DubForm(speech_for(interaction.locale.value), kept.job.id))

    async def _dubbed(self, interaction: Press, kept: Kept, _: Result, __: int, filled: Filled) -> None:
        await self._desk.repeat(interaction, kept.job, dubbed(kept.job.request), track_of(filled))

    async def _rename(self, interaction: Press, kept: Kept, result: Result, _: int) -> None:
        """A short excerpt of each speaker, then the form."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        transcript = await self._transcript(result)
        speech = speech_for(interaction.locale.value)
        view = discord.ui.View(timeout=None)
        for page in range(5):
            if speakers := page_of(result.speakers, page):
                label = ", ".join(speaker.name for speaker in speakers)[:80]
                view.add_item(action_button(NAMES, kept.job.id, label, page))
        async with excerpts_of(result, transcript, self._store) as files:
            await interaction.edit_original_response(content=speech.say("form-rename"), attachments=files, view=view)

    async def _names(self, interaction: Press, kept: Kept, result: Result, page: int) -> None:
        speakers = _speakers(result, page)
        transcript = await self._transcript(result)
        form = RenameForm(speech_for(interaction.locale.value), kept.job.id, page, speakers, transcript)
        await interaction.response.send_modal(form)

    async def _renamed(self, interaction: Press, kept: Kept, result: Result, page: int, filled: Filled) -> None:
        names = names_of(filled, _speakers(result, page))
        await interaction.response.defer()
        await self.rename(kept.job, names)
        speech = speech_for(interaction.locale.value)
        await interaction.edit_original_response(content=speech.say("renamed"), attachments=[], view=None)

    async def _thread(self, interaction: Press, kept: Kept, result: Result, _: int) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        speech = speech_for(interaction.locale.value)
        thread = await post_thread(interaction, kept.job.source.name, await self._transcript(result), speech)
        await interaction.edit_original_response(content=speech.say("thread-made", thread=thread.mention))

    async def _page(self, interaction: Press, kept: Kept, _: Result, __: int) -> None:
        pages = self._served_pages()
        await interaction.response.defer(ephemeral=True, thinking=True)
        address = await pages.link(kept.job.id, str(interaction.user.id))
        speech = speech_for(interaction.locale.value)
        view = discord.ui.View(timeout=None)
        view.add_item(discord.ui.Button(label=speech.say("button-page"), url=address.url))
        view.add_item(action_button(REVOKE, kept.job.id, speech.say("button-revoke")))
        text = speech.say("page-here", when=f"<t:{address.expires}:R>")
        await interaction.edit_original_response(content=text, view=view)

    async def _revoke(self, interaction: Press, kept: Kept, _: Result, __: int) -> None:
        pages = self._served_pages()
        await interaction.response.defer()
        count = await pages.revoke(kept.job.id)
        text = speech_for(interaction.locale.value).say("links-revoked", count=count)
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
    speakers = page_of(result.speakers, page)
    if not speakers:
        raise RefusedError("no-such-part")
    return speakers


def _result(kept: Kept) -> Result:
    if kept.result is None:
        raise RefusedError("result-gone", "result-gone-hint")
    return kept.result
