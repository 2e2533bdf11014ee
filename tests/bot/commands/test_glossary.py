"""`/glossary`, and what becomes of its terms."""

from typing import Any

import pytest
import simcord

from bot.client import StemcordClient
from bot.commands.help import help_text
from bot.database.engine import Database
from bot.database.glossaries import Glossaries
from bot.database.models import GuildSettings
from bot.database.repository import Repository
from bot.database.transcript_edits import TranscriptEdits
from bot.i18n.translator import LOCALES, Translator
from pipeline.edits.operations import RenameSpeaker
from pipeline.types import Request
from tests.bot.commands.test_server_commands import manager as manager
from tests.bot.components.test_result_actions import Place, answer_of
from tests.bot.components.test_result_actions import place as place
from tests.bot.world import Host, PlayedWorker, card_text

CLIP = ("talk.mp4", b"a clip of some length")


@pytest.fixture
def guild(env: simcord.Env, channel: simcord.ChannelHandle) -> str:
    return str(env.guild.id)


async def test_terms_are_added_shown_and_removed(
    channel: simcord.ChannelHandle, manager: simcord.MemberActor, glossaries: Glossaries, guild: str
) -> None:
    assert "It has no terms yet." in card_text(answer_of(await manager.slash(channel, "glossary list")))
    done = await manager.slash(channel, "glossary add", terms="Siobhan = Shivawn, Kubernetes、 Qdrant,")
    assert answer_of(done).content == "Added 3 terms. The glossary has 3 terms, for all clips sent from now on."
    done = await manager.slash(channel, "glossary add", terms="Kubernetes")
    assert answer_of(done).content.startswith("Nothing was added: it is all there already.")

    shown = card_text(answer_of(await manager.slash(channel, "glossary list")))
    assert "Kubernetes\nQdrant\nSiobhan = Shivawn" in shown

    done = await manager.slash(channel, "glossary remove", term="siobhan")
    assert answer_of(done).content == "Removed: Siobhan = Shivawn"
    assert await glossaries.terms(guild) == ("Kubernetes", "Qdrant")


async def test_terms_of_a_file(
    channel: simcord.ChannelHandle, manager: simcord.MemberActor, glossaries: Glossaries, guild: str
) -> None:
    data = "\ufeff# people\r\nSiobhan = Shivawn\r\n\r\nAcme, Inc.\r\n".encode()
    done = await manager.slash(channel, "glossary add", terms="Qdrant", file=("terms.txt", data))
    assert answer_of(done).content.startswith("Added 3 terms.")
    assert await glossaries.terms(guild) == ("Acme, Inc.", "Qdrant", "Siobhan = Shivawn")


async def test_a_long_glossary_is_a_file_that_can_be_added_again(
    channel: simcord.ChannelHandle, manager: simcord.MemberActor, host: Host, glossaries: Glossaries, guild: str
) -> None:
    lines = tuple(sorted(f"Zeppelin {index}" for index in range(500)))
    await glossaries.add(guild, lines)
    answer = answer_of(await manager.slash(channel, "glossary list"))
    assert answer.content.startswith("The glossary has 500 terms")
    assert host.cdn is not None
    (data,) = [data for path, data in host.cdn.bytes.items() if path.endswith("/glossary.txt")]
    assert tuple(data.decode().splitlines()) == lines
    done = await manager.slash(channel, "glossary add", file=("glossary.txt", data))
    assert answer_of(done).content.startswith("Nothing was added")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "No terms were given. Write them with commas"),
        ({"terms": " , ,# no"}, "No terms were given."),
        ({"file": ("a.txt", b"")}, "No terms were given."),
        ({"terms": "five words are too many"}, "The term “five words are too many” is too long."),
        ({"terms": "[x](https://evil.example)"}, "Added one term."),
        ({"terms": "ok, ab"}, "The term “ok” is too short."),
        ({"terms": "x" * 5000}, "is too long."),
        ({"file": ("photo.png", b"\x89PNG\xff")}, "photo.png cannot be read as text. Attach a text file"),
        ({"file": ("a.txt", b"term\n" * 60_000)}, "a.txt has more than 256 kB. Attach a text file"),
        (
            {"file": ("a.txt", b"".join(b"term %d\n" % index for index in range(10_000)))},
            "The glossary would have 10,001 terms; the limit is 1,000. Nothing was changed.",
        ),
    ],
    ids=["nothing", "empty", "empty-file", "words", "markup", "short", "long", "picture", "large", "many"],
)
async def test_what_cannot_be_used_is_told_and_changes_nothing(
    options: dict[str, Any],
    words: str,
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    manager: simcord.MemberActor,
    glossaries: Glossaries,
    guild: str,
) -> None:
    await glossaries.add(guild, ["Kubernetes"])
    answer = answer_of(await manager.slash(channel, "glossary add", **options))
    assert words in answer.content
    assert "](" not in answer.content
    if not answer.content.startswith("Added"):
        assert await glossaries.terms(guild) == ("Kubernetes",)
        assert len(env.errors) == 1


async def test_a_file_that_is_larger_than_discord_says(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    manager: simcord.MemberActor,
    host: Host,
    glossaries: Glossaries,
    guild: str,
) -> None:
    assert host.cdn is not None
    host.cdn.lie = b"term\n" * 60_000
    answer = answer_of(await manager.slash(channel, "glossary add", file=("a.txt", b"term\n")))
    assert answer.content.startswith("a.txt is 300 kB; the limit is 262 kB.")
    assert await glossaries.terms(guild) == ()
    assert len(env.errors) == 1


async def test_a_term_that_is_not_there_is_told(
    env: simcord.Env, channel: simcord.ChannelHandle, manager: simcord.MemberActor
) -> None:
    answer = answer_of(await manager.slash(channel, "glossary remove", term="*" * 3000))
    assert "is not in the glossary. Choose a term that is offered, or look at /glossary list." in answer.content
    assert len(answer.content) < 500
    assert len(env.errors) == 1


async def test_removing_offers_terms(
    channel: simcord.ChannelHandle, manager: simcord.MemberActor, glossaries: Glossaries, guild: str
) -> None:
    long = f"{'w' * 60} = {'v' * 60}"
    await glossaries.add(guild, [*(f"Zeppelin {index}" for index in range(30)), "Siobhan = Shivawn", long])
    assert len(await manager.autocomplete(channel, "glossary remove", "term", "")) == 25
    offered = await manager.autocomplete(channel, "glossary remove", "term", "shiv")
    assert [choice["value"] for choice in offered] == ["Siobhan = Shivawn"]
    (choice,) = await manager.autocomplete(channel, "glossary remove", "term", "WW")
    assert choice["name"].endswith("…")
    await manager.slash(channel, "glossary remove", term=choice["value"])
    assert long not in await glossaries.terms(guild)


async def test_only_those_who_manage_the_server_change_it_and_those_who_may_use_the_bot_see_it(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    repository: Repository,
    glossaries: Glossaries,
    guild: str,
) -> None:
    await glossaries.add(guild, ["Kubernetes"])
    for command, options in (("add", {"terms": "Qdrant"}), ("remove", {"term": "Kubernetes"})):
        refused = answer_of(await alice.slash(channel, f"glossary {command}", **options))
        assert refused.content.startswith("Only people who may manage this server can change its settings, its")
    assert await glossaries.terms(guild) == ("Kubernetes",)
    assert "Kubernetes" in card_text(answer_of(await alice.slash(channel, "glossary list")))

    team = env.guild.create_role("team")
    await repository.save_guild(GuildSettings(guild_id=guild, roles=(team.id,)))
    refused = answer_of(await alice.slash(channel, "glossary list"))
    assert refused.content.startswith("On this server you need one of these roles")
    assert len(env.errors) == 3


async def test_terms_go_with_each_clip_of_the_server(
    channel: simcord.ChannelHandle,
    alice: simcord.MemberActor,
    manager: simcord.MemberActor,
    played: PlayedWorker,
    glossaries: Glossaries,
) -> None:
    await glossaries.add("1", ["elsewhere"])
    await alice.slash(channel, "transcribe", clip=CLIP)
    await manager.slash(channel, "glossary add", terms="Siobhan = Shivawn")
    await alice.slash(channel, "transcribe", clip=CLIP)
    requests = [state.job.request for state in await played.queue.jobs()]
    assert [request.glossary_terms for request in requests] == [(), ("Siobhan = Shivawn",)]


async def run_again(place: Place) -> Request:
    """The request of the clip that was sent first, after its "Again" was pressed."""
    listed = answer_of(await place.alice.slash(place.channel, "jobs"))
    await place.alice.click(listed.message, label="Again: talk.mp4")
    _, again = await place.played.queue.jobs()
    return again.job.request


async def test_a_clip_that_is_run_again_gets_terms_where_it_has_none(place: Place, glossaries: Glossaries) -> None:
    await place.bring()
    await glossaries.add(str(place.env.guild.id), ["Qdrant"])
    assert (await run_again(place)).glossary_terms == ("Qdrant",)


async def test_corrections_keep_the_words_that_they_were_made_in(
    place: Place, glossaries: Glossaries, database: Database
) -> None:
    await place.bring()
    job = await place.newest()
    await TranscriptEdits(database).save(job.id, [RenameSpeaker(speaker="A", name="Ann")], by="1", base=0)
    await glossaries.add(str(place.env.guild.id), ["Qdrant"])
    request = await run_again(place)
    assert request.transcript_edits is not None
    assert request.glossary_terms == ()


@pytest.mark.parametrize("locale", LOCALES)
def test_help_names_it(locale: str, simcord_bot: StemcordClient) -> None:
    translator = Translator(locale)
    assert f"**/{translator.format('command-glossary')}**" in help_text(simcord_bot.tree, translator, pages=False)
