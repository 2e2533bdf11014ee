"""Sends inputs through the stages in a confined engine, as a worker does, and judges what comes of them."""

import asyncio
import shutil
import time
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from pipeline.catalog import MAX_SIZE
from pipeline.edits.contracts import EDIT_TRANSCRIPT
from pipeline.errors import AudioProcessingError, EngineDiedError, EngineTimeoutError
from pipeline.export.contracts import SUBTITLES
from pipeline.graph.stage import AnyStage, NoParams, Stage
from pipeline.media.contracts import EXTRACT, MUX, PROBE
from pipeline.media.tools.contracts import EDIT_CLIP
from pipeline.mix.contracts import DUB, RENDER_DUB_COMPARISON
from pipeline.speech.speakers.contracts import MATCH_SPEAKERS
from pipeline.types import (
    ChangeRate,
    ContactSheet,
    Cut,
    LoopFormat,
    MakeLoop,
    PictureTurn,
    Resize,
    TakeFrame,
    TakeSound,
    TurnPicture,
)
from tests.fuzz.documents import WHOLE_TRANSCRIPT
from tests.fuzz.inputs import HostileInput
from tests.fuzz.seed_files import MIX, VOCALS
from tests.fuzz.watch import Watch, watch
from tests.fuzz.watched_stages import PEAK_FILE, ManifestInputs, ManifestOutput
from tests.worker.toy_stages import ignore_progress
from worker.app import READER_MODULES
from worker.engine.confinement.memory import reader_memory_bytes
from worker.engine.supervisor import TEMPORARY_FOLDER, EngineSupervisor
from worker.store.scratch import Scratch, scratch_root

STAGE_LIMIT_S = 20.0
SECOND_LIMIT_S = 90.0
"""An input that reaches the first limit is tried again, since the machine may have been busy."""
MEMORY_LIMIT_BYTES = reader_memory_bytes() + (256 << 20)
"""What a process may have, and what it shares with others: the libraries."""
DUB_BYTES = 4_000_000
SECRET = "the-secret-of-the-worker"
_LEAKS = (SECRET.encode(), b"root:x:0:0", b"PATH=")
_LOOKED_AT_BYTES = 1 << 20
_STAGES = "tests.fuzz.watched_stages"

Ending: TypeAlias = Literal["accepted", "refused", "crash", "unnamed", "hang", "memory", "escape", "left"]
FINDS: tuple[Ending, ...] = ("crash", "unnamed", "hang", "memory", "escape", "left")

TOOLS = (
    Cut(start=0.1),
    Cut(start=0.1, quick=True),
    Resize(width=96, height=96),
    ChangeRate(rate=30),
    TurnPicture(turn=PictureTurn.LEFT),
    TakeSound(),
    TakeFrame(at=0.1),
    ContactSheet(columns=2, rows=1),
    MakeLoop(width=48),
    MakeLoop(width=48, form=LoopFormat.WEBP),
)
PACK: AnyStage = Stage(
    name="pack_manifest",
    title="",
    function=f"{_STAGES}:pack_manifest",
    inputs=ManifestInputs[Any],
    params=NoParams,
    output=ManifestOutput[Any],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of an input."""

    ending: Ending
    stage: str
    error: str = ""
    """Type of the error."""
    detail: str = ""
    peak_bytes: int = 0
    seconds: float = 0.0

    @property
    def is_find(self) -> bool:
        """Tell whether this is what must not happen."""
        return self.ending in FINDS


@dataclass(kw_only=True)
class ConfinedStages:
    """An engine that reads the files of strangers, and what is watched around it."""

    engine: EngineSupervisor
    scratch: Scratch
    watched: Watch
    given: Path
    """Folder of files that stages get beside those of a stranger."""
    stage_limit_s: float = STAGE_LIMIT_S
    second_limit_s: float = SECOND_LIMIT_S
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES
    clip_seconds: float = 0.0
    """Length of the clip that was probed; a stage may take longer for a longer one."""

    async def judge(self, sent: HostileInput) -> Verdict:
        """Send an input through the stages that would read it."""
        started = time.monotonic()
        self.clip_seconds = 0.0
        verdict = await self._judge(sent)
        return replace(verdict, seconds=time.monotonic() - started)

    async def run(
        self,
        stage: AnyStage,
        files: Mapping[str, Path | bytes],
        params: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
        beside: Mapping[str, bytes] | None = None,
    ) -> tuple[Verdict, dict[str, Any]]:
        """Run a stage on files, each in a folder of its own; return the verdict and the output."""
        limit = self.stage_limit_s
        while True:
            with self.scratch.folder() as folder:
                paths: dict[str, Path] = {}
                for name, content in files.items():
                    paths[name] = folder / (names or {}).get(name, name)
                    if isinstance(content, Path):
                        shutil.copyfile(content, paths[name])
                    else:
                        paths[name].write_bytes(content)
                for name, content in (beside or {}).items():
                    (folder / name).write_bytes(content)
                (folder / "out").mkdir()
                given = {path.name for path in folder.iterdir()}
                verdict, output = await self._run(stage, paths, params, folder / "out", limit)
                verdict = await self._look_around(verdict, folder, given, str(output))
            longest = self.second_limit_s + stage.limit_per_second * self.clip_seconds
            if verdict.ending != "hang" or limit >= longest:
                return verdict, output
            limit = longest

    async def _judge(self, sent: HostileInput) -> Verdict:
        match sent.kind:
            case "media" | "reference":
                return await self._judge_clip(sent)
            case "dub track" | "dub zip":
                return await self._judge_dub(sent)
            case "manifest":
                manifest = {"manifest": sent.content}
                return (await self.run(PACK, manifest, {}, {"manifest": sent.name}, sent.beside))[0]
            case "transcript":
                files = {"transcript": sent.content, "voices": sent.beside["voices.json"]}
                stage = _watched(SUBTITLES, "write_exports")
                return (await self.run(stage, files, {"names": dict(sent.names)}))[0]
            case "edits":
                files = {"transcript": sent.beside["transcript.json"], "voices": sent.beside["voices.json"]}
                stage = _watched(EDIT_TRANSCRIPT, "apply_edits")
                return (await self.run(stage, {**files, "edits": sent.content}, {}))[0]
            case "voice-book":
                files = {"embeddings": sent.beside["heard.json"], "book": sent.content}
                return (await self.run(_watched(MATCH_SPEAKERS, "match_voices"), files, {}))[0]

    async def _judge_clip(self, sent: HostileInput) -> Verdict:
        suffix = Path(sent.name).suffix
        names = {"source": f"source{suffix}"}
        source = {"source": sent.content}
        limits = {"name": sent.name, "max_duration": sent.max_duration, "max_size": MAX_SIZE}
        verdict, output = await self.run(_watched(PROBE, "probe"), source, limits, names)
        if verdict.ending != "accepted" or not sent.thorough:
            return verdict
        media = output["media"]
        track = {"track": media.get("track")}
        self.clip_seconds = float(media["duration"])
        verdict, _ = await self.run(_watched(EXTRACT, "extract"), source, track, names)
        if verdict.is_find or media.get("video") is None:
            return verdict
        muxed = {"source": sent.content, "sound": self.given / MIX}
        verdict, _ = await self.run(_watched(MUX, "mux"), muxed, {"language": "", **track}, names)
        if verdict.is_find:
            return verdict
        # Which tool it is follows from the input, so that a find can be had again.
        tool = TOOLS[zlib.crc32(sent.content) % len(TOOLS)]
        params = {"tool": msgspec.to_builtins(tool), **track}
        edited, _ = await self.run(_watched(EDIT_CLIP, "edit_clip"), source, params, names)
        return verdict if edited.ending == "refused" else edited

    async def _judge_dub(self, sent: HostileInput) -> Verdict:
        zipped = sent.kind == "dub zip"
        params = {"zipped": zipped, "stretch": 10.0, "keep_vocals": sent.thorough, "max_size": DUB_BYTES}
        files = {"vocals": self.given / VOCALS, "dub": sent.content, "transcript": WHOLE_TRANSCRIPT}
        names = {"dub": f"dub{Path(sent.name).suffix}"}
        if not zipped and not sent.thorough:
            stage = _watched(RENDER_DUB_COMPARISON, "compare_dub")
            return (await self.run(stage, files, {"name": sent.name}, names))[0]
        return (await self.run(_watched(DUB, "dub"), files, params, names))[0]

    async def _run(
        self, stage: AnyStage, paths: Mapping[str, Path], params: Mapping[str, Any], out: Path, limit: float
    ) -> tuple[Verdict, dict[str, Any]]:
        try:
            output, _ = await self.engine.run_stage(stage, paths, params, out, ignore_progress, asyncio.Event(), limit)
        except AudioProcessingError as error:
            kind = type(error).__name__
            detail = f"{error.message} | {error.detail}"
            return Verdict(ending=_ending_of(error), stage=stage.name, error=kind, detail=detail), {}
        return Verdict(ending="accepted", stage=stage.name), output

    async def _look_around(self, verdict: Verdict, folder: Path, given: set[str], output: str) -> Verdict:
        """Look for traces of an escape, and at the memory."""
        peak = _read_peak(folder / PEAK_FILE)
        verdict = replace(verdict, peak_bytes=peak)
        escapes = await self.watched.take()
        told = f"{verdict.detail}{output}".encode()
        escapes += [f"{leak!r} is told" for leak in _LEAKS if leak in told or _holds(folder / "out", leak)]
        if escapes:
            return replace(verdict, ending="escape", detail=f"{escapes} {verdict.detail}")
        left = {path.name for path in folder.iterdir()} - given - {PEAK_FILE, TEMPORARY_FOLDER}
        others = {path.name for path in self.scratch.root.iterdir()}
        left |= others - {folder.name, self.watched.bait.neighbour.parent.name, ".lock"}
        if left:
            return replace(verdict, ending="left", detail=f"{sorted(left)} {verdict.detail}")
        if peak > self.memory_limit_bytes and not verdict.is_find:
            return replace(verdict, ending="memory", detail=f"{peak / 2**20:.0f} MiB {verdict.detail}")
        return verdict


@asynccontextmanager
async def confined_stages(folder: Path, seeds: Mapping[str, bytes]) -> AsyncGenerator[ConfinedStages]:
    """Start an engine in an empty folder."""
    home, outside, given = (folder / name for name in ("home", "outside", "given"))
    for path in (outside, given):
        path.mkdir(parents=True)
    for name in (VOCALS, MIX):
        (given / name).write_bytes(seeds[name])
    scratch = Scratch(scratch_root(home))
    neighbour = scratch.root / "neighbour"
    neighbour.mkdir()
    preload = (*READER_MODULES, _STAGES)
    engine = EngineSupervisor(home, "cpu", scratch=scratch.root, preload=preload, forking=True)
    try:
        async with watch(outside, neighbour, seeds["pcm.wav"]) as watched:
            await engine.start()
            stages = ConfinedStages(engine=engine, scratch=scratch, watched=watched, given=given)
            await watched.take()
            yield stages
    finally:
        await engine.close()
        scratch.close()


def _watched(stage: AnyStage, function: str) -> AnyStage:
    return replace(stage, function=f"{_STAGES}:{function}")


def _ending_of(error: AudioProcessingError) -> Ending:
    if isinstance(error, EngineTimeoutError):
        return "hang"
    if isinstance(error, EngineDiedError) or "exit code -" in error.detail:
        # Also of ffmpeg, by a signal.
        return "crash"
    if "too little memory" in error.message:
        return "memory"
    return "unnamed" if type(error) is AudioProcessingError else "refused"


def _read_peak(path: Path) -> int:
    return int(path.read_text()) if path.exists() else 0


def _holds(folder: Path, leak: bytes) -> bool:
    """Look for a secret in what a stage left."""
    for path in folder.rglob("*"):
        if path.is_symlink():
            return True
        if path.is_file():
            with path.open("rb") as file:
                if leak in file.read(_LOOKED_AT_BYTES):
                    return True
    return False
