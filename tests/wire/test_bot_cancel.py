"""Cancel: answered at once, for those who may, and nothing that was finished is done again."""

import subprocess
import time
from pathlib import Path

import imageio_ffmpeg
import pytest

from pipeline.types import Result
from tests.wire import rights
from tests.wire.answers import CHINESE, id_for, in_chinese, private, result_of, shows
from tests.wire.conftest import SAMPLE
from tests.wire.stack import Stack
from worker.protocol import Finished
from worker.queue import Queue

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """Nine seconds of sound that no other test sends."""
    path = tmp_path / "fresh.wav"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(SAMPLE), "-ss", "30", "-t", "9"]
    subprocess.run([*command, "-vn", "-c:a", "pcm_s16le", str(path)], check=True, timeout=60, stdin=subprocess.DEVNULL)
    return path


async def kept_result(stack: Stack, job_id: str) -> Result:
    async with Queue.connect(stack.broker_url) as queue:
        async for event in queue.events(job_id):
            if isinstance(event, Finished):
                return event.result
    raise LookupError(job_id)


async def test_cancel_answers_at_once_and_keeps_what_is_finished(stack: Stack, fresh: Path) -> None:
    asr = stack.workers["asr"]
    # Nobody writes the words down, so the job stops behind the sound that is taken apart.
    asr.pause()
    try:
        interaction = await stack.fake.slash("process", clip=fresh, language="en")
        message = await shows(stack, interaction.original, lambda m: "✓ Taking the sound apart" in m.text, 120)
        pressed_at = time.monotonic()
        pressed = await stack.fake.click(id_for(message, "cancel"), message, locale=CHINESE)
        told = await private(stack, pressed, limit=2.0)
        assert time.monotonic() - pressed_at < 2.0
        assert told.text == in_chinese("cancelling")
        await shows(stack, message, lambda m: "Cancelled. Finished work is kept" in m.text, 10)
    finally:
        asr.resume()
    assert id_for(message, "again")
    # Asked for anew without the words, it goes on from what was finished.
    parts = await result_of(stack, await stack.fake.slash("separate", clip=fresh))
    result = await kept_result(stack, id_for(parts, "dub").rpartition(":")[2])
    reused = {timing.stage: timing.reused for timing in result.timings}
    assert reused["extract"]
    assert reused["separate"]


async def test_cancel_is_for_the_person_who_asked_and_for_moderators(stack: Stack, scene: Path) -> None:
    stranger = await stack.fake.add_person("stan")
    moderator = await stack.fake.add_person("milo", rights.MANAGE_MESSAGES)
    stack.workers["media"].pause()
    try:
        interaction = await stack.fake.slash("separate", clip=scene)
        message = await shows(stack, interaction.original, lambda m: bool(m.buttons), 10)
        button = id_for(message, "cancel")
        refused = await private(stack, await stack.fake.click(button, message, by=stranger, locale=CHINESE))
        assert refused.text.startswith("只有提交者本人")
        assert "Cancelled." not in message.text
        await stack.fake.click(button, message, by=moderator)
        await shows(stack, message, lambda m: m.text.endswith("Again") and "Cancelled." in m.text, 2)
    finally:
        stack.workers["media"].resume()
    stale = {"custom_id": button, "component_type": 2, "id": 1}
    late = await private(stack, await stack.fake.use(stale, message, locale=CHINESE))
    assert late.text.startswith("这个任务已经结束")
