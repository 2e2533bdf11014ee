"""A model hub on this machine: HTTP over real sockets, with the moods that hubs have."""

import hashlib
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pipeline.catalog import HubFile, Model


@dataclass
class Asked:
    """A request as the hub got it."""

    path: str
    range: str | None
    if_range: str | None
    authorization: str | None


@dataclass
class Hub:
    """What the hub has and how it behaves; tests change the fields as they go."""

    files: dict[str, bytes]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    sent: int = 0
    """Bytes of bodies so far."""
    ranges: bool = True
    etag: str | None = '"one"'
    break_after: list[int] = field(default_factory=list)
    """For each of the next requests, after how many bytes the connection is dropped."""
    statuses: list[int] = field(default_factory=list)
    """What the next requests are answered with in place of the file."""
    tells_length: bool = True
    shift: int = 0
    """How far a part begins from where it was asked for."""
    redirect: str | None = None
    token: str | None = None
    """Needed, when it is set."""
    silent: threading.Event | None = None
    """Until it is set, the hub sends half of the body and then nothing."""
    on_request: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def model(self, name: str = "tiny", *, engine: str = "uvr", sha256: str | None = None, size: int | None = None):
        """A catalogue entry for all the hub has."""
        return Model(
            name=name,
            engine=engine,
            environment="media",
            licence="MIT",
            source="https://example.org/conditions",
            good_for="tests",
            hub=tuple(
                HubFile(
                    name=path,
                    addresses=(f"{self.url}/{path}",),
                    sha256=hashlib.sha256(content).hexdigest() if sha256 is None else sha256,
                    size=len(content) if size is None else size,
                )
                for path, content in self.files.items()
            ),
        )


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        hub = self.hub
        hub.asked.append(
            Asked(self.path, self.headers["Range"], self.headers["If-Range"], self.headers["Authorization"])
        )
        hub.on_request()
        if hub.redirect is not None:
            self._answer(302, {"Location": hub.redirect + self.path})
        elif hub.token is not None and self.headers["Authorization"] != f"Bearer {hub.token}":
            self._answer(403 if self.headers["Authorization"] else 401)
        elif hub.statuses:
            self._answer(hub.statuses.pop(0))
        elif self.path[1:] not in hub.files:
            self._answer(404)
        else:
            self._send(hub.files[self.path[1:]])

    def _send(self, content: bytes) -> None:
        hub, start = self.hub, 0
        wanted = self.headers["Range"]
        same = self.headers["If-Range"] in (None, hub.etag)
        if hub.ranges and wanted and same:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        headers = {"ETag": hub.etag} if hub.etag else {}
        if start >= len(content) > 0:
            self._answer(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        if start:
            start += hub.shift
            headers |= {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        length = {"Content-Length": str(len(content) - start)} if hub.tells_length else {"Content-Length": ""}
        self._answer(206 if start else 200, headers | length)
        body = content[start:]
        limit = hub.break_after.pop(0) if hub.break_after else len(body)
        if hub.silent is not None:
            self._write(body[: len(body) // 2])
            hub.silent.wait(10)
            return
        self._write(body[:limit])

    def _write(self, body: bytes) -> None:
        for place in range(0, len(body), 16_384):
            block = body[place : place + 16_384]
            self.wfile.write(block)
            self.hub.sent += len(block)

    def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": "0"} | (headers or {})).items():
            if value:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Requests are kept, not printed."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is part of the tests."""


@contextmanager
def running(files: dict[str, bytes]) -> Generator[Hub]:
    """A hub that has these files."""
    hub = Hub(files)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
