"""A summary is made when somebody asks for it, and says by whom."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import simcord
from aiohttp import web

from bot.client import StemcordClient
from bot.messages.formatting import escape
from bot.settings import BotSettings
from tests.bot.components.test_result_actions import FILES, Place, answer_of, menu_of
from tests.bot.summary.model_server import ModelServer, completion
from tests.bot.world import Host, PlayedWorker, walk


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer().serve() as server:
        yield server


@pytest.fixture
def settings(host: Host, tmp_path: Path, server: ModelServer) -> BotSettings:
    return BotSettings(
        home=tmp_path, attachment_hosts=(host.origin,), summary_url=server.url, summary_model="small_model"
    )


@pytest.fixture
async def place(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> Place:
    return await Place(env, channel, alice, played).bring()


def options(place: Place) -> dict[str, str]:
    menu = menu_of(place.message, "more")
    (found,) = [item for item in walk(place.message.components) if item.get("custom_id") == menu]
    return {option["value"]: option.get("description") or "" for option in found["options"]}


async def ask(place: Place, who: simcord.MemberActor | None = None) -> str:
    menu = menu_of(place.message, "more")
    return answer_of(await (who or place.alice).select(place.message, ["summary"], custom_id=menu)).content


async def test_it_is_made_when_it_is_asked_for_and_names_its_maker(place: Place, server: ModelServer) -> None:
    host = server.url.split("/")[2]
    assert options(place)["summary"] == f"Sends the transcript to {host} when you choose this"
    assert server.asked == []
    server.answer = completion("They greet @everyone.\n\n[x](https://evil.example) **is** told.")
    text = await ask(place)
    assert server.texts() == ["0:00 Speaker 1: Hello @everyone [x](https://evil.example)\n0:02 Speaker 2: Good evening"]
    assert f"-# By small\\_model at {host}, from the transcript. It can be wrong." in text
    assert "@everyone" not in text
    assert "https://" not in text
    assert "**is**" not in text


async def test_help_names_who_makes_it(place: Place, server: ModelServer) -> None:
    shown = answer_of(await place.alice.slash(place.channel, "help")).embeds[0].description
    assert f"It is made by small\\_model at {server.url.split('/')[2]}" in shown


async def test_a_long_answer_fits_into_a_message(place: Place, server: ModelServer) -> None:
    server.answer = completion("\n".join("word " * 60 for _ in range(20)))
    text = await ask(place)
    assert 500 < len(text) <= 2000
    assert text.endswith("It can be wrong.")


async def test_a_long_name_of_a_model_leaves_room_for_itself(
    place: Place, simcord_bot: StemcordClient, server: ModelServer
) -> None:
    name = "_".join("abc" * 33)
    assert simcord_bot.services.summarizer is not None
    simcord_bot.services.summarizer.model = name
    server.answer = completion("word " * 900)
    text = await ask(place)
    assert escape(name) in text
    assert len(text) <= 2000


async def test_an_answer_without_anything_to_see_is_none(place: Place, server: ModelServer) -> None:
    server.answer = completion("\u200b\n\u202e")
    assert (await ask(place)).startswith("The summary could not be made.")


async def test_privacy_names_who_gets_the_transcript(place: Place, server: ModelServer) -> None:
    shown = answer_of(await place.alice.slash(place.channel, "privacy")).embeds[0].description
    assert f"its transcript is sent to {server.url.split('/')[2]}" in shown


async def test_deleting_forgets_summaries(place: Place, server: ModelServer, simcord_bot: StemcordClient) -> None:
    await ask(place)
    await ask(place)
    assert len(server.asked) == 1
    other = place.env.guild.add_member(place.env.create_user("stig"))
    asked = answer_of(await other.slash(place.channel, "privacy"))
    await other.click(asked, label="Delete my data")
    await other.click(asked, label="Yes, delete everything")
    await ask(place)
    assert len(server.asked) == 2


async def test_a_model_that_is_away_is_told(place: Place, server: ModelServer) -> None:
    server.answer = web.Response(status=503)
    text = await ask(place)
    assert text.startswith("The summary could not be made.")
    assert "Try again in a minute." in text


async def test_a_stranger_has_nothing_sent(place: Place, server: ModelServer) -> None:
    stranger = place.env.guild.add_member(place.env.create_user("stig"))
    assert (await ask(place, stranger)).startswith("Only the person who asked")
    assert server.asked == []


async def test_a_card_of_a_time_when_it_was_on(place: Place, simcord_bot: StemcordClient, server: ModelServer) -> None:
    simcord_bot.services = replace(simcord_bot.services, summarizer=None)
    assert (await ask(place)).startswith("This bot makes no summaries.")
    assert server.asked == []


async def test_without_a_transcript_there_is_none(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    stems = {name: data for name, data in FILES.items() if name.startswith("stems/")}
    assert "summary" not in options(await Place(env, channel, alice, played).bring(stems))


class TestWithoutAnAddress:
    @pytest.fixture
    def settings(self, host: Host, tmp_path: Path) -> BotSettings:
        return BotSettings(home=tmp_path, attachment_hosts=(host.origin,))

    async def test_it_is_not_offered(self, place: Place) -> None:
        assert "summary" not in options(place)
