"""Databases in files that are encrypted, in the clear before, of another key, or open elsewhere."""

import asyncio
import base64
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.database.engine import Database
from bot.exceptions import DatabaseError
from worker.store import Keyring, read_keyring

SECRET = "the word that nobody may read"
OPEN = """
import asyncio, sys
from bot.database.engine import Database
from worker.store import read_keyring

async def run():
    async with Database.open(sys.argv[1], read_keyring(sys.argv[2])):
        print("open")

asyncio.run(run())
"""

OPEN_WITH_LITTLE_ROOM = """
import asyncio, resource, sys
from bot.database.engine import Database
from bot.exceptions import DatabaseError
from worker.store import read_keyring

async def run():
    try:
        async with Database.open(sys.argv[1], read_keyring(sys.argv[2])):
            print("open")
    except DatabaseError as error:
        print(error.message)

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
asyncio.run(run())
"""

INSERT = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1])
other.execute("SELECT count(*) FROM page_links").fetchall()
print("open", flush=True)
sys.stdin.readline()
with other:
    other.execute("INSERT INTO page_links VALUES ('later', 'j', '1', 0, false)")
"""


def setting(*names: str) -> str:
    """The setting with a key for each name."""
    return ",".join(f"{name}:{base64.b64encode(name.ljust(32).encode()).decode()}" for name in names)


def keys(*names: str) -> Keyring:
    ring = read_keyring(setting(*names))
    assert ring is not None
    return ring


async def write(path: Path, ring: Keyring | None, words: str = SECRET) -> None:
    async with Database.open(f"sqlite:///{path}", ring) as database, database.transaction() as connection:
        row = {"id": words, "job": "job"}
        await connection.execute(text("INSERT INTO page_links VALUES (:id, :job, '1', 0, false)"), row)
        await connection.execute(text("CREATE VIRTUAL TABLE IF NOT EXISTS said USING fts5(words)"))
        await connection.execute(text("INSERT INTO said VALUES (:id)"), {"id": words})


async def write_twice(database: Database) -> None:
    async with database.transaction() as connection:
        for _ in range(2):
            await connection.execute(text("INSERT INTO page_links VALUES ('once', 'j', '1', 0, false)"))


async def read(path: Path, ring: Keyring | None) -> list[str]:
    """All words that are there, and a search for one of them."""
    async with Database.open(f"sqlite:///{path}", ring) as database, database.transaction() as connection:
        rows = list(await connection.execute(text("SELECT id FROM page_links ORDER BY id")))
        found = list(await connection.execute(text("SELECT words FROM said WHERE said MATCH 'nobody'")))
        assert len(found) == sum("nobody" in row.id for row in rows)
    return [row.id for row in rows]


def is_readable(path: Path) -> bool:
    """Whether the words can be read in any file of the database."""
    return any(SECRET.encode() in each.read_bytes() for each in path.parent.glob("bot.sqlite3*"))


async def test_an_encrypted_database_shows_nothing_in_its_files(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    async with Database.open(f"sqlite:///{path}", keys("a")) as database:
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO page_links VALUES (:id, 'j', '1', 0, false)"), {"id": SECRET})
        assert (tmp_path / "bot.sqlite3-wal").stat().st_size > 0
        assert not is_readable(path)
    assert not is_readable(path)


async def test_without_keys_it_is_in_the_clear(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, None)
    assert is_readable(path)
    assert await read(path, None) == [SECRET]


async def test_a_database_in_the_clear_is_encrypted_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, None)
    (tmp_path / "bot.sqlite3.encrypting").write_bytes(b"left by a process that died")
    assert await read(path, keys("a")) == [SECRET]
    assert not is_readable(path)
    assert not (tmp_path / "bot.sqlite3.encrypting").exists()
    await write(path, keys("a"), "more")
    assert await read(path, keys("a")) == ["more", SECRET]


async def test_what_another_process_has_open_is_not_encrypted_under_it(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, None)
    # A process of its own: SQLite's locks say nothing within one.
    command = (sys.executable, "-c", INSERT, str(path))
    other = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    async with asyncio.timeout(60):
        assert await other.stdout.readline() == b"open\n"
        with pytest.raises(DatabaseError, match="another process has it open"):
            await read(path, keys("a"))
        other.stdin.write(b"insert\n")
        await other.communicate()
    assert other.returncode == 0
    assert await read(path, None) == ["later", SECRET]
    assert await read(path, keys("a")) == ["later", SECRET]


async def test_a_new_first_key_encrypts_anew_and_the_older_one_can_go(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, keys("old"))
    assert await read(path, keys("new", "older", "old")) == [SECRET]
    assert await read(path, keys("new")) == [SECRET]
    with pytest.raises(DatabaseError, match="a key that is not here"):
        await read(path, keys("old"))


async def test_an_older_key_stays_while_another_process_uses_it(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, keys("old"))
    async with Database.open(f"sqlite:///{path}", keys("old")) as database:
        assert await read(path, keys("new", "old")) == [SECRET]
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO page_links VALUES ('b', 'j', '1', 0, false)"))
    assert await read(path, keys("old")) == ["b", SECRET]
    assert await read(path, keys("new", "old")) == ["b", SECRET]
    assert await read(path, keys("new")) == ["b", SECRET]


async def test_without_its_key_it_is_refused_in_a_sentence_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, keys("a"))
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="this process has no key") as caught:
        await read(path, None)
    assert "STEMCORD_ENCRYPTION_KEYS" in str(caught.value.hint)
    with pytest.raises(DatabaseError, match="a key that is not here"):
        await read(path, keys("b"))
    assert path.read_bytes() == before


async def test_a_file_that_a_link_names_is_encrypted_where_it_is(tmp_path: Path) -> None:
    path, link = tmp_path / "disk" / "bot.sqlite3", tmp_path / "bot.sqlite3"
    await write(path, None)
    link.symlink_to(path)
    assert await read(link, keys("a")) == [SECRET]
    assert link.is_symlink()
    assert not is_readable(path)


async def test_an_encrypted_file_keeps_the_rights_of_the_one_in_the_clear(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, None)
    path.chmod(0o600)
    assert await read(path, keys("a")) == [SECRET]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_disk_that_is_full_is_told_and_the_file_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, None)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OPEN_WITH_LITTLE_ROOM, f"sqlite:///{path}", setting("a")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert b"there is no room for that beside it" in output
    assert {each.name for each in tmp_path.iterdir()} <= {"bot.sqlite3", "bot.sqlite3.lock"}
    assert await read(path, None) == [SECRET]


async def test_an_older_key_is_no_error_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, keys("old"))
    command = (sys.executable, "-c", OPEN, f"sqlite:///{path}", setting("new", "old"))
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 0
    assert b"ERROR" not in said
    assert await read(path, keys("new")) == [SECRET]


async def test_a_file_that_is_no_database_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(DatabaseError):
        await read(path, keys("a"))
    assert path.read_bytes() == b"this is no database" * 1000


async def test_its_errors_are_those_that_sqlalchemy_knows(tmp_path: Path) -> None:
    async with Database.open(f"sqlite:///{tmp_path / 'bot.sqlite3'}", keys("a")) as database:
        with pytest.raises(DatabaseError) as caught:
            await write_twice(database)
        assert isinstance(caught.value.__cause__, IntegrityError)
        async with database.transaction() as connection:
            found = await connection.execute(text("SELECT count(*) FROM page_links"))
            assert found.scalar_one() == 0


async def test_two_processes_that_start_at_once_both_open_what_one_encrypts(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    await write(path, None)
    command = (sys.executable, "-W", "error", "-c", OPEN, f"sqlite:///{path}", setting("a"))
    started = [
        await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        for _ in range(2)
    ]
    async with asyncio.timeout(60):
        outputs = [(await process.communicate())[0] for process in started]
    assert [output.splitlines()[-1:] for output in outputs] == [[b"open"], [b"open"]]
    assert await read(path, keys("a")) == [SECRET]
