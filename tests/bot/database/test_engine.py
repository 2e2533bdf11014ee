"""Databases that are away, wrong, newer than the code, or opened by two processes at once."""

import asyncio
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.database.engine import Database
from bot.exceptions import DatabaseError

OPEN = """
import asyncio, sys
from bot.database.engine import Database

async def run():
    async with Database.open(sys.argv[1]):
        print("open")

asyncio.run(run())
"""


async def test_two_processes_that_start_at_once_both_open(database_url: str) -> None:
    command = (sys.executable, "-W", "error", "-c", OPEN, database_url)
    started = [
        await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        for _ in range(2)
    ]
    async with asyncio.timeout(60):
        outputs = [(await process.communicate())[0] for process in started]
    # One of them may have said before that it waited for the other.
    assert [output.splitlines()[-1:] for output in outputs] == [[b"open"], [b"open"]]
    assert [process.returncode for process in started] == [0, 0]


async def test_a_database_of_a_later_version_is_refused_in_a_sentence(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    async with Database.open(url) as database, database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="a newer version"):
        async with Database.open(url):
            pass


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite3").write_bytes(b"this is no database" * 100)
    with pytest.raises(DatabaseError):
        async with Database.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}"):
            pass


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError):
        async with Database.open(f"sqlite:///{tmp_path / 'file' / 'bot.sqlite3'}"):
            pass


@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody@127.0.0.1:1/none", "postgresql://nobody@/none?host=/nowhere", "no address"],
)
async def test_a_server_that_is_away_is_told_without_its_address(url: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        async with Database.open(url):
            pass
    assert "nobody" not in f"{caught.value} {caught.value.detail}"


async def test_an_unknown_database_of_a_server_is_told(postgres: str) -> None:
    with pytest.raises(DatabaseError):
        async with Database.open(postgres.replace("/postgres?", "/missing?")):
            pass


async def test_what_fails_leaves_nothing_behind(database_url: str) -> None:
    async def fail(database: Database) -> None:
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO page_links VALUES ('half', 'job', '1', 0, false)"))
            await connection.execute(text("SELECT * FROM missing"))

    async with Database.open(database_url) as database:
        with pytest.raises(DatabaseError):
            await fail(database)
        async with database.transaction() as connection:
            found = await connection.execute(text("SELECT count(*) FROM page_links WHERE id = 'half'"))
            assert found.scalar_one() == 0
