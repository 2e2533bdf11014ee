"""What the operator owes: a copy of a person's data, terms and a privacy policy."""

import asyncio
import io
import json
import socket
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.wire.answers import CHINESE, private, shows
from tests.wire.light import FILES, LightStack
from tests.wire.openapi import Description
from tests.wire.processes import ROOT
from tests.wire.world import MIB

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"a clip of some length")
    return path


@pytest_asyncio.fixture(loop_scope="session")
async def served(tmp_path: Path, description: Description) -> AsyncIterator[tuple[LightStack, str]]:
    """A bot with pages, run by somebody who is named."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/stems"
    settings = {
        "STEMCORD_PUBLIC_URL": url,
        "STEMCORD_WEB_PORT": str(port),
        "STEMCORD_OPERATOR": "The <b>Cutting</b> Room",
        "STEMCORD_CONTACT": "stems@example.org",
    }
    async with LightStack.start(tmp_path, settings=settings) as stack:
        yield stack, url
        assert not (found := stack.fake.violations(description)), found


async def test_a_person_gets_a_copy_of_everything_but_voices(light: LightStack, clip: Path) -> None:
    person = light.fake.world.add_person("petra")
    asked = await light.fake.slash("separate", clip=clip, by=person)
    job = await light.job(of=asked)
    voices = await light.store.put(clip, name="voices.json")
    large = {**FILES, "stems/music.flac": b"m" * 11 * MIB}
    await light.finish(await light.take(job), job, large, voices=voices)
    await shows(light, asked.original, lambda m: bool(m.files), 10)
    await light.confirmed()
    told = await private(light, await light.fake.slash("privacy", by=person, export=True))
    assert told.text.startswith("This is what is stored about you.")
    archive = zipfile.ZipFile(io.BytesIO(told.files["my-data.zip"].data))
    names = archive.namelist()
    (folder,) = {name.partition("/")[0] for name in names if "/" in name}
    assert archive.read(f"{folder}/sent/1-talk.mp4") == clip.read_bytes()
    assert archive.read(f"{folder}/result/stems/vocals.flac") == FILES["stems/vocals.flac"]
    data = json.loads(archive.read("data.json"))
    assert data["user_id"] == person["id"]
    assert [entry["clip"] for entry in data["jobs"]] == ["talk.mp4"]
    assert data["jobs"][0]["result"]["language"] == "en"
    assert data["left_out"] == [f"{folder}/result/stems/music.flac"]
    assert data["usage"]
    assert data["jobs"][0]["result"]["voices"] is None
    assert voices.digest not in archive.read("data.json").decode()
    assert "interaction_token" not in archive.read("data.json").decode()


async def test_a_copy_of_nothing_and_the_button(light: LightStack) -> None:
    person = light.fake.world.add_person("nemo")
    shown = await private(light, await light.fake.slash("privacy", by=person, locale=CHINESE))
    pressed = await light.fake.click("stemcord:export", shown, by=person, locale=CHINESE)
    told = await private(light, pressed)
    assert told.text.startswith("这是关于你保存的全部内容")
    data = json.loads(zipfile.ZipFile(io.BytesIO(told.files["my-data.zip"].data)).read("data.json"))
    assert data["jobs"] == []


async def test_terms_and_privacy_are_served_under_the_operators_name(served: tuple[LightStack, str]) -> None:
    stack, url = served
    async with aiohttp.ClientSession() as session:
        for name, word in (("terms", "Terms of use"), ("privacy", "Privacy policy")):
            async with session.get(f"{url}/{name}") as answer:
                text = await answer.text()
                assert answer.status == 200
                assert f"<h1>{word}</h1>" in text
                assert "The &lt;b&gt;Cutting&lt;/b&gt; Room" in text
                assert "stems@example.org" in text
                assert "{" not in text
        (stack.folder / "home" / "terms.md").write_text("# Our own\n\nBy {operator}.\n<script>alert(1)</script>\n")
        async with session.get(f"{url}/terms") as answer:
            text = await answer.text()
            assert "<h1>Our own</h1>" in text
            assert "<script>" not in text


async def test_doctor_says_whether_the_application_names_them(light: LightStack) -> None:
    code = "from deploy.cli.checks import check_application_links as c; f = c(); print(f.status, f.detail, f.hint)"
    environment = {**light.environment, **light.fake.environment, "PATH": "/usr/bin"}
    environment["PYTHONPATH"] += f":{ROOT}"
    environment["STEMCORD_PUBLIC_URL"] = "https://stems.example"

    async def ask() -> str:
        command = [sys.executable, "-c", code]
        done = await asyncio.to_thread(
            subprocess.run, command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    said = await ask()
    assert said.startswith("warning the application has no link to its terms and privacy")
    assert "https://stems.example/terms" in said
    light.fake.world.application |= {
        "terms_of_service_url": "https://stems.example/terms",
        "privacy_policy_url": "https://stems.example/privacy",
    }
    assert (await ask()).startswith("ok ")
