"""“Delete mine” leaves nothing of a person's clips in the store, and all of it that another person's job uses."""

import hashlib
import subprocess
import time
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.folders import files_below
from tests.wire.answers import private, result_of, shows
from tests.wire.conftest import SAMPLE
from tests.wire.losses import job_of
from tests.wire.objects import Message
from tests.wire.shapes import Json
from tests.wire.stack import Stack
from worker.protocol import Finished, Job
from worker.queue import Queue

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Five seconds that no other test sends."""
    path = tmp_path / "secret.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", "12", "-i", str(SAMPLE), "-t", "5"]
    subprocess.run([*command, "-c", "copy", str(path)], check=True, timeout=60, stdin=subprocess.DEVNULL)
    return path


def kept(stack: Stack) -> set[str]:
    """Every file of the store: clips, stems, transcripts, what lies between, cache entries and references."""
    root = Path(stack.store_url.removeprefix("file://"))
    return {str(path.relative_to(root)) for path in files_below(root)}


def blob(data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f"blobs/{digest[:2]}/{digest}"


def of_both(message: Message) -> set[str]:
    """Files that two people's messages have; the picture, which shows the words for one of them, is not among them."""
    return {blob(file.data) for name, file in message.files.items() if name != "report.png"}


async def reused(stack: Stack, job: Job) -> bool:
    """Whether all that a job needed was in the store."""
    async with Queue.connect(stack.broker_url) as queue:
        async for event in queue.events(job.id):
            if isinstance(event, Finished):
                return all(timing.reused for timing in event.result.timings)
    raise LookupError(job.id)


async def delete_all(stack: Stack, person: Json, count: int) -> None:
    told = await private(stack, await stack.fake.slash("privacy", by=person))
    for _ in range(2):
        button = next(key for key in told.buttons if "forget" in key)
        await stack.fake.click(button, told, by=person)
    await shows(stack, told, lambda m: "Deleted:" in m.text, 20)
    assert ("one clip" if count == 1 else f"{count} clips") in told.text


async def test_nothing_is_left_but_what_another_person_uses(stack: Stack, clip: Path) -> None:
    before = kept(stack)
    ann = await stack.fake.add_person(f"ann{time.monotonic_ns()}")
    ben = await stack.fake.add_person(f"ben{time.monotonic_ns()}")
    hers = await result_of(stack, await stack.fake.slash("process", clip=clip, language="en", by=ann))
    shared = await result_of(stack, await stack.fake.slash("separate", clip=clip, by=ben))
    assert {"transcript.txt", "final.mp4", "vocals.flac"} <= set(hers.files)
    own = {blob(hers.files[name].data) for name in ("final.mp4", "transcript.txt")}
    assert own <= kept(stack)
    await delete_all(stack, ann, 1)
    left = kept(stack)
    assert not own & left
    assert of_both(shared) | {blob(clip.read_bytes())} <= left
    again = await stack.fake.slash("separate", clip=clip, by=ben)
    assert of_both(await result_of(stack, again)) == of_both(shared)
    assert await reused(stack, await job_of(stack, again))
    await delete_all(stack, ben, 2)
    assert kept(stack) == before
    scratch = stack.folder / "home" / "scratch"
    assert {path.name.partition("-")[0] for path in scratch.iterdir()} == {"bot", "worker"}

    def is_empty() -> bool:
        return not [path for path in files_below(scratch) if path.name != ".lock"]

    # A result of a test before may still be on its way.
    await stack.fake.wait(is_empty, 20, "the temporary files to go")
