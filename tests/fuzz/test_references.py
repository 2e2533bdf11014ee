"""An ffmpeg that follows references goes to the baits: what the hostile files say is understood."""

import random
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.fuzz import references
from tests.fuzz.references import Maker, targets
from tests.fuzz.seed_files import make_seeds
from tests.fuzz.watch import Watch, watch


@pytest.fixture(scope="module")
def seeds() -> dict[str, bytes]:
    return make_seeds()


@pytest.fixture
async def watched(tmp_path: Path, seeds: dict[str, bytes]) -> AsyncIterator[Watch]:
    for name in ("outside", "neighbour"):
        (tmp_path / name).mkdir()
    async with watch(tmp_path / "outside", tmp_path / "neighbour", seeds["pcm.wav"]) as watched:
        await watched.take()
        yield watched


@pytest.mark.parametrize(
    ("maker", "options"),
    [
        (references.write_concat_script, ("-f", "concat", "-safe", "0")),
        (references.write_hls_playlist, ("-allowed_extensions", "ALL", "-extension_picky", "0")),
        (references.name_data_in_mp4, ("-enable_drefs", "1", "-use_absolute_path", "1")),
    ],
)
async def test_a_trusting_ffmpeg_follows(
    watched: Watch, seeds: dict[str, bytes], maker: Maker, options: tuple[str, ...], tmp_path: Path
) -> None:
    target = str(watched.bait.outside)
    assert target in targets(watched.bait)
    events: list[str] = []
    for number in range(30):
        suffix, content = maker(target, seeds, random.Random(number))
        path = tmp_path / f"clip{suffix}"
        path.write_bytes(content)
        command = (
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-nostdin",
            "-v",
            "quiet",
            *options,
            "-i",
            str(path),
            "-f",
            "null",
            "-",
        )
        subprocess.run(command, check=False)
        events += await watched.take()
        if events:
            break
    assert any("clip.wav opened" in event for event in events)
