"""A request's body: JSON, or a multipart form with `payload_json` and files."""

import json

from aiohttp import BodyPartReader, web

from tests.wire.recorder import Exchange, Upload

PREFIX = "/api/v10"


async def read_exchange(request: web.Request) -> Exchange:
    """The request as it is recorded."""
    exchange = Exchange(
        method=request.method,
        path=request.path.removeprefix(PREFIX),
        query=dict(request.query),
        headers={name: request.headers[name] for name in ("Authorization", "User-Agent") if name in request.headers},
        content_type=request.content_type,
        payload=None,
    )
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise web.HTTPBadRequest
            if part.name == "payload_json":
                exchange.payload = json.loads(await part.text())
            else:
                data = bytes(await part.read(decode=False))
                exchange.uploads.append(Upload(field=part.name or "", filename=part.filename or "", data=data))
    elif request.can_read_body:
        exchange.payload = json.loads(await request.read() or b"null")
    return exchange
