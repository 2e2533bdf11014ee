"""Clips by a link: from hosts that are allowed, at public addresses, without a redirect that leads elsewhere."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web

from tests.wire.answers import CHINESE, answers, private, shows
from tests.wire.light import LightStack
from tests.wire.openapi import Description
from tests.wire.world import MIB

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
CLIP = b"a clip of some length"


@dataclass
class Host:
    """A web server with clips."""

    origin: str = ""
    asked: list[str] = field(default_factory=list[str])
    elsewhere: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        match request.path:
            case "/film one.mp4":
                return web.Response(body=CLIP)
            case "/moved.mp4":
                raise web.HTTPFound(f"{self.origin}/film%20one.mp4")
            case "/away.mp4":
                raise web.HTTPFound(f"{self.elsewhere}/film%20one.mp4")
            case "/round.mp4":
                raise web.HTTPFound("/round.mp4")
            case "/huge.mp4":
                response = web.StreamResponse()
                await response.prepare(request)
                for _ in range(4):
                    await response.write(b"0" * MIB)
                return response
            case _:
                raise web.HTTPNotFound


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hosts() -> AsyncIterator[tuple[Host, Host]]:
    async with AsyncExitStack() as exits:
        made: list[Host] = []
        for _ in range(2):
            host = Host()
            app = web.Application()
            app.router.add_get("/{path:.*}", host.answer)
            runner = web.AppRunner(app)
            await runner.setup()
            exits.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
            made.append(host)
        made[0].elsewhere = made[1].origin
        yield made[0], made[1]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def linked(
    tmp_path_factory: pytest.TempPathFactory, hosts: tuple[Host, Host], description: Description
) -> AsyncIterator[LightStack]:
    settings = {
        "STEMCORD_LINK_HOSTS": f"{hosts[0].origin}, localhost, 169.254.169.254",
        "STEMCORD_MAX_SIZE": str(2 * MIB),
    }
    async with LightStack.start(tmp_path_factory.mktemp("links"), settings=settings) as stack:
        yield stack
        assert not (found := stack.fake.violations(description)), found


@pytest.mark.parametrize("path", ["film%20one.mp4", "moved.mp4"])
async def test_a_clip_comes_by_a_link(linked: LightStack, hosts: tuple[Host, Host], path: str) -> None:
    asked = await linked.fake.slash("separate", link=f"{hosts[0].origin}/{path}")
    job = await linked.job(of=asked)
    assert job.source.name == path.replace("%20", " ")
    assert await linked.store.read(job.source, max_bytes=100) == CLIP
    await linked.finish(await linked.take(job), job)
    await shows(linked, asked.original, lambda m: "vocals.flac" in m.files, 10)


async def test_links_elsewhere_are_refused_at_once(linked: LightStack, hosts: tuple[Host, Host]) -> None:
    before = len(hosts[1].asked)
    for link in (
        f"{hosts[1].origin}/film.mp4",
        "https://example.org/film.mp4",
        "https://169.254.169.254/latest/meta-data/film.mp4",
        f"http://{hosts[0].origin.removeprefix('http://')}@example.org/film.mp4",
        "file:///etc/passwd.mp4",
        "film.mp4",
    ):
        asked = await linked.fake.slash("separate", link=link, locale=CHINESE)
        assert asked.original is not None
        assert asked.original.ephemeral
        assert any(word in asked.original.text for word in ("此机器人不接受来自", "这不是指向文件的链接")), link
    assert len(hosts[1].asked) == before
    told = await private(linked, await linked.fake.slash("separate"))
    assert told.text.startswith("Give either a clip or a link.")


@pytest.mark.parametrize(
    ("link", "word"),
    [
        ("{0}/away.mp4", "takes no clips from"),
        ("https://localhost/film.mp4", "takes no clips from localhost"),
        ("{0}/round.mp4", "could not be downloaded"),
        ("{0}/huge.mp4", "the limit is 2.1 MB"),
        ("{0}/gone.mp4", "no longer there"),
    ],
)
async def test_what_a_link_turns_out_to_be_is_told_in_private(
    linked: LightStack, hosts: tuple[Host, Host], link: str, word: str
) -> None:
    before = len(hosts[1].asked)
    asked = await linked.fake.slash("separate", link=link.format(hosts[0].origin))
    await linked.fake.wait(lambda: any(word in m.text for m in answers(linked, asked)), 15, word)
    assert len(hosts[1].asked) == before
    assert await linked.queue.jobs() == [] or all(s.job.source.size > 0 for s in await linked.queue.jobs())


async def test_without_allowed_hosts_there_is_no_such_option(light: LightStack) -> None:
    options = {option["name"]: option for option in light.fake.command("separate")["options"]}
    assert "link" not in options
    assert options["clip"]["required"] is True
