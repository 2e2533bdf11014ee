"""What a person writes becomes words, as the language is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.edits.checks import check_words
from pipeline.edits.written_words import find_middle, read_words
from pipeline.speech.alignment.text import join_words

WRITTEN_IN_CHINESE = """
今天，我们谈风暴和AI。        今天，|我们|谈|风暴|和|AI|。
今天，我们 谈风暴和 AI。      今天，|我们|谈|风暴|和|AI|。
今天，我们谈台风和AI。        今天，|我们|谈|台|风|和|AI|。
明天，我们谈风暴和AIR。       明|天，|我们|谈|风暴|和|AIR|。
今天，我们！谈风暴和AI。      今天，|我们！|谈|风暴|和|AI|。
今天，我们谈《风暴》和AI。    今天，|我们|谈|《风暴》|和|AI|。
我们                          我们
！                            ！
3.5 GB 的 open-source         3.5|GB|的|open-source
"""  # noqa: RUF001 - marks as people write them
"""What is written into the line of the first row, and its words."""
CHINESE = WRITTEN_IN_CHINESE.split()[1].split("|")


@pytest.mark.parametrize(
    ("text", "known", "words"),
    [
        ("Thanks for having me.", (), ["Thanks", "for", "having", "me."]),
        ("  Thanks \n for\tit ", (), ["Thanks", "for", "it"]),
        ("one 1 000 two", ("one", "1 000", "too"), ["one", "1 000", "two"]),
        ("well, 1 000 two", ("one", "1 000", "two"), ["well,", "1 000", "two"]),
        ("storms", ("storm", "s"), ["storms"]),
        ("for it", ("for", "it"), ["for", "it"]),
        ("it it it", ("it", "it"), ["it", "it", "it"]),
        ("a\x00b\vc \u200b d\ud800", (), ["ab", "c", "d"]),
        ("naïve café\u2019s", (), ["naïve", "café\u2019s"]),
        ("", ("gone",), []),
        ("\u200b \ue000", (), []),
    ],
)
def test_between_spaces_stands_a_word(text: str, known: tuple[str, ...], words: list[str]) -> None:
    assert list(read_words(text, "en", known)) == words


@pytest.mark.parametrize("row", WRITTEN_IN_CHINESE.strip().splitlines())
@pytest.mark.parametrize("language", ["zh", "zh-en"])
def test_without_spaces_known_words_stay_and_of_the_rest_each_character_is_one(language: str, row: str) -> None:
    text, words = row.rsplit(maxsplit=1)
    assert list(read_words(text.strip(), language, CHINESE)) == words.split("|")


def test_marks_above_and_below_letters_stay_with_them() -> None:
    assert read_words("ที่นี่", "th") == ("ที่", "นี่")


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("a b c d", "c d"),
        ("a b", "b"),
        ("One two three. Four five six seven", "Four five six seven"),
        ("One. Two three four five six seven eight", "five six seven eight"),
        ("I met Mr. Smith there today again, yes", "there today again, yes"),
    ],
)
def test_a_line_is_halved_between_sentences_near_its_middle(text: str, second: str) -> None:
    words = text.split()
    assert " ".join(words[find_middle(words) :]) == second


@given(st.text(max_size=60), st.sampled_from(["en", "zh", "th", "zh-en"]), st.lists(st.text(min_size=1, max_size=4)))
def test_whatever_is_written_its_words_can_be_kept(text: str, language: str, known: list[str]) -> None:
    words = read_words(text, language, [word for word in known if word.strip() and word.isprintable()])
    if words:
        check_words(words)


@given(st.lists(st.text(alphabet="abc風。《é", min_size=1, max_size=4), min_size=1), st.sampled_from(["en", "zh"]))
def test_a_text_that_nobody_changed_has_the_same_words(known: list[str], language: str) -> None:
    assert read_words(join_words(known, language), language, known) == tuple(known)
