"""Files of terms, good and bad."""

from pathlib import Path

import pytest

from pipeline.errors import ValidationError
from pipeline.speech.glossary.terms import MAX_GLOSSARY_BYTES, MAX_TERMS, check_terms, read_glossary, split_line


def test_a_file_has_a_term_on_each_line(tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_text("\ufeff# our products\nGrafana\n\n  Siobhan =  Shivawn \nGrafana\nHal  9000\n", encoding="utf-8")
    assert read_glossary(path) == ("Grafana", "Siobhan = Shivawn", "Hal 9000")
    assert split_line("Siobhan = Shivawn") == ("Siobhan", "Shivawn")
    assert split_line("Grafana") == ("Grafana", "Grafana")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"\xff\xfe\x00", "cannot be read", id="no text"),
        pytest.param(b"x" * (MAX_GLOSSARY_BYTES + 1), "more than 256 kB", id="too large"),
        pytest.param("\n".join(f"term {n}" for n in range(MAX_TERMS + 1)).encode(), "1001 terms", id="too many"),
        pytest.param(b"a" * 10_000, "is too long", id="ten thousand characters"),
        pytest.param(b"one two three four five", "is too long", id="five words"),
        pytest.param(b"a.", "is too short", id="one letter"),
        pytest.param(b"be\x07ll", "cannot be seen", id="a control character"),
        pytest.param(b"Siobhan = x", "is too short", id="a sound of one letter"),
    ],
)
def test_what_is_no_glossary_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "terms.txt"
    path.write_bytes(content)
    with pytest.raises(ValidationError, match=said) as raised:
        read_glossary(path)
    assert raised.value.hint
    assert len(raised.value.message) < 200


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"gone\.txt cannot be read"):
        read_glossary(tmp_path / "gone.txt")


def test_a_name_of_two_chinese_characters_is_long_enough() -> None:
    assert check_terms(["王芳"]) == ("王芳",)
    with pytest.raises(ValidationError, match="too short"):
        check_terms(["王"])


def test_no_terms_are_no_error() -> None:
    assert check_terms([]) == ()
