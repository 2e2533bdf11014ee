"""A bot that cannot start says why in one line."""

import sys
from pathlib import Path

from deploy.local.embedded_broker import EmbeddedBroker
from tests.wire.processes import run_program
from tests.wire.server import FakeDiscord

BOT = [sys.executable, "-m", "bot"]


async def run_bot(environment: dict[str, str], folder: Path) -> tuple[int, str]:
    """The exit code and the lines for a person, without those of the log."""
    async with run_program("bot", BOT, {"STEMCORD_HOME": str(folder), **environment}, folder) as program:
        code = await program.wait(30)
        lines = [line for line in program.output.splitlines() if not line.startswith(("{", "WARNING discord"))]
    return code, "\n".join(lines)


async def test_a_token_that_discord_refuses(fake: FakeDiscord, tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as url:
        environment = fake.environment | {"STEMCORD_REDIS_URL": url, "DISCORD_TOKEN": "wrong.token.here"}
        code, said = await run_bot(environment, tmp_path)
    assert code == 1
    assert said == "stemcord bot: Discord refused DISCORD_TOKEN; copy the bot's token again."
    assert [e.status for e in fake.recorder.exchanges] == [401]


async def test_a_queue_that_is_away(tmp_path: Path) -> None:
    environment = {"DISCORD_TOKEN": "secret.token", "STEMCORD_REDIS_URL": "redis://user:password@127.0.0.1:1"}
    code, said = await run_bot(environment, tmp_path)
    assert code == 1
    assert len(said.splitlines()) == 1
    assert "QueueError" in said
    assert "password" not in said
    assert "secret" not in said


async def test_a_missing_token(tmp_path: Path) -> None:
    code, said = await run_bot({"STEMCORD_REDIS_URL": "redis://127.0.0.1:1"}, tmp_path)
    assert code == 1
    assert "DISCORD_TOKEN is not set" in said
