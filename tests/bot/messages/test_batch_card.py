"""The card of a batch: every clip has a line, and the sums are right."""

import pytest

from bot.database.models import JobRecord, StoredStatus
from bot.i18n.translator import LOCALES, Translator
from bot.messages.batch_card import batch_card
from bot.messages.embeds import COLOUR_DONE, COLOUR_ENDED, COLOUR_FAILED, COLOUR_PARTIAL, COLOUR_WORKING
from pipeline.types import Artefact, Request
from worker.protocol import Batch, Job

DONE, FAILED, STOPPED = StoredStatus.FINISHED, StoredStatus.FAILED, StoredStatus.STOPPED


def record(job_id: str, status: StoredStatus, name: str) -> JobRecord:
    source = Artefact(name=name, digest="", size=1, media_type="")
    job = Job(id=job_id, request=Request(), source=source, submitted=1.0)
    return JobRecord(
        id=job_id,
        guild_id="1",
        channel_id="2",
        message_id="3",
        user_id="4",
        job=job,
        status=status,
        created=1.0,
    )


def batch(*names: str) -> Batch:
    return Batch(card_id="9", jobs=tuple(f"{index:032x}" for index in range(len(names))), names=names)


@pytest.mark.parametrize("locale", LOCALES)
def test_each_state_has_a_line(locale: str) -> None:
    plan = batch(*"abcdefg")
    records = {plan.jobs[index]: record(plan.jobs[index], status, "x") for index, status in enumerate(StoredStatus)}
    card = batch_card(Translator(locale), plan, {**records, plan.jobs[5]: None}, "4")
    lines = (card.embed.description or "").splitlines()[2:]
    assert len(lines) == 7
    assert len({line.rpartition(" ")[2] for line in lines}) >= 6
    assert sum("https://discord.com/channels/1/2/3" in line for line in lines) == 5
    assert card.cancel_batch_id == plan.jobs[0]


@pytest.mark.parametrize(
    ("states", "colour", "told"),
    [
        ([DONE, DONE], COLOUR_DONE, "2 of 2 done for <@4>."),
        ([DONE, FAILED], COLOUR_PARTIAL, "1 of 2 done for <@4>. One could not be processed."),
        ([FAILED, FAILED], COLOUR_FAILED, "0 of 2 done for <@4>. 2 could not be processed."),
        ([STOPPED, FAILED], COLOUR_ENDED, "0 of 2 done for <@4>. One could not be processed. One was cancelled."),
        ([DONE, StoredStatus.RUNNING], COLOUR_WORKING, "1 of 2 done for <@4>."),
    ],
)
def test_the_sums_are_right(states: list[StoredStatus], colour: object, told: str) -> None:
    plan = batch("a", "b")
    records = {job_id: record(job_id, state, "x") for job_id, state in zip(plan.jobs, states, strict=True)}
    card = batch_card(Translator("en"), plan, records, "4")
    assert card.embed.colour == colour
    assert (card.embed.description or "").startswith(told)
    assert (card.cancel_batch_id is None) is (StoredStatus.RUNNING not in states)


def test_names_are_only_names() -> None:
    plan = batch("[a](https://evil.example)", "@everyone" * 40)
    card = batch_card(Translator("en"), plan, {}, "4")
    text = card.embed.description or ""
    assert "](https://" not in text
    assert "@everyone" not in text
    assert text.count("not taken") == 2
