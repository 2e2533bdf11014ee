"""How large a file may be: what the interaction says, what refusals taught, and which files are offered to choose."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.wire.answers import id_for, shows
from tests.wire.light import FILES, LightStack
from tests.wire.objects import Message
from tests.wire.world import MIB

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
LARGE = {**FILES, "stems/vocals.flac": b"v" * 15 * MIB, "compact/vocals.opus": b"o" * 1000}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp4"
    path.write_bytes(b"a clip of some length")
    return path


@pytest_asyncio.fixture(loop_scope="session")
async def roomy(light: LightStack) -> AsyncIterator[LightStack]:
    """Discord as it is since September 2026: 20 MiB for a file."""
    knobs = light.fake.knobs
    before, knobs.size_limit = knobs.size_limit, 20 * MIB
    yield light
    knobs.size_limit, knobs.bots_size_limit = before, None


async def result_after_the_token(light: LightStack, clip: Path) -> Message:
    """A result with a file of 15 MiB that the bot has to bring by its own token."""
    asked = await light.fake.slash("separate", clip=clip, age=14 * 60 + 50)
    job = await light.job(of=asked)
    lease = await light.take(job)
    asked.age = 16 * 60
    await light.finish(lease, job, LARGE)
    return await shows(light, asked.original, lambda m: bool(m.files), 20)


def refusals(light: LightStack) -> int:
    return len([e for e in light.fake.recorder.exchanges if e.status == 413])


async def test_what_the_interaction_allows_is_sent_as_it_is(roomy: LightStack, clip: Path) -> None:
    asked = await roomy.fake.slash("separate", clip=clip)
    job = await roomy.job(of=asked)
    assert job.reply_to is not None
    assert job.reply_to.size_limit == 20 * MIB
    await roomy.finish(await roomy.take(job), job, LARGE)
    message = await shows(roomy, asked.original, lambda m: bool(m.files), 20)
    assert message.files["vocals.flac"].size == 15 * MIB
    late = await result_after_the_token(roomy, clip)
    assert late.files["vocals.flac"].size == 15 * MIB
    assert "vocals.opus" not in late.files


async def test_a_refusal_is_an_answer_and_is_remembered_after_a_restart(roomy: LightStack, clip: Path) -> None:
    roomy.fake.knobs.bots_size_limit = 10 * MIB
    before = refusals(roomy)
    message = await result_after_the_token(roomy, clip)
    assert refusals(roomy) == before + 1
    assert "vocals.opus" in message.files
    assert "vocals.flac" not in message.files
    again = await result_after_the_token(roomy, clip)
    assert "vocals.opus" in again.files
    await roomy.confirmed()
    await roomy.kill_bot()
    await roomy.start_bot()
    third = await roomy.fake.slash("separate", clip=clip, age=14 * 60 + 50)
    job = await roomy.job(of=third)
    # So that the worker makes copies that fit.
    assert job.reply_to is not None
    assert job.reply_to.size_limit == 10 * MIB
    lease = await roomy.take(job)
    third.age = 16 * 60
    await roomy.finish(lease, job, LARGE)
    await shows(roomy, third.original, lambda m: "vocals.opus" in m.files, 20)
    assert refusals(roomy) == before + 1


async def test_only_clips_are_offered_to_choose(roomy: LightStack, clip: Path) -> None:
    for name in ("separate", "transcribe", "remix", "process", "dub"):
        options = {option["name"]: option for option in roomy.fake.command(name)["options"]}
        assert {"audio", "video", ".mkv"} <= set(options["clip"]["file_types"])
    assert ".zip" in options["dub"]["file_types"]
    asked = await roomy.fake.slash("separate", clip=clip)
    job = await roomy.job(of=asked)
    await roomy.finish(await roomy.take(job), job)
    message = await shows(roomy, asked.original, lambda m: bool(m.files), 20)
    opened = await roomy.fake.click(id_for(message, "dub"), message)
    assert opened.callback is not None
    (label,) = opened.callback["data"]["components"]
    assert {"audio", ".zip"} <= set(label["component"]["file_types"])
