"""Containers know languages by other codes than recognisers."""

from pipeline.languages import LANGUAGES, THREE_LETTERS


def test_every_language_has_a_code_of_three_letters() -> None:
    assert list(THREE_LETTERS) == list(LANGUAGES)
    assert len(set(THREE_LETTERS.values())) == len(LANGUAGES)
    assert {len(code) for code in THREE_LETTERS.values()} == {3}
    some = {"de": "deu", "iw": "heb", "haw": "haw", "jw": "jav", "zh": "zho", "nn": "nno", "tl": "tgl", "su": "sun"}
    assert {code: THREE_LETTERS[code] for code in some} == some
