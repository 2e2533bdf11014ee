"""What it costs to encrypt the store: `python -m tests.bench.encryption [--mb 256] [--runs 3]`.

Puts a file into a store on this disk and takes it out again, as it is and encrypted, and says what that means for a
job: an hour of a clip leaves about 1 GB in the store, which is written once and read about twice.
"""

import argparse
import asyncio
import base64
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

from pipeline.types import Artefact
from worker.store import Keyring, Store, read_keyring

JOB_MB_PER_HOUR = 1000.0
READS_PER_JOB = 2
JOB_SECONDS_PER_HOUR = 3600.0
"""A job that takes as long as its clip lasts; a faster one has a larger share."""


async def timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def read_all(stream: AsyncIterator[bytes]) -> None:
    async for _ in stream:
        pass


async def rates(keys: Keyring | None, clip: Path, folder: Path) -> dict[str, float]:
    """MB a second of one run."""
    store = Store.open((folder / f"store-{time.monotonic_ns()}").as_uri(), keys)
    size = clip.stat().st_size / 1e6
    kept: list[Artefact] = []

    async def put() -> None:
        kept.append(await store.put(clip, name="clip.flac"))

    took = {"put": await timed(put())}
    (artefact,) = kept
    took["fetch"] = await timed(store.fetch(artefact, folder / "back"))
    took["stream"] = await timed(read_all(store.stream(artefact, 0, artefact.size)))
    first = [store.stream(artefact, place, place + 1000) for place in range(0, artefact.size, artefact.size // 50)]
    ranges = await timed(asyncio.gather(*map(read_all, first)))
    await store.delete(artefact.digest)
    return {name: size / seconds for name, seconds in took.items()} | {"ranges a second": len(first) / ranges}


def best(runs: list[dict[str, float]]) -> dict[str, float]:
    return {name: max(each[name] for each in runs) for name in runs[0]}


async def measure(mb: int, runs: int) -> None:
    keys = read_keyring("bench:" + base64.b64encode(os.urandom(32)).decode())
    with tempfile.TemporaryDirectory(prefix="stemcord-bench-") as name:
        folder = Path(name)
        clip = folder / "clip.flac"
        clip.write_bytes(os.urandom(mb * 1_000_000))
        plain = best([await rates(None, clip, folder) for _ in range(runs)])
        encrypted = best([await rates(keys, clip, folder) for _ in range(runs)])
    for each in plain:
        unit = "" if "second" in each else " MB/s"
        print(f"{each:16} {plain[each]:8.0f}{unit} as it is, {encrypted[each]:8.0f}{unit} encrypted")
    more = 1 / encrypted["put"] - 1 / plain["put"] + READS_PER_JOB * (1 / encrypted["fetch"] - 1 / plain["fetch"])
    extra = JOB_MB_PER_HOUR * more
    print(f"a job of an hour's clip: {extra:.1f} s more, {100 * extra / JOB_SECONDS_PER_HOUR:.2f} % of its length")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(measure(given.mb, given.runs))


if __name__ == "__main__":
    main()
