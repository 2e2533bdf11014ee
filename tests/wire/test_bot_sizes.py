"""A server with 10 MiB for a file, and parts of 200 MiB: what fits comes, and the card says where the rest is."""

import io
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from msgspec import structs

from pipeline.media.probe import probe
from tests.wire.answers import result_of
from tests.wire.conftest import SAMPLE
from tests.wire.losses import job_of
from tests.wire.stack import Stack
from worker.protocol import decode_cache_entry, encode
from worker.store import Store

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

MIB = 1024 * 1024
RATE = 192_000
LARGE = 200 * MIB


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four seconds that no other test sends."""
    path = tmp_path / "long.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", "44", "-i", str(SAMPLE), "-t", "4"]
    subprocess.run([*command, "-c", "copy", str(path)], check=True, timeout=60, stdin=subprocess.DEVNULL)
    return path


def write_large(path: Path, seed: int) -> float:
    """A lossless file of more than 200 MiB, as noise does not compress; its length in seconds."""
    second = np.random.default_rng(seed).uniform(-0.3, 0.3, (RATE, 2)).astype(np.float32)
    seconds = 0
    with soundfile.SoundFile(path, "w", RATE, 2, subtype="PCM_24", format="FLAC", compression_level=0) as file:
        while path.stat().st_size <= LARGE:
            file.write(second)
            seconds += 1
    return float(seconds)


async def test_parts_of_200_mib_come_as_copies_that_fit(stack: Stack, clip: Path, tmp_path: Path) -> None:
    assert stack.fake.knobs.size_limit == 10 * MIB
    first = await stack.fake.slash("separate", clip=clip, route="dialogue", parts="none")
    assert "vocals.flac" in (await result_of(stack, first)).files
    store = Store.open(stack.store_url)
    seconds = write_large(tmp_path / "large.flac", 1)
    for key in await store.references.of_job((await job_of(stack, first)).id):
        entry = (
            decode_cache_entry(await store.get_cache_entry(key) or b"{}") if await store.get_cache_entry(key) else None
        )
        if entry is not None and "vocals.flac" in entry.artefacts:
            large = {name: await store.put(tmp_path / "large.flac", name=name) for name in entry.artefacts}
            await store.put_cache_entry(key, encode(structs.replace(entry, artefacts=large)))
    start = len(stack.fake.recorder.exchanges)
    message = await result_of(stack, await stack.fake.slash("separate", clip=clip, route="dialogue", parts="none"))
    assert {"vocals.opus", "background.opus"} <= set(message.files), f"{message.text}\n{stack.report()}"
    assert len(message.files) <= 10
    for name in ("vocals.opus", "background.opus"):
        sound = message.files[name]
        assert 2 * MIB < sound.size <= 10 * MIB
        assert sound.data[:4] == b"OggS"
        heard = tmp_path / name
        heard.write_bytes(sound.data)
        assert abs(probe(heard).media.duration - seconds) < 0.1
        assert soundfile.info(io.BytesIO(sound.data)).channels == 2
    text = message.text.replace("\\", "")
    assert "Smaller copy here:** vocals.flac (2" in text
    assert "→ vocals.opus" in text
    assert "Use /share" in text
    assert not [e for e in stack.fake.recorder.exchanges[start:] if e.status == 413]
    assert all(len(upload.data) <= 10 * MIB for e in stack.fake.recorder.exchanges[start:] for upload in e.uploads)
