"""The bot on SQLite and on PostgreSQL: what a server set and what a person used are there after a restart."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.embedded_broker import EmbeddedBroker
from tests.bot.world import PlayedWorker
from tests.postgres import postgres_server
from tests.wire.objects import Interaction
from tests.wire.processes import ready_or_dead, run_program
from tests.wire.server import FakeDiscord
from worker.queue import Queue
from worker.store import Store

BOT = [sys.executable, "-m", "bot"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What the environment says about the database: nothing for SQLite, which is the default."""
    if request.param == "sqlite":
        yield {}
        return
    with postgres_server() as url:
        yield {"STEMCORD_DATABASE_URL": url}


async def said(fake: FakeDiscord, interaction: Interaction) -> str:
    """The private answer once it is there."""
    answer = interaction.original
    assert answer is not None
    assert answer.ephemeral
    await fake.wait(lambda: not answer.loading and bool(answer.text), 20, "an answer")
    return answer.text


async def test_settings_and_quotas_survive_a_restart(
    fake: FakeDiscord, tmp_path: Path, database: dict[str, str]
) -> None:
    clip = tmp_path / "talk.mp4"
    clip.write_bytes(b"a clip that only a played worker takes")
    async with EmbeddedBroker(tmp_path) as url, Queue.connect(url) as queue:
        environment = fake.environment | {"STEMCORD_HOME": str(tmp_path), "STEMCORD_REDIS_URL": url} | database
        async with run_program("bot-1", BOT, environment, tmp_path) as bot:
            await ready_or_dead(fake, bot, commands=("settings", "separate"))
            told = await said(fake, await fake.slash("settings", minutes_a_person=1, keep_days=9))
            assert told.startswith("Saved.")
            interaction = await fake.slash("separate", clip=clip)
            message = interaction.original
            assert message is not None
            await fake.wait(lambda: bool(message.buttons), 20, "the job on its way")
            worker = PlayedWorker(queue, Store.open(f"file://{tmp_path / 'store'}"), tmp_path)
            await worker.finish(await worker.take(), {"stems/vocals.flac": b"voice"})
            await fake.wait(lambda: "vocals.flac" in message.files, 20, "the result")
            await worker.wait_for_confirmation()
            before = await said(fake, await fake.slash("separate", clip=clip))
            assert before.startswith("You have used 1 of your 1 minutes today; 0 are left.")
        assert (tmp_path / "bot.sqlite3").exists() == (not database)
        async with run_program("bot-2", BOT, environment, tmp_path) as bot:
            await fake.wait(lambda: not fake.gateway.connected, 20, "the first bot to be gone")
            await ready_or_dead(fake, bot, commands=("settings", "separate"))
            kept = await said(fake, await fake.slash("settings"))
            assert "Per day, per person: one minute" in kept
            assert "Results are kept: 9 days" in kept
            assert await said(fake, await fake.slash("separate", clip=clip)) == before
            # The result is still known to its buttons.
            (menu,) = [key for key in message.buttons if "rebalance" in key]
            assert (await fake.click(menu, message)).callback is not None
