"""The stages of speech with their results kept on disk, so that a change of one stage costs that stage alone.

A result is found again by the content of the stage's input and the stage's version, as a worker finds it. So a stage
whose version was not raised has to be run anew with `fresh`.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.worker_process import worker_python
from pipeline.models.loader import Models
from pipeline.speech.contracts import DIARIZE, TRANSCRIBE
from tests.bench.speech_stages import diarize, extract, prepare_speech
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
RECOGNISER = (str(ROOT / "tests/bench/recognition_batch.py"),)


@dataclass(slots=True)
class CachedStages:
    """Results of `prepare_speech`, `diarize` and `transcribe` under a folder."""

    folder: Path
    fresh: Sequence[str] = ()
    """Stages whose results are not taken from disk."""
    language: str | None = "en"
    """None: it is detected."""
    _child: "subprocess.Popen[str] | None" = field(default=None, init=False)

    @property
    def models(self) -> Models:
        """Converted weights stay in the folder."""
        return Models(self.folder / "home", "cpu")

    def prepare(self, sound: Path) -> Path:
        """What the speech models hear of a sound."""
        place = self._place("prepare_speech", "1", sound)
        if not (place / "done").exists():
            extracted = extract(sound, place / "extract", self.models)
            prepare_speech(extracted, place, self.models).rename(place / "speech.flac")
            shutil.rmtree(place / "extract")
            (place / "done").touch()
        return place / "speech.flac"

    def diarize(self, speech: Path) -> Path:
        """Who is heard when, in the whole mix."""
        place = self._place(DIARIZE.name, str(DIARIZE.version), speech)
        if DIARIZE.name in self.fresh or not (place / "done").exists():
            diarize(speech, place, self.models)
            (place / "done").touch()
        return place / "diarization.json"

    def transcribe(self, speech: Path, diarization: Path) -> Path:
        """The words."""
        version = f"{TRANSCRIBE.version}{'' if self.language == 'en' else self.language}"
        place = self._place(TRANSCRIBE.name, version, speech, diarization)
        if TRANSCRIBE.name in self.fresh or not (place / "done").exists():
            order = {"speech": str(speech), "diarization": str(diarization), "out": str(place)}
            self._ask(order | ({} if self.language is None else {"language": self.language}))
            (place / "done").touch()
        return place / "recognition.json"

    def close(self) -> None:
        """End the recogniser's process."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()

    def _place(self, stage: str, version: str, *inputs: Path) -> Path:
        digest = hashlib.sha256(version.encode())
        for path in inputs:
            digest.update(path.read_bytes())
        return self.folder / stage / digest.hexdigest()[:24]

    def _ask(self, order: dict[str, str]) -> None:
        if self._child is None:
            python = worker_python("asr", WorkerSettings())
            self._child = subprocess.Popen(
                [str(python), *RECOGNISER, str(self.folder / "home")],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(order) + "\n")
        self._child.stdin.flush()
        if not self._child.stdout.readline():
            raise SystemExit(f"The recogniser's process ended without an answer on {order['speech']}.")


@contextmanager
def cached_stages(folder: Path, fresh: Sequence[str] = (), language: str | None = "en") -> Generator[CachedStages]:
    """Stages whose recogniser ends with the block."""
    stages = CachedStages(folder, fresh, language)
    try:
        yield stages
    finally:
        stages.close()
