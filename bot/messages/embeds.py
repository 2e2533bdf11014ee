"""Builds the embeds of messages from the state of a job."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import discord

from bot import discord_limits
from bot.components.custom_ids import Action
from bot.i18n.translator import Translator
from bot.messages.errors import describe_failure, stage_name
from bot.messages.formatting import escape, fit_lines, format_duration, mention, progress_bar, shorten
from bot.messages.job_progress import JobProgress
from pipeline.types import Failure, Result, Transcript, tool_name

MIN_SHOWN_WAIT_S = 30.0
COLOUR_WORKING = discord.Colour(0x5865F2)
COLOUR_DONE = discord.Colour(0x57F287)
COLOUR_PARTIAL = discord.Colour(0xFEE75C)
COLOUR_FAILED = discord.Colour(0xED4245)
COLOUR_ENDED = discord.Colour(0x80848E)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultButtons:
    """The buttons of a result and the formats of its transcript."""

    job_id: str
    actions: tuple[Action, ...]
    formats: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()
    """Names of parts that can be heard at once."""
    speakers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Who speaks in a part that is the track of a speaker."""
    doubts: tuple[str, ...] = ()
    """Names of people whom speakers perhaps are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedMessage:
    """An embed and the buttons below it."""

    embed: discord.Embed
    cancel_job_id: str | None = None
    """The job that a cancel button stops; None: no such button."""
    cancel_batch_id: str | None = None
    """A job of the batch that a cancel button stops; None: no such button."""
    buttons: ResultButtons | None = None


def receiving_embed(translator: Translator, name: str) -> EmbedMessage:
    """Build the embed for a clip that is being downloaded."""
    return EmbedMessage(embed=_embed(name, translator.format("receiving"), COLOUR_WORKING))


def progress_embed(
    translator: Translator,
    name: str,
    job_id: str,
    view: JobProgress,
    *,
    closes: int | None = None,
    pages: bool = False,
) -> EmbedMessage:
    """Build the embed for a job that waits or runs.

    Args:
        translator: Language of the message.
        name: Name of the clip.
        job_id: The job, for its buttons.
        view: How far it is.
        closes: Unix time after which the bot can no longer edit the message unless somebody presses its button; None:
            that is far off.
        pages: Whether the bot serves pages, which show a job once a worker has it.

    """
    lines = _progress(translator, view)
    if closes is not None:
        lines = [*lines, "", translator.format("message-closes", when=f"<t:{closes}:R>")]
    actions = {Action.PAGE: pages and view.attempt > 0, Action.FETCH: closes is not None}
    shown = tuple(action for action, is_shown in actions.items() if is_shown)
    buttons = ResultButtons(job_id=job_id, actions=shown) if shown else None
    embed = _embed(name, fit_lines(lines, discord_limits.MAX_EMBED_DESCRIPTION_CHARS), COLOUR_WORKING)
    heard = [f"{format_duration(line.start)} {escape(line.text)}" for line in view.draft]
    _add_lines(embed, translator.format("field-draft"), heard)
    return EmbedMessage(embed=embed, cancel_job_id=job_id, buttons=buttons)


def cancelled_embed(translator: Translator, name: str, *, kept: bool = False, again: str | None = None) -> EmbedMessage:
    """Build the embed for a cancelled job.

    Args:
        translator: Language of the message.
        name: Name of the clip.
        kept: Whether finished stages are kept.
        again: The job that a button runs again; None: no button.

    """
    buttons = None if again is None else ResultButtons(job_id=again, actions=(Action.AGAIN,))
    return EmbedMessage(
        embed=_embed(name, translator.format("cancelled-kept" if kept else "cancelled"), COLOUR_ENDED), buttons=buttons
    )


def failed_embed(translator: Translator, name: str, user_id: str, reason: str | None = None) -> EmbedMessage:
    """Build the embed for a failed job.

    Args:
        translator: Language of the message.
        name: Name of the clip.
        user_id: Who asked for the job.
        reason: Shown here only when the person could not be told in private.

    """
    text = (
        translator.format("job-failed", person=mention(user_id))
        if reason is None
        else translator.format("job-failed-why", reason=reason)
    )
    return EmbedMessage(embed=_embed(name, shorten(text, discord_limits.MAX_EMBED_DESCRIPTION_CHARS), COLOUR_FAILED))


def result_embed(
    translator: Translator,
    name: str,
    user_id: str,
    result: Result,
    *,
    dubbed: bool = False,
    transcript: Transcript | None = None,
    picture: str | None = None,
    replaced: Sequence[str] = (),
    left_out: Sequence[str] = (),
    no_room: Sequence[str] = (),
    pages: bool = False,
    buttons: ResultButtons | None = None,
) -> EmbedMessage:
    """Build the embed for a result.

    Args:
        translator: Language of the message.
        name: Name of the clip.
        user_id: Who asked for the job.
        result: The result.
        dubbed: Whether the voices were replaced.
        transcript: Shown when it is what the person asked for.
        picture: Name of an attached file.
        replaced: Names of files that are attached as a smaller copy.
        left_out: Names of files that are too large to be attached.
        no_room: Names of files that are one too many for a message.
        pages: Whether the bot serves pages.
        buttons: Buttons of the result.

    """
    colour = COLOUR_PARTIAL if result.failures else COLOUR_DONE
    embed = _embed(name, made_for(translator, result, user_id, dubbed=dubbed), colour)
    _add_facts(embed, translator, result, user_id)
    if transcript is not None:
        _add_lines(embed, translator.format("field-transcript"), transcript_lines(transcript))
    failures = [describe_failed_stage(translator, failure) for failure in result.failures]
    _add_lines(embed, translator.format("field-notes"), [escape(note) for note in result.notes])
    _add_lines(embed, translator.format("field-failed"), failures)
    _add_lines(embed, translator.format("field-smaller"), [escape(file) for file in replaced])
    _add_lines(embed, translator.format("field-large"), [escape(file) for file in left_out])
    _add_lines(embed, translator.format("field-no-room"), [escape(", ".join(no_room))] if no_room else [])
    if replaced or left_out or no_room:
        place = translator.format("whole-on-page" if pages else "whole-elsewhere")
        _add_field(embed, translator.format("field-whole"), place)
    if picture is not None:
        embed.set_image(url=f"attachment://{picture}")
    return EmbedMessage(embed=embed, buttons=buttons)


def made_for(translator: Translator, result: Result, user_id: str, *, dubbed: bool) -> str:
    """Say what was made, and for whom."""
    tool = result.request.clip_tool
    made = "dub" if dubbed else result.request.task.value if tool is None else tool_name(tool)
    return translator.format(f"made-{made}", person=mention(user_id))


def _add_facts(embed: discord.Embed, translator: Translator, result: Result, user_id: str) -> None:
    _add_field(embed, translator.format("field-duration"), format_duration(result.media.duration), inline=True)
    if result.language is not None:
        _add_field(embed, translator.format("field-speakers"), _speakers(translator, result), inline=True)
        # Without speech there is no language.
        _add_field(embed, translator.format("field-language"), translator.language_name(result.language), inline=True)
    _add_field(embed, translator.format("field-loudness"), loudness_change(translator, result), inline=True)
    if result.request.clip_tool is None:
        _add_field(embed, translator.format("field-route"), describe_route(translator, result, user_id))


def stage_title(translator: Translator, stage: str) -> str:
    """Return what a stage does, escaped."""
    return escape(stage_name(stage, translator))


def transcript_lines(transcript: Transcript) -> list[str]:
    """Return one line for each turn: time, speaker and text, escaped."""
    names = {speaker.id: speaker.name for speaker in transcript.speakers}
    return [
        f"{format_duration(turn.start)} **{escape(names.get(turn.speaker, turn.speaker))}** {escape(turn.text)}"
        for turn in transcript.turns
    ]


def _embed(name: str, text: str, colour: discord.Colour) -> discord.Embed:
    return discord.Embed(
        title=shorten(escape(name), discord_limits.MAX_EMBED_TITLE_CHARS), description=text, colour=colour
    )


def _add_lines(embed: discord.Embed, name: str, lines: list[str]) -> None:
    _add_field(embed, name, fit_lines(lines, discord_limits.MAX_EMBED_FIELD_CHARS))


def _add_field(embed: discord.Embed, name: str, value: str, *, inline: bool = False) -> None:
    """Add a field, unless it is empty or does not fit."""
    if value and len(embed) + len(name) + len(value) <= discord_limits.MAX_EMBED_TOTAL_CHARS:
        embed.add_field(name=name, value=shorten(value, discord_limits.MAX_EMBED_FIELD_CHARS), inline=inline)


def _progress(translator: Translator, view: JobProgress) -> list[str]:
    if view.attempt == 0:
        return [
            translator.format("starting")
            if view.position is None
            else translator.format("waiting", count=view.position) + _wait(translator, view)
        ]
    lines = [translator.format("attempt-again", attempt=view.attempt)] if view.attempt > 1 else []
    for stage, fraction in view.fractions.items():
        title = stage_title(translator, stage)
        if fraction >= 1.0:
            lines.append(f"✓ {title}")
        else:
            left = view.remaining.get(stage)
            time = "" if left is None else f", {translator.format('time-left', time=format_duration(left))}"
            lines.append(f"{progress_bar(fraction)} {round(100 * fraction):>3} % {title}{time}")
    return lines or [translator.format("starting")]


def _wait(translator: Translator, view: JobProgress) -> str:
    """Return how long a job waits, to the next minute; nothing where that is not known or soon."""
    if view.wait_s is None or view.wait_s < MIN_SHOWN_WAIT_S:
        return ""
    return " " + translator.format("wait-time", minutes=math.ceil(view.wait_s / 60))


def _speakers(translator: Translator, result: Result) -> str:
    if not result.speakers:
        return translator.format("speakers-none")
    return f"{len(result.speakers)}: " + ", ".join(escape(speaker.name) for speaker in result.speakers)


def loudness_change(translator: Translator, result: Result) -> str:
    """Return the loudness before and after; empty where nothing was mixed."""
    before, after = result.loudness.get("original"), result.loudness.get("final")
    if before is None or after is None or before.integrated is None or after.integrated is None:
        return ""
    return translator.format("loudness-change", before=f"{before.integrated:.1f}", after=f"{after.integrated:.1f}")


def describe_route(translator: Translator, result: Result, user_id: str) -> str:
    """Name the route and why it was taken."""
    route = result.route
    engine = escape(route.model or route.engine)
    why = translator.format("route-asked", person=mention(user_id)) if route.asked else escape(route.reason)
    return shorten(f"**{route.name}** ({engine}): {why}", discord_limits.MAX_EMBED_FIELD_CHARS)


def describe_failed_stage(translator: Translator, failure: Failure) -> str:
    """Say which part could not be made, and why."""
    told = describe_failure(failure, translator)
    sentence, detail = escape(told.sentence), escape(told.detail)
    text = translator.format("error-detail", sentence=sentence, detail=detail) if detail else sentence
    return f"{stage_title(translator, failure.stage)}: {text}"
