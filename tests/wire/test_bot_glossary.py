"""What a server puts into its glossary goes with its clips."""

from pathlib import Path

import pytest

from tests.wire import rights
from tests.wire.answers import CHINESE, in_chinese, private, result_of, shows
from tests.wire.stack import Stack
from worker.queue import Queue

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


async def test_terms_of_a_server_end_up_in_the_request_of_a_job(stack: Stack, scene: Path, tmp_path: Path) -> None:
    manager, person = await stack.fake.add_person("gwen", rights.MANAGE_GUILD), await stack.fake.add_person("gus")
    file = tmp_path / "terms.txt"
    file.write_text("# people\nSiobhan = Shivawn\n")
    added = await stack.fake.slash("glossary add", by=manager, locale=CHINESE, terms="Kubernetes", file=file)
    try:
        assert (await private(stack, added)).text.startswith(in_chinese("glossary-added", count=2))
        listed = await private(stack, await stack.fake.slash("glossary list", by=person))
        assert "Kubernetes\nSiobhan = Shivawn" in listed.text
        stack.workers["media"].pause()
        try:
            sent = await stack.fake.slash("separate", clip=scene, route="basic", by=person)
            await shows(stack, sent.original, lambda m: bool(m.buttons), 10)
            async with Queue.connect(stack.broker_url) as queue:
                requests = [
                    state.job.request
                    for state in await queue.jobs()
                    if state.job.reply_to is not None and state.job.reply_to.user_id == person["id"]
                ]
        finally:
            stack.workers["media"].resume()
        assert [request.glossary_terms for request in requests] == [("Kubernetes", "Siobhan = Shivawn")]
        await result_of(stack, sent)
    finally:
        for term in ("Kubernetes", "Siobhan"):
            await private(stack, await stack.fake.slash("glossary remove", by=manager, term=term))


async def test_what_is_refused_is_told_in_the_language_of_the_person(stack: Stack) -> None:
    person = await stack.fake.add_person("greta", rights.MANAGE_MESSAGES)
    refused = await private(
        stack, await stack.fake.slash("glossary add", by=person, terms="Kubernetes", locale=CHINESE)
    )
    assert refused.text == in_chinese("not-manager")
    manager = await stack.fake.add_person("gina", rights.MANAGE_GUILD)
    short = await private(stack, await stack.fake.slash("glossary add", by=manager, terms="ab", locale=CHINESE))
    assert short.text == f"{in_chinese('term-short', term='ab')} {in_chinese('term-short-hint')}"
    with pytest.raises(LookupError, match="not offered there"):
        await stack.fake.slash("glossary list", private=True, locale=CHINESE)
