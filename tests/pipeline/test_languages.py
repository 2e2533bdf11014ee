"""Containers know languages by other codes than recognisers."""

from pipeline.languages import LANGUAGES, MIXTURES, THREE_LETTERS, container_code, language_name, main_language


def test_every_language_has_a_code_of_three_letters() -> None:
    assert list(THREE_LETTERS) == list(LANGUAGES)
    assert len(set(THREE_LETTERS.values())) == len(LANGUAGES)
    assert {len(code) for code in THREE_LETTERS.values()} == {3}
    some = {"de": "deu", "iw": "heb", "haw": "haw", "jw": "jav", "zh": "zho", "nn": "nno", "tl": "tgl", "su": "sun"}
    assert {code: THREE_LETTERS[code] for code in some} == some


def test_a_mixture_goes_by_its_main_language_where_one_is_wanted() -> None:
    assert all({*parts} <= {*LANGUAGES} and code not in LANGUAGES for code, parts in MIXTURES.items())
    assert (main_language("zh-en"), main_language("de"), main_language(None)) == ("zh", "de", None)
    assert (container_code("zh-en"), container_code("und"), container_code(None)) == ("zho", "", "")
    assert language_name("zh-en") == "Chinese and English"
