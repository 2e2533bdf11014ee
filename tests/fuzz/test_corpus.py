"""What was found once is refused by name, or accepted, ever since."""

from pathlib import Path

from tests.fuzz.confined import confined_stages
from tests.fuzz.corpus import CORPUS, read_corpus
from tests.fuzz.seed_files import make_seeds


async def test_what_was_found_stays_mended(tmp_path: Path) -> None:
    corpus = read_corpus()
    assert len(corpus) == sum(path.is_file() for path in CORPUS.rglob("*"))
    async with confined_stages(tmp_path, make_seeds()) as stages:
        verdicts = {sent.name: await stages.judge(sent) for sent in corpus}
    assert {name: verdict for name, verdict in verdicts.items() if verdict.is_find} == {}
