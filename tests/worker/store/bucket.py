"""A small bucket of our own that answers as S3 does (Amazon S3 API reference)."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Bucket:
    """Objects by path; answers PUT, HEAD, GET, deletions and listings."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.down = False
        """Whether requests are answered with an error, every other one after the connection was cut."""
        self.environment: dict[str, str] = {}
        """What a client needs in its environment to come here."""
        self._refused = 0

    @classmethod
    @asynccontextmanager
    async def start(cls) -> AsyncIterator["Bucket"]:
        """A listening bucket."""
        bucket = cls()
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", bucket.handle)
        runner = web.AppRunner(app, shutdown_timeout=2.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        bucket.environment = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "eu-central-1",
            "AWS_ALLOW_HTTP": "true",
        }
        try:
            yield bucket
        finally:
            await runner.cleanup()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        if self.down:
            self._refused += 1
            if self._refused % 2 and request.transport is not None:
                request.transport.abort()
            return web.Response(status=503, text="<Error><Code>SlowDown</Code></Error>", content_type="application/xml")
        if request.method == "PUT":
            self.objects[request.path] = await request.read()
            return web.Response(headers={"ETag": '"1"'})
        if request.method == "POST" and "delete" in request.query:
            return self._delete(request.path, await request.text())
        if "list-type" in request.query:
            return self._listing(request)
        content = self.objects.get(request.path)
        if content is None:
            return web.Response(
                status=404, text="<Error><Code>NoSuchKey</Code></Error>", content_type="application/xml"
            )
        headers = {"ETag": '"1"', "Last-Modified": "Sun, 22 Nov 2026 12:00:00 GMT"}
        return web.Response(body=content, headers=headers)

    def _delete(self, path: str, order: str) -> web.Response:
        """Delete the objects that an order names (DeleteObjects)."""
        keys = re.findall(r"<Key>([^<]+)</Key>", order)
        for key in keys:
            self.objects.pop(f"{path.rstrip('/')}/{key}", None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return web.Response(text=f"<DeleteResult>{deleted}</DeleteResult>", content_type="application/xml")

    def _listing(self, request: web.Request) -> web.Response:
        """List the objects right below a prefix (ListObjectsV2)."""
        root, prefix = f"{request.path.rstrip('/')}/", request.query["prefix"]
        keys = [path.removeprefix(root) for path in sorted(self.objects) if path.startswith(root + prefix)]
        contents = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2026-11-22T12:00:00.000Z</LastModified>"
            f"<Size>{len(self.objects[root + key])}</Size></Contents>"
            for key in keys
            if "/" not in key.removeprefix(prefix)
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        return web.Response(text=text, content_type="application/xml")
