"""`stemcord index rebuild` makes the index again from the transcripts in the store."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec

from bot.database.engine import Database
from bot.database.models import StoredStatus
from bot.database.repository import Repository
from bot.search.index import Filters, SearchIndex
from bot.search.query import read_query
from pipeline.types import Transcript
from tests.bot.database.test_repository import QUOTAS, job_for, result_of
from tests.bot.search.transcripts import SOURCE, transcript_of
from worker.store import Store

ROOT = Path(__file__).parents[3]
FILTERS = Filters(guild_id="12", user_id="5")


def rebuild(home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from deploy.cli import main; main()", "index", "rebuild"]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | {"STEMCORD_HOME": str(home)}, capture_output=True, text=True, timeout=60
    )


async def fill(home: Path, transcript: Transcript | None, name: str) -> None:
    """A finished job whose transcript is in the store, or named but not there."""
    store = Store.open(f"file://{home / 'store'}")
    artefact = replace(SOURCE, name="transcript.json")
    if transcript is not None:
        path = home / name
        path.write_bytes(msgspec.json.encode(transcript))
        artefact = await store.put(path, name="transcript.json")
    async with Database.open(f"sqlite:///{home / 'bot.sqlite3'}") as database:
        repository = Repository(database, QUOTAS)
        job = job_for("5", "12", SOURCE)
        assert job.reply_to is not None
        job = msgspec.structs.replace(job, reply_to=msgspec.structs.replace(job.reply_to, message_id=str(len(name))))
        await repository.add_job(job)
        await repository.end_job(job.id, StoredStatus.FINISHED, result_of(artefact))


async def find(home: Path, words: str) -> list[str]:
    async with Database.open(f"sqlite:///{home / 'bot.sqlite3'}") as database:
        found = await SearchIndex(database).find(read_query(words, ["en"]), FILTERS, every=True)
        return [line.text for line in found]


async def test_it_is_made_again(tmp_path: Path) -> None:
    await fill(tmp_path, transcript_of(("Ann", "A zeppelin over the lake.")), "one")
    assert await find(tmp_path, "zeppelin") == []
    for _ in range(2):
        done = rebuild(tmp_path)
        assert (done.returncode, done.stdout) == (0, "Indexed: 1 results.\n"), done.stderr
        assert await find(tmp_path, "zeppelin") == ["A zeppelin over the lake."]


async def test_a_transcript_that_is_gone_is_told_and_hinders_no_other(tmp_path: Path) -> None:
    await fill(tmp_path, None, "first")
    await fill(tmp_path, transcript_of(("Ann", "A zeppelin over the lake.")), "second")
    done = rebuild(tmp_path)
    assert done.returncode == 1
    assert done.stdout == "Indexed: 1 results. Not indexed: 1; the log says why.\n"
    assert await find(tmp_path, "zeppelin") == ["A zeppelin over the lake."]
