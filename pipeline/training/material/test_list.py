"""The frozen list of test recordings, and the mixes that are made of them."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.training.material import manifest
from pipeline.training.material.archives import MaterialError
from pipeline.training.material.kinds import Split
from pipeline.training.material.manifest import Source

PATH = Path(__file__).with_name("test_list.json")
DIGEST_PATH = Path(__file__).with_name("test_list.sha256")
MIXES = (("v3", 1.0, 200, 3_003), ("v2", 0.0, 50, 2_002))
"""Name, share of DnR v3 levels, number and seed of the sets of mixes of 10 s."""


class MaterialChangedError(MaterialError):
    """The test recordings of the cache are not those of the frozen list."""


def freeze(sources: Sequence[Source]) -> str:
    """Write the list of test recordings; returns its digest."""
    tests = _tests(sources)
    manifest.write(tests, PATH)
    digest = manifest.digest(tests)
    DIGEST_PATH.write_text(f"{digest}\n")
    return digest


def check(sources: Sequence[Source]) -> None:
    """Raise `MaterialChangedError` unless the test recordings are the frozen ones and no other split has them."""
    tests = _tests(sources)
    if manifest.digest(tests) != DIGEST_PATH.read_text().strip():
        raise MaterialChangedError("The test recordings differ from the frozen list. Fetch the listed versions.")
    known = {source.sha256 for source in tests}
    if any(source.sha256 in known for source in sources if source.split is not Split.TEST):
        raise MaterialChangedError("A test recording is also used for training. Leave it out of the training packages.")


def _tests(sources: Sequence[Source]) -> list[Source]:
    return [source for source in sources if source.split is Split.TEST]
