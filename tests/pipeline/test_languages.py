"""The table of spoken languages against langcodes, and how mixtures are called."""

import langcodes

from pipeline.languages import (
    LANGUAGES,
    MIXTURES,
    READING_SPEEDS,
    SUGGESTED,
    UNSPACED,
    WIDE,
    container_code,
    language_name,
    main_language,
)

OTHER_NAMES = {"mi": "Maori", "bn": "Bengali", "ht": "Haitian", "nn": "Nynorsk", "tl": "Tagalog"}
"""Where the names that recognisers go by differ from those of the Unicode CLDR."""
OTHER_ISO3 = {"tl": "tgl"}
"""langcodes reads tl as Filipino."""


def test_names_and_codes_are_those_of_langcodes() -> None:
    known = {code: langcodes.Language.get(code) for code in LANGUAGES}
    names = {code: language.display_name() for code, language in known.items()} | OTHER_NAMES
    codes = {code: language.to_alpha3() for code, language in known.items()} | OTHER_ISO3
    assert {code: language.name for code, language in LANGUAGES.items()} == names
    assert {code: language.iso3 for code, language in LANGUAGES.items()} == codes
    assert len(LANGUAGES) == 99
    assert len(set(codes.values())) == len(LANGUAGES)


def test_how_a_language_is_written_comes_from_its_row() -> None:
    assert {"zh", "ja", "th", "lo", "km", "my", "bo", "yue"} == UNSPACED
    assert {"zh", "yue", "ja", "ko"} == WIDE
    assert READING_SPEEDS == {"zh": 9.0, "yue": 9.0, "ja": 4.0, "ko": 12.0}
    assert "yue" not in LANGUAGES


def test_suggestions_are_languages_that_may_be_asked_for() -> None:
    assert {*SUGGESTED} <= {*LANGUAGES, *MIXTURES}
    assert len({*SUGGESTED}) == len(SUGGESTED)


def test_a_mixture_goes_by_its_main_language_where_one_is_wanted() -> None:
    assert all({*parts} <= {*LANGUAGES} and code not in LANGUAGES for code, parts in MIXTURES.items())
    assert (main_language("zh-en"), main_language("de"), main_language(None)) == ("zh", "de", None)
    assert (container_code("zh-en"), container_code("und"), container_code(None)) == ("zho", "", "")
    assert language_name("zh-en") == "Chinese and English"
