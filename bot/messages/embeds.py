"""What a message shows, as pure functions of the job's state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import discord

from bot import discord_limits as limits
from bot.i18n.translator import Speech
from bot.messages.errors import stage_name, told_of
from bot.messages.formatting import bar, clock, escape, fit_lines, shorten
from pipeline.types import Failure, Result, Transcript
from worker.protocol import Event, Progressed, Started

WORKING = discord.Colour(0x5865F2)
DONE = discord.Colour(0x57F287)
PARTLY = discord.Colour(0xFEE75C)
FAILED = discord.Colour(0xED4245)
ENDED = discord.Colour(0x80848E)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """The buttons of a result and the formats of its transcript."""

    job_id: str
    actions: tuple[str, ...]
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One embed, and what can be done with the job below it."""

    embed: discord.Embed
    cancels: str | None = None
    """The job that the cancel button stops."""
    offers: Offers | None = None


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


def receiving_card(speech: Speech, name: str) -> Card:
    """While the clip is fetched."""
    return Card(embed=_embed(name, speech.say("receiving"), WORKING))


def progress_card(speech: Speech, name: str, job_id: str, view: View) -> Card:
    """While the job waits or runs."""
    text = fit_lines(_progress(speech, view), limits.EMBED_DESCRIPTION)
    return Card(embed=_embed(name, text, WORKING), cancels=job_id)


def cancelled_card(speech: Speech, name: str, *, kept: bool = False, again: str | None = None) -> Card:
    """After somebody stopped the job; `kept`: some of its work was done; `again`: the job that can be run anew."""
    offers = None if again is None else Offers(job_id=again, actions=("again",))
    return Card(embed=_embed(name, speech.say("cancelled-kept" if kept else "cancelled"), ENDED), offers=offers)


def failed_card(speech: Speech, name: str, user_id: str, reason: str | None = None) -> Card:
    """After a job that gave nothing; the reason is shown here only when nobody could be told in private."""
    text = (
        speech.say("job-failed", person=person(user_id))
        if reason is None
        else speech.say("job-failed-why", reason=reason)
    )
    return Card(embed=_embed(name, shorten(text, limits.EMBED_DESCRIPTION), FAILED))


def result_card(
    speech: Speech,
    name: str,
    user_id: str,
    result: Result,
    *,
    dubbed: bool = False,
    transcript: Transcript | None = None,
    picture: str | None = None,
    replaced: Sequence[str] = (),
    left_out: Sequence[str] = (),
    pages: bool = False,
    offers: Offers | None = None,
) -> Card:
    """The answer: what was made and how.

    `picture` is the name of an attached file, `replaced` names those that came smaller, `left_out` those that did not.
    """
    made = "dub" if dubbed else result.request.task.value
    embed = _embed(name, speech.say(f"made-{made}", person=person(user_id)), PARTLY if result.failures else DONE)
    _add(embed, speech.say("field-duration"), clock(result.media.duration), inline=True)
    if result.language is not None:
        _add(embed, speech.say("field-speakers"), _speakers(speech, result), inline=True)
        # Where nothing was said, no language was heard either.
        _add(embed, speech.say("field-language"), speech.name_of(result.language), inline=True)
    _add(embed, speech.say("field-loudness"), _loudness(speech, result), inline=True)
    _add(embed, speech.say("field-route"), _route(speech, result, user_id))
    if transcript is not None:
        _add(embed, speech.say("field-transcript"), fit_lines(spoken_lines(transcript), limits.EMBED_FIELD))
    failures = [_failed(speech, failure) for failure in result.failures]
    _add(embed, speech.say("field-notes"), fit_lines([escape(note) for note in result.notes], limits.EMBED_FIELD))
    _add(embed, speech.say("field-failed"), fit_lines(failures, limits.EMBED_FIELD))
    _add(embed, speech.say("field-smaller"), fit_lines([escape(file) for file in replaced], limits.EMBED_FIELD))
    _add(embed, speech.say("field-large"), fit_lines([escape(file) for file in left_out], limits.EMBED_FIELD))
    if replaced or left_out:
        _add(embed, speech.say("field-whole"), speech.say("whole-on-page" if pages else "whole-elsewhere"))
    if picture is not None:
        embed.set_image(url=f"attachment://{picture}")
    return Card(embed=embed, offers=offers)


def stage_title(speech: Speech, stage: str) -> str:
    """What a stage does, safe to be shown."""
    return escape(stage_name(stage, speech))


def spoken_lines(transcript: Transcript) -> list[str]:
    """Who says what, a line a turn."""
    names = {speaker.id: speaker.name for speaker in transcript.speakers}
    return [
        f"{clock(turn.start)} **{escape(names.get(turn.speaker, turn.speaker))}** {escape(turn.text)}"
        for turn in transcript.turns
    ]


def _embed(name: str, text: str, colour: discord.Colour) -> discord.Embed:
    return discord.Embed(title=shorten(escape(name), limits.EMBED_TITLE), description=text, colour=colour)


def _add(embed: discord.Embed, name: str, value: str, *, inline: bool = False) -> None:
    """A field, unless it is empty or there is no room for it."""
    if value and len(embed) + len(name) + len(value) <= limits.EMBED_TOTAL:
        embed.add_field(name=name, value=shorten(value, limits.EMBED_FIELD), inline=inline)


def _progress(speech: Speech, view: View) -> list[str]:
    if view.attempt == 0:
        return [speech.say("starting") if view.position is None else speech.say("waiting", count=view.position)]
    lines = [speech.say("attempt-again", attempt=view.attempt)] if view.attempt > 1 else []
    for stage, fraction in view.fractions.items():
        title = stage_title(speech, stage)
        if fraction >= 1.0:
            lines.append(f"✓ {title}")
        else:
            left = view.remaining.get(stage)
            time = "" if left is None else f", {speech.say('time-left', time=clock(left))}"
            lines.append(f"{bar(fraction)} {round(100 * fraction):>3} % {title}{time}")
    return lines or [speech.say("starting")]


def _speakers(speech: Speech, result: Result) -> str:
    if not result.speakers:
        return speech.say("speakers-none")
    return f"{len(result.speakers)}: " + ", ".join(escape(speaker.name) for speaker in result.speakers)


def _loudness(speech: Speech, result: Result) -> str:
    before, after = result.loudness.get("original"), result.loudness.get("final")
    if before is None or after is None or before.integrated is None or after.integrated is None:
        return ""
    return speech.say("loudness-change", before=f"{before.integrated:.1f}", after=f"{after.integrated:.1f}")


def _route(speech: Speech, result: Result, user_id: str) -> str:
    route = result.route
    engine = escape(route.model or route.engine)
    why = speech.say("route-asked", person=person(user_id)) if route.asked else escape(route.reason)
    return shorten(f"**{route.name}** ({engine}): {why}", limits.EMBED_FIELD)


def _failed(speech: Speech, failure: Failure) -> str:
    told = told_of(failure, speech)
    sentence, detail = escape(told.sentence), escape(told.detail)
    text = speech.say("error-detail", sentence=sentence, detail=detail) if detail else sentence
    return f"{stage_title(speech, failure.stage)}: {text}"
