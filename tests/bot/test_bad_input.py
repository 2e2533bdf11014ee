"""What cannot be worked on gets one clear private answer, and nothing public stays behind."""

import pytest
import simcord
from discord import app_commands

from bot.exceptions import ClipError, RefusedError, SizeError
from pipeline.errors import StemcordError, ValidationError
from tests.bot.conftest import Broker
from tests.bot.world import Host, PlayedWorker

CLIP = ("talk.mp4", b"a clip of some length")


def refused_at_once(result: simcord.InteractionResult, env: simcord.Env, kind: type[StemcordError]) -> str:
    """The private answer to a command that was never acknowledged in public."""
    (error,) = env.errors
    assert isinstance(error, app_commands.CommandInvokeError)
    assert isinstance(error.original, kind)
    assert result.response is not None
    assert result.response.ephemeral
    assert result.followups == []
    return result.response.content


def refused_late(result: simcord.InteractionResult, env: simcord.Env) -> str:
    """The private answer to a command whose public acknowledgement is gone again."""
    assert not env.errors
    assert result.response is None
    (answer,) = result.followups
    assert answer.ephemeral
    return answer.content


async def test_empty_file(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "separate", clip=("talk.mp4", b""))
    assert refused_at_once(result, env, ClipError).startswith("talk.mp4 is empty. Send a video or sound file")
    assert await played.queue.jobs() == []


async def test_file_over_the_limit(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, host: Host
) -> None:
    result = await alice.slash(channel, "separate", clip=("talk.mp4", b"x" * 200_000))
    answer = refused_at_once(result, env, SizeError)
    assert answer == "talk.mp4 is 200 kB; the limit is 100 kB. Send a shorter or smaller clip."
    assert host.asked == []


async def test_file_that_is_larger_than_discord_says(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, host: Host, played: PlayedWorker
) -> None:
    assert host.cdn is not None
    host.cdn.lie = b"x" * 200_000
    result = await alice.slash(channel, "separate", clip=CLIP)
    assert refused_late(result, env).startswith("talk.mp4 is 200 kB")
    assert channel.history() == []
    assert await played.queue.jobs() == []


@pytest.fixture
def older_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord as it was when its clients offered every file to choose."""
    monkeypatch.setattr("bot.client.add_file_types", lambda _: None)


async def test_file_that_is_no_media(
    older_client: None, env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor
) -> None:
    result = await alice.slash(channel, "transcribe", clip=("notes_[x](https://evil.example).txt", b"text"))
    answer = refused_at_once(result, env, ClipError)
    assert "is not a video or sound file" in answer
    assert "](" not in answer


async def test_attachment_of_another_host(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, host: Host
) -> None:
    assert host.cdn is not None
    host.cdn.origin = "https://files.example"
    result = await alice.slash(channel, "separate", clip=CLIP)
    assert refused_at_once(result, env, RefusedError).startswith("The clip is not stored on Discord.")
    assert host.asked == []


@pytest.mark.parametrize("status", [403, 404])
async def test_link_that_has_expired(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, host: Host, status: int
) -> None:
    assert host.cdn is not None
    host.cdn.lie = status
    result = await alice.slash(channel, "separate", clip=CLIP)
    assert refused_late(result, env) == "The clip is no longer there. Upload the clip again."
    assert channel.history() == []


async def test_host_that_sends_elsewhere(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, host: Host
) -> None:
    assert host.cdn is not None
    host.cdn.lie = 302
    result = await alice.slash(channel, "separate", clip=CLIP)
    assert refused_late(result, env).startswith("The clip could not be downloaded")
    assert len(host.asked) == 1


async def test_unknown_option_value(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    result = await alice.slash(channel, "transcribe", clip=CLIP, language="klingon")
    answer = refused_at_once(result, env, ValidationError)
    assert answer.startswith("The option language cannot be used: is not a language code")
    assert answer.endswith("Choose another value.")
    assert await played.queue.jobs() == []


async def test_broker_away(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, broker: Broker
) -> None:
    broker.stop()
    result = await alice.slash(channel, "separate", clip=CLIP)
    answer = refused_late(result, env)
    assert answer.startswith("The bot cannot reach its workers right now. Try again later")
    assert broker.url not in answer
    assert channel.history() == []


async def test_unknown_error_names_a_reference(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("bot.jobs.submission.parse_request", break_down)
    result = await alice.slash(channel, "separate", clip=("private name.mp4", b"x"))
    assert len(env.errors) == 1
    assert result.response is not None
    assert result.response.ephemeral
    assert result.response.content.startswith("Something went wrong in the bot")
    log = capsys.readouterr().err
    reference = result.response.content.partition("reference ")[2].partition(")")[0]
    assert reference in log
    assert "private name" not in log
    assert str(alice.id) not in log
