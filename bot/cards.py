"""What a message shows, as pure functions of the job's state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import discord

from bot import limits, texts
from bot.writing import bar, clock, escape, fit_lines, shorten
from pipeline.languages import LANGUAGES
from pipeline.types import Failure, Result, Transcript
from worker.protocol import Event, Progressed, Started

WORKING = discord.Colour(0x5865F2)
DONE = discord.Colour(0x57F287)
PARTLY = discord.Colour(0xFEE75C)
FAILED = discord.Colour(0xED4245)
ENDED = discord.Colour(0x80848E)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One embed, and the job that its cancel button stops."""

    embed: discord.Embed
    cancels: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How far a job is, folded from its events."""

    attempt: int = 0
    """0: no worker has it yet."""
    position: int | None = None
    fractions: Mapping[str, float] = field(default_factory=dict[str, float])
    """By stage, in the order in which they began."""
    remaining: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    """Seconds by stage, where they can be told."""

    def after(self, event: Event) -> "View":
        """The view once the event has happened."""
        match event:
            case Started(attempt=attempt):
                return replace(self, attempt=attempt, position=None)
            case Progressed(progress=progress):
                fractions = {**self.fractions, progress.stage: progress.fraction}
                remaining = {**self.remaining, progress.stage: progress.remaining}
                return replace(self, attempt=max(self.attempt, 1), fractions=fractions, remaining=remaining)
            case _:
                return self


def person(user_id: str) -> str:
    """How a person is named; no one is notified, since mentions are switched off."""
    return f"<@{int(user_id)}>"


def receiving_card(name: str) -> Card:
    """While the clip is fetched."""
    return Card(embed=_embed(name, texts.RECEIVING, WORKING))


def progress_card(name: str, job_id: str, view: View) -> Card:
    """While the job waits or runs."""
    return Card(embed=_embed(name, fit_lines(_progress(view), limits.EMBED_DESCRIPTION), WORKING), cancels=job_id)


def cancelled_card(name: str) -> Card:
    """After somebody stopped the job."""
    return Card(embed=_embed(name, texts.CANCELLED, ENDED))


def failed_card(name: str, user_id: str, reason: str | None = None) -> Card:
    """After a job that gave nothing; the reason is shown here only when nobody could be told in private."""
    text = (
        texts.FAILED.format(person=person(user_id))
        if reason is None
        else texts.FAILED_WITH_REASON.format(reason=reason)
    )
    return Card(embed=_embed(name, shorten(text, limits.EMBED_DESCRIPTION), FAILED))


def result_card(
    name: str,
    user_id: str,
    result: Result,
    *,
    transcript: Transcript | None = None,
    picture: str | None = None,
    left_out: Sequence[str] = (),
) -> Card:
    """The answer: what was made and how; `picture` is the name of an attached file, `left_out` names what is not."""
    text = f"{texts.TASKS[result.request.task]} {texts.ASKED_BY.format(person=person(user_id))}"
    embed = _embed(name, text, PARTLY if result.failures else DONE)
    _add(embed, texts.DURATION, clock(result.media.duration), inline=True)
    if result.language is not None:
        _add(embed, texts.SPEAKERS, _speakers(result), inline=True)
        # Where nothing was said, no language was heard either.
        _add(embed, texts.LANGUAGE, LANGUAGES.get(result.language, ""), inline=True)
    _add(embed, texts.LOUDNESS, _loudness(result), inline=True)
    _add(embed, texts.ROUTE, _route(result, user_id))
    if transcript is not None:
        _add(embed, texts.TRANSCRIPT, fit_lines(_spoken(transcript), limits.EMBED_FIELD))
    _add(embed, texts.NOTES, fit_lines([escape(note) for note in result.notes], limits.EMBED_FIELD))
    _add(embed, texts.NOT_MADE, fit_lines([_failed(failure) for failure in result.failures], limits.EMBED_FIELD))
    _add(embed, texts.TOO_LARGE, fit_lines([escape(file) for file in left_out], limits.EMBED_FIELD))
    if picture is not None:
        embed.set_image(url=f"attachment://{picture}")
    return Card(embed=embed)


def _embed(name: str, text: str, colour: discord.Colour) -> discord.Embed:
    return discord.Embed(title=shorten(escape(name), limits.EMBED_TITLE), description=text, colour=colour)


def _add(embed: discord.Embed, name: str, value: str, *, inline: bool = False) -> None:
    """A field, unless it is empty or there is no room for it."""
    if value and len(embed) + len(name) + len(value) <= limits.EMBED_TOTAL:
        embed.add_field(name=name, value=shorten(value, limits.EMBED_FIELD), inline=inline)


def _progress(view: View) -> list[str]:
    if view.attempt == 0:
        return [_waiting(view.position)]
    lines = [texts.AGAIN.format(attempt=view.attempt)] if view.attempt > 1 else []
    for stage, fraction in view.fractions.items():
        title = texts.STAGES.get(stage, escape(stage))
        if fraction >= 1.0:
            lines.append(f"✓ {title}")
        else:
            left = view.remaining.get(stage)
            time = "" if left is None else f", {texts.LEFT.format(time=clock(left))}"
            lines.append(f"{bar(fraction)} {round(100 * fraction):>3} % {title}{time}")
    return lines or [texts.STARTING]


def _waiting(position: int | None) -> str:
    match position:
        case None:
            return texts.STARTING
        case 0:
            return texts.NEXT
        case 1:
            return texts.ONE_BEFORE
        case _:
            return texts.BEFORE.format(count=position)


def _speakers(result: Result) -> str:
    if not result.speakers:
        return texts.NOBODY
    return f"{len(result.speakers)}: " + ", ".join(escape(speaker.name) for speaker in result.speakers)


def _loudness(result: Result) -> str:
    before, after = result.loudness.get("original"), result.loudness.get("final")
    if before is None or after is None or before.integrated is None or after.integrated is None:
        return ""
    return texts.LOUDNESS_CHANGE.format(before=before.integrated, after=after.integrated)


def _route(result: Result, user_id: str) -> str:
    route = result.route
    engine = escape(route.model or route.engine)
    why = texts.ROUTE_ASKED.format(person=person(user_id)) if route.asked else escape(route.reason)
    return shorten(f"**{route.name}** ({engine}): {why}", limits.EMBED_FIELD)


def _spoken(transcript: Transcript) -> list[str]:
    names = {speaker.id: speaker.name for speaker in transcript.speakers}
    return [
        f"{clock(turn.start)} **{escape(names.get(turn.speaker, turn.speaker))}** {escape(turn.text)}"
        for turn in transcript.turns
    ]


def _failed(failure: Failure) -> str:
    title = texts.STAGES.get(failure.stage, failure.stage)
    return f"{escape(title)}: {escape(failure.message)}"
