"""From the button below a result to its page: for whom, for how long, and what a new name does in Discord."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import discord
import pytest
import simcord
from aiohttp.test_utils import TestClient, TestServer

from bot.client import StemcordClient
from bot.database.engine import Database
from bot.database.page_links import PageLinks
from bot.database.repository import Repository
from bot.web import channel_access
from bot.web.app import Site
from bot.web.channel_access import DiscordChannelAccess
from bot.web.signed_links import PageAddresses, TokenSigner
from bot.web.sources.stored import StoredSource
from tests.bot.components.test_result_actions import CLIP, Place, answer_of, labels
from tests.bot.world import PlayedWorker, until
from worker.store import Store

PUBLIC = "https://stems.example"
TICKETS = TokenSigner(b"a secret of this test, long enough")


@pytest.fixture
def pages(database: Database) -> PageAddresses:
    return PageAddresses(PageLinks(database), TICKETS, public_url=PUBLIC, hours=24)


@pytest.fixture
def place(env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker) -> Place:
    return Place(env, channel, alice, played)


@pytest.fixture
async def browser(
    simcord_bot: StemcordClient, database: Database, repository: Repository, store: Store
) -> AsyncIterator[TestClient]:
    services, access = simcord_bot.services, DiscordChannelAccess(simcord_bot)
    rename = services.submitter.rename_speakers
    source = StoredSource(
        PageLinks(database), repository, store, access, rename, services.transcripts, services.tracker.running
    )
    site = Site(source, TICKETS, public_url=PUBLIC)
    async with TestClient(TestServer(site.application())) as browser:
        yield browser


@pytest.fixture
def moderator(place: Place) -> simcord.MemberActor:
    role = place.env.guild.create_role("mods", permissions=discord.Permissions(manage_messages=True))
    return place.env.guild.add_member(place.env.create_user("mod"), roles=[role])


async def open_page(place: Place, who: simcord.MemberActor | None = None) -> tuple[Any, str]:
    """The private answer, and the path of the page."""
    private = answer_of(await place.press("Open page", who))
    assert labels(private) == ["Open page", "Revoke all links"]
    address = private.components[0]["components"][0]["url"]
    assert address.startswith(PUBLIC + "/r/")
    return private, address.removeprefix(PUBLIC).rstrip("/")


async def test_the_button_brings_a_page_in_private(place: Place, browser: TestClient) -> None:
    await place.bring()
    private, page = await open_page(place)
    assert private.content.startswith("This link expires <t:")
    text = await (await browser.get(page + "/")).text()
    assert "<h1>talk</h1>" in text
    assert "Hello @everyone" in text
    assert 'id="names"' in text


async def test_a_running_job_has_a_page_where_another_process_follows_it(
    place: Place, browser: TestClient, simcord_bot: StemcordClient
) -> None:
    place.result = await place.alice.slash(place.channel, "process", clip=CLIP)
    job = await place.played.job()
    await place.played.take()
    await until(place.env, lambda: place.result.response is not None and "Open page" in labels(place.result.response))
    simcord_bot.services.tracker.running.end(job.id)
    _, page = await open_page(place)
    assert "data-pending" in await (await browser.get(page + "/")).text()


async def test_a_stranger_gets_no_link(place: Place) -> None:
    await place.bring()
    bob = place.env.guild.add_member(place.env.create_user("bob"))
    assert answer_of(await place.press("Open page", bob)).content.startswith("Only the person who asked")


async def test_all_links_are_taken_back_at_a_press_also_after_a_restart(
    place: Place,
    browser: TestClient,
    moderator: simcord.MemberActor,
    make_client: Callable[[], StemcordClient],
) -> None:
    await place.bring()
    private, page = await open_page(place)
    _, other = await open_page(place, moderator)
    await place.env.restart_bot(make_client())
    await place.alice.click(private.message, label="Revoke all links")
    assert private.message.content == "All 2 links to this page no longer work."
    for path in (page, other):
        assert (await browser.get(path + "/")).status == 410


async def test_a_name_given_on_the_page_comes_into_the_message(
    place: Place, browser: TestClient, moderator: simcord.MemberActor
) -> None:
    await place.bring()
    _, page = await open_page(place, moderator)
    answer = await browser.post(page + "/names", json={"A": "Anna"})
    assert await answer.json() == {"A": "Anna", "B": "Speaker 2"}
    job = await place.newest()
    assert dict(job.request.names) == {"A": "Anna"}
    assert job.reply_to is not None
    assert job.reply_to.message_id == str(place.message.id)


async def test_who_left_the_server_sees_the_page_no_longer(
    place: Place, browser: TestClient, moderator: simcord.MemberActor
) -> None:
    await place.bring()
    _, page = await open_page(place, moderator)
    place.env.guild.remove_member(moderator)
    answer = await browser.get(page + "/")
    assert answer.status == 403
    assert "no longer see the channel" in await answer.text()


async def test_who_may_not_see_the_channel_sees_no_page(
    place: Place, browser: TestClient, simcord_bot: StemcordClient
) -> None:
    await place.bring()
    _, page = await open_page(place)
    hidden = discord.PermissionOverwrite(view_channel=False)
    channel = simcord_bot.get_channel(place.channel.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.set_permissions(channel.guild.default_role, overwrite=hidden)
    assert (await browser.get(page + "/")).status == 403


async def test_discord_is_asked_once_in_a_while(place: Place, browser: TestClient) -> None:
    await place.bring()
    _, page = await open_page(place)
    for _ in range(4):
        assert (await browser.get(page + "/")).status == 200
    asked = [entry for entry in place.env.http_requests if f"/members/{place.alice.id}" in entry.path]
    assert len(asked) == 1


async def test_a_discord_that_is_away_is_no_reason_to_show_the_page(
    place: Place, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_access, "ASK_TIMEOUT_S", 0.2)
    await place.bring()
    _, page = await open_page(place)
    place.env.inject_error("GET", "/guilds/*/members/*", times=None)
    answer = await browser.get(page + "/")
    assert answer.status == 503
    assert "cannot be reached" in await answer.text()
