"""The stage that puts terms into a transcript."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from pipeline.export.stage import write_json
from pipeline.export.transcripts import read_transcript
from pipeline.speech.glossary.contracts import ApplyGlossaryInputs, ApplyGlossaryParams
from pipeline.speech.glossary.stage import apply_glossary_stage
from pipeline.types import Word
from tests.pipeline.clips import make_context
from tests.pipeline.export.dialogue import talk


def test_terms_stand_where_they_were_said_and_tell_what_was_heard(tmp_path: Path) -> None:
    said = ("The", "quays", "are,", "well,", "late.")
    words = tuple(Word(start=20.0 + n, end=20.5 + n, text=text, confidence=0.4) for n, text in enumerate(said))
    content = talk()
    turn = replace(content.turns[-1], start=20.0, end=24.5, text=" ".join(said), words=words)
    path = tmp_path / "transcript.json"
    write_json(replace(content, duration=30.0, turns=(*content.turns[:-1], turn)), path)
    context = make_context(tmp_path / "out")
    done = apply_glossary_stage(
        context, ApplyGlossaryInputs(transcript=path), ApplyGlossaryParams(terms=("Quasar", "Lumen"))
    )
    assert done.replaced == 1
    assert done.notes == ("The glossary put in: Quasar (quays are).",)
    after = read_transcript(done.transcript)
    assert after.turns[:-1] == content.turns[:-1]
    changed = after.turns[-1]
    assert changed.text == "The Quasar, well, late."
    assert [(word.text, word.start, word.end, word.heard) for word in changed.words][1] == (
        *("Quasar,", 21.0, 22.5),
        "quays are,",
    )
    assert b'"heard"' not in msgspec.json.encode(changed.words[0])


@pytest.mark.parametrize(
    ("term", "said", "text"),
    [
        ("Yahoo!", "ask yahoo! now", "ask Yahoo! now"),
        (".NET", "use (.net) now", "use (.NET) now"),
        ("Ph.D.", "has a PhD.", "has a Ph.D."),
        ("Christopher", "“cristofer's,” then", "“Christopher's,” then"),
        ("Grafana", "grafana ♪ then", "Grafana ♪ then"),
        ("दिल्ली", "वह दिल्लि।", "वह दिल्ली।"),
    ],
)
def test_what_stands_around_a_term_stays(tmp_path: Path, term: str, said: str, text: str) -> None:
    content = talk()
    words = tuple(Word(start=20.0 + n, end=20.5 + n, text=word, confidence=0.4) for n, word in enumerate(said.split()))
    turn = replace(content.turns[-1], start=20.0, end=24.5, text=said, words=words)
    path = tmp_path / "transcript.json"
    write_json(replace(content, duration=30.0, turns=(turn,)), path)
    done = apply_glossary_stage(
        make_context(tmp_path / "out"), ApplyGlossaryInputs(transcript=path), ApplyGlossaryParams(terms=(term,))
    )
    assert [each.text for each in read_transcript(done.transcript).turns] == [text]
