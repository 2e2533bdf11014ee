"""Many inputs by chance of a seed, in several processes with an engine each, and what became of them."""

import asyncio
import multiprocessing
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from pipeline.catalog import MAX_DURATION
from tests.fuzz.confined import SECRET, Verdict, confined_stages
from tests.fuzz.documents import make_edits, make_manifest, make_transcript, make_voice_book
from tests.fuzz.dubs import make_dub_zip
from tests.fuzz.inputs import KINDS, HostileInput, Kind
from tests.fuzz.mutators import mutate
from tests.fuzz.references import Bait, make_reference
from tests.fuzz.seed_files import make_seeds

SLOW_S = 10.0
PROGRESS_EVERY = 500
_WEIGHTS: Mapping[Kind, int] = {
    "media": 76,
    "reference": 9,
    "dub track": 2,
    "dub zip": 5,
    "manifest": 2,
    "transcript": 4,
    "edits": 4,
    "voice-book": 2,
}
SHORT_S = 60.0
"""Seconds that most clips may last, ..."""
LONG = 0.03
"""... and the share of those that may last as long as anybody's."""
THOROUGH = 0.5
"""Share of the clips that are extracted and muxed as well when they are accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """What must not happen, and by which input."""

    number: int
    kind: Kind
    name: str
    made: str
    verdict: Verdict
    content: bytes


@dataclass(kw_only=True)
class Outcome:
    """What became of all inputs."""

    endings: Counter[tuple[Kind, str]] = field(default_factory=Counter[tuple[Kind, str]])
    errors: Counter[str] = field(default_factory=Counter[str])
    stages: Counter[str] = field(default_factory=Counter[str])
    """Last stage that each input came to."""
    finds: list[Find] = field(default_factory=list[Find])
    peak_bytes: int = 0
    slow: list[str] = field(default_factory=list[str])
    """Inputs that took more than `SLOW_S`."""
    slowest_s: float = 0.0
    seconds: float = 0.0

    def add(self, other: "Outcome") -> None:
        """Add what another process found."""
        self.endings += other.endings
        self.errors += other.errors
        self.stages += other.stages
        self.finds += other.finds
        self.slow += other.slow
        self.peak_bytes = max(self.peak_bytes, other.peak_bytes)
        self.slowest_s = max(self.slowest_s, other.slowest_s)

    def note(self, number: int, sent: HostileInput, verdict: Verdict) -> None:
        """Take note of an input and what became of it."""
        self.endings[sent.kind, verdict.ending] += 1
        self.stages[verdict.stage] += 1
        if verdict.error:
            self.errors[verdict.error] += 1
        self.peak_bytes = max(self.peak_bytes, verdict.peak_bytes)
        self.slowest_s = max(self.slowest_s, verdict.seconds)
        if verdict.seconds > SLOW_S:
            self.slow.append(f"{number} ({sent.kind}, {sent.made}): {verdict.seconds:.1f} s, {verdict.stage}")
        if verdict.is_find:
            self.finds.append(
                Find(
                    number=number,
                    kind=sent.kind,
                    name=sent.name,
                    made=sent.made,
                    verdict=verdict,
                    content=sent.content,
                )
            )


def make_input(seed: int, number: int, seeds: Mapping[str, bytes], bait: Bait) -> HostileInput:
    """Make the input of a number; it depends on nothing but the seed."""
    rng = random.Random(f"{seed}:{number}")
    match rng.choices(KINDS, [_WEIGHTS[kind] for kind in KINDS])[0]:
        case "reference":
            return make_reference(bait, seeds, rng)
        case "dub zip":
            return make_dub_zip(bait, seeds, rng)
        case "manifest":
            return make_manifest(rng, seeds["pcm.wav"])
        case "transcript":
            return make_transcript(rng)
        case "edits":
            return make_edits(rng)
        case "voice-book":
            return make_voice_book(rng)
        case kind:
            name = rng.choice(sorted(seeds))
            content, made = mutate(seeds[name], rng, tuple(seeds.values()))
            other = rng.choice(sorted(seeds)) if rng.random() < 0.1 else name
            named = f"clip{Path(other).suffix}"
            return HostileInput(
                kind=kind,
                name=named,
                content=content,
                made=f"{name}: {made}",
                max_duration=MAX_DURATION if rng.random() < LONG else SHORT_S,
                thorough=rng.random() < THOROUGH,
            )


def run_experiment(seed: int, numbers: Sequence[int], processes: int) -> Outcome:
    """Send the inputs of some numbers through the stages."""
    started = time.monotonic()
    seeds = make_seeds()
    total = Outcome()
    shares = [(seed, numbers[first::processes], seeds) for first in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for outcome in pool.starmap(_run_share, shares, chunksize=1):
            total.add(outcome)
    total.finds.sort(key=lambda find: find.number)
    total.seconds = time.monotonic() - started
    return total


def _run_share(seed: int, numbers: Sequence[int], seeds: Mapping[str, bytes]) -> Outcome:
    os.environ["STEMCORD_PAGE_SECRET"] = SECRET
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()], logger_factory=structlog.ReturnLoggerFactory()
    )
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        return asyncio.run(_send(Path(folder), seed, numbers, seeds))


async def _send(folder: Path, seed: int, numbers: Sequence[int], seeds: Mapping[str, bytes]) -> Outcome:
    outcome, started = Outcome(), time.monotonic()
    async with confined_stages(folder, seeds) as stages:
        for done, number in enumerate(numbers, start=1):
            sent = make_input(seed, number, seeds, stages.watched.bait)
            verdict = await stages.judge(sent)
            outcome.note(number, sent, verdict)
            if verdict.is_find:
                print(f"input {number} ({sent.kind}, {sent.made}): {verdict}", flush=True)
            if done % PROGRESS_EVERY == 0:
                print(f"{done} of {len(numbers)} after {time.monotonic() - started:.0f} s", flush=True)
    return outcome
