import discord
import pytest
from discord import app_commands

from bot.exceptions import DatabaseError, RefusedError
from bot.i18n.translator import Translator
from bot.jobs.quotas import ExceededQuota
from bot.messages.errors import error_message, failure_message
from pipeline.errors import AttemptsError, AudioProcessingError, MediaError, ModelMissingError, QueueError, StoreError

ENGLISH = Translator("en")
CHINESE = Translator("zh-CN")


@pytest.mark.parametrize(
    "error",
    [
        QueueError("The queue at redis://10.0.0.1 is away.", detail="secret"),
        StoreError("The bucket s3://secret does not answer."),
        ModelMissingError("Weights of secret are not there."),
        AttemptsError("The worker secret died three times."),
    ],
)
def test_what_only_operators_can_mend_is_told_in_general(error: AudioProcessingError) -> None:
    text = error_message(error, "r", ENGLISH).text(ENGLISH)
    assert text.endswith("Try again later; if it fails again, tell the people who run this bot.")
    for word in ("secret", "10.0.0.1", "stemcord", "STEMCORD"):
        assert word not in text


def test_what_the_person_can_mend_is_told_as_it_is() -> None:
    assert error_message(MediaError("x_y.mp4 has no sound.", hint="Send another."), "r", ENGLISH).text(ENGLISH) == (
        r"x\_y.mp4 has no sound. Send another."
    )


def test_failure_from_the_queue_is_told_like_the_error() -> None:
    error = MediaError("It is empty.")
    assert failure_message(error.to_failure(), "r", ENGLISH) == error_message(error, "r", ENGLISH)


def test_option_out_of_range_is_named() -> None:
    transformer = app_commands.Transformer()
    error = app_commands.TransformerError(99, discord.AppCommandOptionType.integer, transformer)
    assert (
        error_message(error, "r", ENGLISH).text(ENGLISH)
        == "99 cannot be used for that option. Choose one of the values that are offered."
    )


def test_unknown_error_tells_only_a_reference() -> None:
    text = error_message(RuntimeError("secret"), "abc", ENGLISH).text(ENGLISH)
    assert "abc" in text
    assert "secret" not in text


def test_limit_tells_when_it_ends_in_the_readers_time() -> None:
    error = ExceededQuota(kind="server", limit=60, used=60, resets_at=1_800_000_000.5).error()
    assert error_message(error, "r", ENGLISH).text(ENGLISH) == (
        "This server has used 60 of its 60 minutes today; 0 are left. It resets <t:1800000000:R>."
    )
    assert "<t:1800000000:R>" in error_message(error, "r", CHINESE).text(CHINESE)


def test_names_in_a_refusal_are_shown_as_typed_and_mentions_as_mentions() -> None:
    error = RefusedError("clip-empty", name="[x](https://evil.example) @here")
    assert error_message(error, "r", ENGLISH).text(ENGLISH) == "\\[x\\](https\\://evil.example) @\u200bhere is empty."
    channel = RefusedError("not-shared", channel="<#5>")
    assert error_message(channel, "r", ENGLISH).text(ENGLISH) == "The result could not be posted in <#5>."


def test_records_that_are_away_are_no_fault_of_the_clip() -> None:
    text = error_message(DatabaseError("The bot cannot reach its database right now."), "r", CHINESE).text(CHINESE)
    assert text.startswith("机器人暂时连不上数据库。")


def test_error_of_the_pipeline_is_told_in_the_readers_language() -> None:
    text = error_message(MediaError("x_y.mp4 has no sound."), "r", CHINESE).text(CHINESE)
    assert text.startswith(r"这个文件不能作为片段处理。（x\_y.mp4 has no sound.）")  # noqa: RUF001
