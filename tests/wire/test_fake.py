"""The fake against a plain discord.py client in another process."""

import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.wire.faults import Fault
from tests.wire.processes import Program, ready_or_dead, run_program
from tests.wire.server import FakeDiscord

SCRIPT = Path(__file__).parent / "plain_client.py"
COMMANDS = ("echo", "whisper", "layout", "twice", "Weigh this")


@pytest.fixture
async def client(fake: FakeDiscord, tmp_path: Path) -> AsyncIterator[Program]:
    async with run_program("client", [sys.executable, SCRIPT], fake.environment, tmp_path) as program:
        await ready_or_dead(fake, program, commands=COMMANDS)
        yield program


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "a clip.bin"
    path.write_bytes(bytes(range(256)) * 8)
    return path


async def test_logs_in_and_registers_commands(fake: FakeDiscord, client: Program) -> None:
    assert client.running
    assert fake.gateway.identified == 1
    assert fake.command("echo")["options"][1]["max_value"] == 3
    assert fake.command("Weigh this", 3)["description"] == ""


async def test_sends_a_file_and_edits_it(fake: FakeDiscord, client: Program, clip: Path) -> None:
    interaction = await fake.slash("echo", clip=clip, times=2)
    assert interaction.delay < 3
    message = await fake.wait_for_message(lambda m: m.text.startswith("by bot token"))
    assert message is interaction.original
    assert message.content == f"by bot token, {fake.knobs.size_limit}, 2 files"
    assert message.files["back.bin"].data == clip.read_bytes() * 2
    assert message.files["back.bin"].description == "the same bytes"
    assert message.files["second.txt"].data == b"2"
    assert [edit.before for edit in message.edits] == ["", "working", "done\nAgain", "done, kept\nAgain"]
    assert fake.recorder.downloads == [f"/ephemeral-attachments/{fake.world.application_id}/" + _tail(fake)]
    private = await fake.wait_for_message(lambda m: m.content == "only you")
    assert private.ephemeral
    assert client.running


def _tail(fake: FakeDiscord) -> str:
    attachment = next(iter(fake.world.attachments.values()))
    return f"{attachment.id}/a_clip.bin"


async def test_presses_a_button(fake: FakeDiscord, client: Program, clip: Path) -> None:
    await fake.slash("echo", clip=clip)
    message = await fake.wait_for_message(lambda m: m.text.startswith("by bot token"))
    pressed = await fake.click("again", message)
    assert pressed.original is message
    assert message.content == "pressed"
    assert not message.buttons
    assert client.running


async def test_a_bot_token_cannot_edit_what_is_private(fake: FakeDiscord, client: Program) -> None:
    interaction = await fake.slash("whisper", word="hush")
    assert interaction.original is not None
    assert interaction.original.ephemeral
    assert interaction.original.content == "hush"
    await fake.wait_for_message(lambda m: m.content == "10008")
    direct = await fake.wait_for_message(lambda m: m.content == "hello in private")
    assert fake.world.channels[direct.channel_id]["type"] == 1
    assert client.running


async def test_shows_components_with_files(fake: FakeDiscord, client: Program) -> None:
    interaction = await fake.slash("layout")
    message = interaction.original
    assert message is not None
    assert message.text == "first"
    shown = message.components[0]["components"][2]
    assert shown["name"] == "three.txt"
    assert shown["file"]["url"] == message.files["three.txt"].url
    assert client.running


async def test_the_same_nonce_makes_one_message(fake: FakeDiscord, client: Program) -> None:
    await fake.slash("twice")
    await fake.wait_for_message(lambda m: m.content == "1 message")
    assert [m.text for m in fake.messages] == ["1 message", "once"]
    assert client.running


async def test_uses_a_message_menu(fake: FakeDiscord, client: Program, clip: Path) -> None:
    message = await fake.post("look", files=[clip])
    interaction = await fake.context_menu("Weigh this", message)
    assert interaction.original is not None
    assert interaction.original.content == "2048 bytes"
    assert interaction.original.kind == 23
    assert client.running


async def test_a_file_over_the_limit_is_refused(fake: FakeDiscord, client: Program, clip: Path) -> None:
    fake.knobs.size_limit = 1000
    await fake.slash("echo", clip=clip)
    message = await fake.wait_for_message(lambda m: m.content == "413 40005")
    assert not message.attachments
    assert client.running


async def test_an_expired_token_is_refused(fake: FakeDiscord, client: Program, clip: Path) -> None:
    fake.knobs.token_life = 0.0
    interaction = await fake.slash("echo", clip=clip)
    refused = lambda: [e for e in fake.recorder.exchanges if e.status == 401]  # noqa: E731
    await fake.wait(lambda: bool(refused()), 10, "a refused request")
    assert refused()[0].answer["code"] == 50027
    assert interaction.original is not None
    assert interaction.original.loading
    assert client.running


async def test_injected_faults_are_met_and_got_over(fake: FakeDiscord, client: Program, clip: Path) -> None:
    limited = fake.faults.rate_limited("PATCH", "@original", wait=0.2)
    slow = fake.faults.add(Fault(method="POST", path="/callback", delay=0.5))
    down = fake.faults.unavailable("PATCH", r"/channels/\d+/messages", status=502)
    interaction = await fake.slash("echo", clip=clip)
    assert interaction.delay >= 0.5
    await fake.wait_for_message(lambda m: m.text.startswith("by bot token"))
    assert (limited.times, down.times, slow.times) == (0, 0, 0)
    assert {e.status for e in fake.recorder.requests("PATCH")} == {200, 429, 502}
    assert client.running


async def test_the_gateway_resumes_without_loss(fake: FakeDiscord, client: Program) -> None:
    await fake.gateway.drop()
    assert not fake.gateway.connected
    interaction = await fake.slash("whisper", timeout=15)
    assert interaction.original is not None
    assert (fake.gateway.identified, fake.gateway.resumed) == (1, 1)
    await fake.gateway.ask_to_reconnect()
    await fake.wait(lambda: fake.gateway.resumed == 2, 15, "a second resume")
    assert client.running


@pytest.fixture
def quick_heart(fake: FakeDiscord) -> None:
    """Asked of a client when it comes in, so before `client`."""
    fake.knobs.heartbeat = 0.5


@pytest.mark.usefixtures("quick_heart")
async def test_heartbeats_are_answered(fake: FakeDiscord, client: Program) -> None:
    await fake.wait(lambda: len(list(fake.recorder.received(1))) >= 2, 15, "two heartbeats")
    acknowledged = [f for f in fake.recorder.frames if f.sent and f.payload["op"] == 11]
    assert len(acknowledged) >= len(list(fake.recorder.received(1))) - 1
    assert client.running


async def test_options_are_checked_as_a_client_does(fake: FakeDiscord, client: Program, clip: Path) -> None:
    with pytest.raises(LookupError, match="needs"):
        await fake.slash("echo")
    with pytest.raises(LookupError, match="no option"):
        await fake.slash("echo", clip=clip, wrong=1)
    with pytest.raises(ValueError, match="not within"):
        await fake.slash("echo", clip=clip, times=9)
    assert client.running


async def test_programs_end_when_told(fake: FakeDiscord, client: Program) -> None:
    assert await client.end() in {0, 1, -signal.SIGTERM}
    await fake.wait(lambda: not fake.gateway.connected, 5, "the socket to close")
