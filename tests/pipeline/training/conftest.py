from pathlib import Path

import pytest

from pipeline.training.material import cache as material_cache
from pipeline.training.material import manifest
from pipeline.training.material.kinds import Package, Split
from tests.pipeline.training import sounds


def _package(root: Path, name: str, split: Split, seed: int) -> Package:
    recordings = {
        "speech/a.wav": sounds.speechlike(3, seed),
        "music/a.wav": sounds.melody(6, 0.4 + seed / 100),
        "effects/knock.wav": sounds.knock(seed=seed),
        "effects/rain.wav": sounds.noise(6, seed),
    }
    for path, samples in recordings.items():
        (root / name / path).parent.mkdir(parents=True, exist_ok=True)
        (root / name / path).write_bytes(sounds.wav(samples))
    patterns = {content: (f"*/{content}/*",) for content in ("speech", "music", "effects")}
    return Package(name=name, split=split, licence="CC0-1.0", **patterns)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of material from synthetic packages, one for training and one that is held out."""
    root = tmp_path_factory.mktemp("material")
    sources = [
        source
        for seed, (name, split) in enumerate({"one": Split.TRAIN, "two": Split.VALID}.items())
        for source in material_cache.convert(
            _package(root / "unpacked", name, split, 10 + seed), "1.0", root / "unpacked" / name, root / "arrays"
        )
    ]
    manifest.write(sources, root / material_cache.MANIFEST)
    return root
