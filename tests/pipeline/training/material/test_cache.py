from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.training.material import cache as material_cache
from pipeline.training.material import manifest, test_list
from pipeline.training.material.kinds import Kind, Split
from pipeline.training.material.packages import read_packages
from tests.pipeline.training import sounds


def test_recordings_are_sorted_and_cached_at_one_rate(cache: Path) -> None:
    sources = manifest.read(cache / material_cache.MANIFEST)
    assert {(source.package, source.kind) for source in sources} == {
        (package, kind) for package in ("one", "two") for kind in Kind
    }
    (rain,) = (source for source in sources if source.package == "one" and source.kind is Kind.AMBIENT)
    array = np.load(cache / "arrays" / rain.array, mmap_mode="r")
    assert array.dtype == np.float16
    assert array.shape == (rain.frames, 2) == (6 * material_cache.SAMPLE_RATE, 2)
    assert rain.path == "effects/rain.wav"
    assert len(rain.sha256) == 64
    assert rain.licence == "CC0-1.0"


def test_a_manifest_is_read_as_it_was_written(cache: Path, tmp_path: Path) -> None:
    sources = manifest.read(cache / material_cache.MANIFEST)
    manifest.write(sources, tmp_path / "manifest.json")
    assert manifest.read(tmp_path / "manifest.json") == sources
    assert manifest.digest(sources) == manifest.digest(sources[::-1]) != manifest.digest(sources[1:])


def test_a_sound_that_two_splits_have_stays_in_the_stricter_one(cache: Path) -> None:
    sources = manifest.read(cache / material_cache.MANIFEST)
    shared = [replace(source, package="three", split=Split.TEST) for source in sources[:2]]
    kept = material_cache.held_apart([*sources, *shared])
    assert kept == [*sources[2:], *shared]
    assert material_cache.held_apart(sources) == sources


def test_silent_ends_are_cut_off() -> None:
    samples = np.concatenate([np.zeros(500), sounds.noise(0.1), np.zeros(500)]).astype(np.float32)[:, None]
    assert len(material_cache.trim(samples)) == len(sounds.noise(0.1))


def test_the_frozen_list_is_whole_and_apart_from_the_rest() -> None:
    tests = manifest.read(test_list.PATH)
    assert manifest.digest(tests) == test_list.DIGEST_PATH.read_text().strip()
    assert {source.split for source in tests} == {Split.TEST}
    assert set(Kind) == {source.kind for source in tests}
    everything = manifest.read(test_list.PATH.with_name("manifest.json"))
    test_list.check(everything)
    names = [package.name for package in read_packages()]
    assert len(names) == len(set(names))
    assert {source.package for source in everything} == set(names)
