"""The private list of speakers, each with a sample, what they say, and the buttons that name them."""

from collections.abc import Collection
from typing import Any

import discord

from bot import discord_limits
from bot.components.custom_ids import Action, CustomId
from bot.components.layouts import CardLayout
from bot.components.naming.named_speakers import NamedSpeakers, token_of
from bot.components.result_actions import require_transcript
from bot.components.speaker_preview import MAX_QUOTE_CHARS, fetch_previews, longest_turns
from bot.components.views import button
from bot.i18n.translator import Translator, translator_for
from bot.messages.formatting import escape, mention, one_line, shorten
from bot.services import Interaction
from pipeline.types import Speaker, Transcript


async def show_with_samples(interaction: Interaction, opened: NamedSpeakers, page: int) -> None:
    """Show a list with samples of its speakers, in an answer that is deferred; raises what reading it raises."""
    store = interaction.client.services.store
    transcript = await require_transcript(opened.result, store)
    translator = translator_for(interaction.locale.value)
    speakers = opened.page(page)
    first = page * discord_limits.MAX_MODAL_FIELDS
    async with fetch_previews(opened.result, transcript, store, speakers, first=first) as files:
        names = {file.filename for file in files}
        head = translator.format("form-rename" if opened.may_name else "form-which-are-you")
        layout = build_listing(opened, page, transcript, names, translator, str(interaction.user.id), head)
        await interaction.edit_original_response(content=None, attachments=files, view=layout)


async def show_again(interaction: Interaction, opened: NamedSpeakers, page: int, head: str) -> None:
    """Show a list as it is after a change; the samples that its message has stay."""
    message = interaction.message
    if message is None or not message.flags.ephemeral:
        await interaction.edit_original_response(content=head)
        return
    if not message.flags.components_v2:
        # A list that an earlier version posted.
        await interaction.edit_original_response(content=head, attachments=[], view=None)
        return
    transcript = await require_transcript(opened.result, interaction.client.services.store)
    names = {attachment.filename for attachment in message.attachments}
    translator = translator_for(interaction.locale.value)
    layout = build_listing(opened, page, transcript, names, translator, str(interaction.user.id), head)
    await interaction.edit_original_response(view=layout)


def build_listing(
    opened: NamedSpeakers,
    page: int,
    transcript: Transcript,
    files: Collection[str],
    translator: Translator,
    user_id: str,
    head: str,
) -> CardLayout:
    """Build the list.

    Args:
        opened: The speakers.
        page: Which five of them.
        transcript: What they say.
        files: Names of the samples in the message.
        translator: Language of the person.
        user_id: Who sees it.
        head: What stands above it.

    """
    layout = CardLayout()
    layout.add_item(discord.ui.TextDisplay[Any](head))
    turns = longest_turns(transcript)
    for speaker in opened.page(page):
        who = f"**{escape(opened.name_of(speaker, translator))}**"
        if person := opened.person_of(speaker):
            who = f"{who} · {mention(person)}"
        if speaker.id in turns:
            words = escape(shorten(turns[speaker.id].text, MAX_QUOTE_CHARS))
            who = f"{who}\n{translator.format('form-rename-says', words=words)}"
        layout.add_item(discord.ui.TextDisplay[Any](who))
        sample = f"speaker-{opened.speakers.index(speaker) + 1}.ogg"
        if sample in files:
            layout.add_item(discord.ui.File[Any](f"attachment://{sample}"))
        layout.add_item(_buttons_of(opened, speaker, translator, user_id))
    controls = _controls(opened, page, translator)
    if controls.children:
        layout.add_item(controls)
    return layout


def _buttons_of(
    opened: NamedSpeakers, speaker: Speaker, translator: Translator, user_id: str
) -> discord.ui.ActionRow[Any]:
    row = discord.ui.ActionRow[Any]()
    own = opened.person_of(speaker) == user_id
    token = token_of(speaker.id)
    match = opened.matches.get(speaker.id)
    asked = match is not None and not match.sure and (opened.may_name or match.user_id == user_id)
    said_so = own and opened.names[speaker.id].by == user_id
    shown = {
        Action.NOT_ME: own,
        Action.THIS_IS_ME: not own,
        Action.VOICE_RIGHT: asked,
        Action.VOICE_WRONG: match is not None and not own and (asked or opened.may_name),
        # At most three, since all components of a message are counted.
        Action.NAME_SPEAKER: opened.may_name and not asked,
        Action.ENROL: said_so and opened.has_book,
    }
    for action in (action for action, is_shown in shown.items() if is_shown):
        label = translator.format(f"button-{action}", name=shorten(one_line(match.name), 40) if match else "")
        row.add_item(button(label, CustomId(action, opened.job_id, detail=token)))
    return row


def _controls(opened: NamedSpeakers, page: int, translator: Translator) -> discord.ui.ActionRow[Any]:
    """Build the row with the form for all names of the list, and the way to the other lists."""
    row = discord.ui.ActionRow[Any]()
    if opened.may_name:
        target = CustomId(Action.SPEAKER_NAMES, opened.job_id, page)
        row.add_item(button(translator.format(f"button-{Action.SPEAKER_NAMES}"), target))
    for other in range(opened.pages if opened.pages > 1 else 0):
        if other == page:
            continue
        first, last = other * discord_limits.MAX_MODAL_FIELDS + 1, (other + 1) * discord_limits.MAX_MODAL_FIELDS
        label = translator.format("button-speakers", first=first, last=min(last, len(opened.speakers)))
        row.add_item(button(label, CustomId(Action.RENAME, opened.job_id, other)))
    return row
