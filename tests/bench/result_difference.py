"""Do two versions give the same result: each file of two result folders, byte for byte or by what is in it.

    .venv/bin/python -m tests.bench.result_difference OLD NEW

FLAC and WAV files are compared sample for sample, m4a and mp4 by their decoded samples, JSON without the times that a
run took, everything else byte for byte. The exit code is 1 when a file differs or is missing.
"""

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile

PASSING = {"timings", "seconds", "engine_seconds", "digest", "size"}
"""Fields of JSON that differ from run to run, or say what the files themselves say."""
RENAMED_STAGES = {
    "listen": "prepare_speech",
    "join": "mux",
    "shrink": "compress",
    "voices": "embed_speakers",
    "identify": "match_speakers",
    "compare": "render_dub_comparison",
}


def bytes_of(path: Path) -> str:
    """Give the digest of the file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def samples_of(path: Path) -> str:
    """Give the digest of a sound file's samples."""
    samples, rate = soundfile.read(path, dtype="int32", always_2d=True)
    return f"{rate} {samples.shape} {hashlib.sha256(samples.tobytes()).hexdigest()}"


def streams_of(path: Path) -> str:
    """Give the digest of all decoded sound, and of the packets of the picture."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            digest.update(np.ascontiguousarray(frame.to_ndarray()).tobytes())
    with av.open(str(path)) as container:
        for packet in container.demux(video=0) if container.streams.video else ():
            digest.update(f"{packet.pts} ".encode() + bytes(packet))
    return digest.hexdigest()


def fields_of(path: Path) -> str:
    """Give the JSON without what differs from run to run."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: plain(part) for key, part in value.items() if key not in PASSING}
            return {key: RENAMED_STAGES.get(part, part) if key == "stage" else part for key, part in kept.items()}
        if isinstance(value, list):
            parts = [plain(part) for part in value]
            named = all(isinstance(part, dict) and "name" in part and "media_type" in part for part in parts)
            return sorted(parts, key=lambda part: part["name"]) if named else parts
        return value

    return json.dumps(plain(json.loads(path.read_text())), sort_keys=True, ensure_ascii=False)


READERS: dict[str, Callable[[Path], str]] = {
    ".flac": samples_of,
    ".wav": samples_of,
    ".m4a": streams_of,
    ".mp4": streams_of,
    ".json": fields_of,
}


def differences(old: Path, new: Path) -> list[str]:
    """Compare two folders and print a line a file; give the names of those that differ."""
    names = sorted({str(path.relative_to(root)) for root in (old, new) for path in root.rglob("*") if path.is_file()})
    found: list[str] = []
    for name in names:
        one, other = old / name, new / name
        if not (one.is_file() and other.is_file()):
            state = "only in one folder"
        elif bytes_of(one) == bytes_of(other):
            state = "same bytes"
        else:
            read = READERS.get(one.suffix, bytes_of)
            state = "same content" if read(one) == read(other) else "DIFFERENT"
        print(f"{state:20} {name}")
        if not state.startswith("same"):
            found.append(name)
    return found


if __name__ == "__main__":
    sys.exit(bool(differences(Path(sys.argv[1]), Path(sys.argv[2]))))
