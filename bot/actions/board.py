"""What the buttons do, for those who may: the person who asked, or moderators who see the channel."""

import io
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

import discord

from bot.actions.dub import DubForm, dubbed
from bot.actions.press import ActionButton
from bot.actions.rebalance import RebalanceForm, faders_of, rebalanced
from bot.actions.rename import RenameForm, excerpts_of, in_same_message, page_of, renamed
from bot.actions.thread import post_thread
from bot.archive import Archive, Kept
from bot.desk import Desk
from bot.language import speech_for
from bot.offers import DUB, PAGE, REBALANCE, RENAME, THREAD
from bot.outcome import read_transcript
from bot.refusals import RefusedError
from pipeline.types import Result, Transcript
from worker.store import Store

Press: TypeAlias = "discord.Interaction[Any]"
FILE_SIZE = 8 * 1024 * 1024
"""Bytes of a transcript's file; two hours of talk are about 2 MB in the largest format."""


class Pages(Protocol):
    """Makes links to the page of a result."""

    async def link(self, job_id: str, user_id: str) -> str:
        """An address that works for a day."""
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
            "names": self._names,
            DUB: self._dub,
            THREAD: self._thread,
            PAGE: self._page,
        }

    async def press(self, interaction: Press, action: str, job_id: str, page: int = 0) -> None:
        """Do what a button says. Raises `RefusedError`, and what the action raises."""
        kept = await self._find(interaction, job_id)
        if action == "again":
            await self._desk.repeat(interaction, kept.job, kept.job.request)
            return
        await self._actions[action](interaction, kept, _result(kept), page)

    async def choose(self, interaction: Press, job_id: str, suffix: str) -> None:
        """Bring the transcript in a format, in private. Raises `RefusedError` and `StoreError`."""
        kept = await self._find(interaction, job_id)
        artefact = _result(kept).artefact(f"transcript.{suffix}")
        if artefact is None:
            raise RefusedError("no-such-part")
        await interaction.response.defer(ephemeral=True, thinking=True)
        data = await self._store.read(artefact, limit=FILE_SIZE)
        speech = speech_for(interaction.locale.value)
        file = discord.File(io.BytesIO(data), filename=artefact.name)
        await interaction.edit_original_response(content=speech.say("subtitles-here"), attachments=[file])

    async def _find(self, interaction: Press, job_id: str) -> Kept:
        kept = await self._archive.find(job_id)
        if kept is None:
            raise RefusedError("result-gone", "result-gone-mend")
        check_right(interaction, kept)
        return kept

    async def _rebalance(self, interaction: Press, kept: Kept, result: Result, _: int) -> None:
        async def submit(submitted: Press) -> None:
            await self._desk.repeat(submitted, kept.job, rebalanced(kept.job.request, form.options()))

        form = RebalanceForm(speech_for(interaction.locale.value), faders_of(result), submit)
        await interaction.response.send_modal(form)

    async def _dub(self, interaction: Press, kept: Kept, _: Result, __: int) -> None:
        async def submit(submitted: Press) -> None:
            await self._desk.repeat(submitted, kept.job, dubbed(kept.job.request), form.track())

        form = DubForm(speech_for(interaction.locale.value), submit)
        await interaction.response.send_modal(form)

    async def _rename(self, interaction: Press, kept: Kept, result: Result, _: int) -> None:
        """A short excerpt of each speaker, then the form."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        transcript = await self._transcript(result)
        speech = speech_for(interaction.locale.value)
        view = discord.ui.View(timeout=None)
        for page in range(5):
            if speakers := page_of(result.speakers, page):
                label = ", ".join(speaker.name for speaker in speakers)[:80]
                view.add_item(ActionButton("names", kept.job.id, label, page))
        async with excerpts_of(result, transcript, self._store) as files:
            await interaction.edit_original_response(content=speech.say("form-rename"), attachments=files, view=view)

    async def _names(self, interaction: Press, kept: Kept, result: Result, page: int) -> None:
        async def submit(submitted: Press) -> None:
            check_right(submitted, kept)
            await submitted.response.defer()
            job = in_same_message(kept.job, renamed(kept.job.request, form.names()))
            await self._desk.send(job)
            speech = speech_for(submitted.locale.value)
            await submitted.edit_original_response(content=speech.say("renamed"), attachments=[], view=None)

        speakers = page_of(result.speakers, page)
        if not speakers:
            raise RefusedError("no-such-part")
        form = RenameForm(speech_for(interaction.locale.value), speakers, await self._transcript(result), submit)
        await interaction.response.send_modal(form)

    async def _thread(self, interaction: Press, kept: Kept, result: Result, _: int) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        speech = speech_for(interaction.locale.value)
        thread = await post_thread(interaction, kept.job.source.name, await self._transcript(result), speech)
        await interaction.edit_original_response(content=speech.say("thread-made", thread=thread.mention))

    async def _page(self, interaction: Press, kept: Kept, _: Result, __: int) -> None:
        if self._pages is None:
            raise RefusedError("no-pages")
        await interaction.response.defer(ephemeral=True, thinking=True)
        address = await self._pages.link(kept.job.id, str(interaction.user.id))
        await interaction.edit_original_response(
            content=speech_for(interaction.locale.value).say("page-here"), view=_link_view(interaction, address)
        )

    async def _transcript(self, result: Result) -> Transcript:
        transcript = await read_transcript(result, self._store)
        if transcript is None:
            raise RefusedError("no-such-part")
        return transcript


def check_right(interaction: Press, kept: Kept) -> None:
    """Raise `RefusedError` unless the person asked for the job, or moderates and sees the channel of the job."""
    reply = kept.job.reply_to
    if reply is None or (reply.guild_id or "") != str(interaction.guild_id or ""):
        raise RefusedError("result-gone", "result-gone-mend")
    rights = interaction.permissions
    if reply.channel_id != str(interaction.channel_id) and interaction.guild is not None:
        # The button was shared into another channel.
        channel = interaction.guild.get_channel_or_thread(int(reply.channel_id))
        if channel is None or not isinstance(interaction.user, discord.Member):
            raise RefusedError("not-visible")
        rights = channel.permissions_for(interaction.user)
        if not rights.view_channel:
            raise RefusedError("not-visible")
    if reply.user_id != str(interaction.user.id) and not rights.manage_messages:
        raise RefusedError("not-yours")


def _result(kept: Kept) -> Result:
    if kept.result is None:
        raise RefusedError("result-gone", "result-gone-mend")
    return kept.result


def _link_view(interaction: Press, address: str) -> discord.ui.View:
    label = speech_for(interaction.locale.value).say("button-page")
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label=label, url=address))
    return view
