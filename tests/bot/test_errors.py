import discord
import pytest
from discord import app_commands

from bot.errors import notice_of, notice_of_failure
from pipeline.errors import AttemptsError, AudioProcessingError, MediaError, ModelMissingError, QueueError, StoreError


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
    text = notice_of(error, "r").text()
    assert text.endswith("Try again later; if it fails again, tell the people who run this bot.")
    for word in ("secret", "10.0.0.1", "stemcord", "STEMCORD"):
        assert word not in text


def test_what_the_person_can_mend_is_told_as_it_is() -> None:
    assert notice_of(MediaError("x_y.mp4 has no sound.", mend="Send another."), "r").text() == (
        r"x\_y.mp4 has no sound. Send another."
    )


def test_failure_from_the_queue_is_told_like_the_error() -> None:
    error = MediaError("It is empty.")
    assert notice_of_failure(error.to_failure(), "r") == notice_of(error, "r")


def test_option_out_of_range_is_named() -> None:
    transformer = app_commands.Transformer()
    error = app_commands.TransformerError(99, discord.AppCommandOptionType.integer, transformer)
    assert (
        notice_of(error, "r").text() == "99 cannot be used for that option. Choose one of the values that are offered."
    )


def test_unknown_error_tells_only_a_reference() -> None:
    text = notice_of(RuntimeError("secret"), "abc").text()
    assert "abc" in text
    assert "secret" not in text
