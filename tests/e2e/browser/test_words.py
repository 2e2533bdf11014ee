"""How the page parts what a person types into words, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from pipeline.languages import RIGHT_TO_LEFT, UNSPACED, reads_right_to_left
from pipeline.speech.alignment.text import join_words
from tests.e2e.browser.edited_page import edited_page, talk

LOAD = """async (script) => {
  globalThis.words = await import(new URL("transcript/words.js", script));
}"""
TOKENIZE = """([text, words, typed, language]) => {
  const line = { text, words: words.map((word) => [0, 1, word]) };
  return globalThis.words.tokenize(typed, line, language).map((token) => {
    if (typed.slice(token.from, token.to) !== token.text) throw new Error(`misplaced: ${token.text}`);
    return token.text;
  });
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder: Path = tmp_path_factory.mktemp("words")
    with edited_page(folder, talk()) as addresses, browser.new_page() as page:
        page.goto(addresses.reader)
        page.evaluate(LOAD, page.locator("script[type=module]").evaluate("script => script.src"))
        yield page


@pytest.mark.parametrize(
    ("language", "words", "typed", "expected"),
    [
        ("en", ["Thanks", "four", "it."], "Thanks for it.", ["Thanks", "for", "it."]),
        ("en", ["the", "cat", "sat"], "the cats sat", ["the", "cats", "sat"]),
        ("en", ["a", "b"], "  a   b  c ", ["a", "b", "c"]),
        ("en", ["a", "b"], "ab", ["ab"]),
        ("en", ["no", "no", "no"], "no no", ["no", "no"]),
        ("en", ["New York", "is", "big"], "New York was big", ["New York", "was", "big"]),
        ("en", ["a"], "", []),
        ("zh", ["今天", "天气", "好。"], "今天天氣好。", ["今天", "天氣", "好。"]),
        ("zh", ["你", "好"], "你们好", ["你", "们", "好"]),
        ("zh", ["我", "like", "你"], "我likes你", ["我", "likes", "你"]),
        ("zh-en", ["打开", "file", "menu"], "打开 files menu", ["打开", "files", "menu"]),
        ("ar", ["مرحبا", "بك"], "مرحبا بكم", ["مرحبا", "بكم"]),
    ],
    ids=[str(number) for number in range(12)],
)
def test_words_that_stay_are_the_same_words(
    page: Page, language: str, words: list[str], typed: str, expected: list[str]
) -> None:
    text = join_words(words, language.partition("-")[0])
    assert page.evaluate(TOKENIZE, [text, words, typed, language]) == expected


def test_marks_of_a_text_without_spaces_stay_with_their_words(page: Page) -> None:
    typed = "他说：“你好！”"  # noqa: RUF001
    found = page.evaluate(TOKENIZE, ["", [], typed, "zh"])
    assert "".join(found) == typed
    assert all(any(sign.isalpha() for sign in word) for word in found)


def test_the_page_knows_the_same_languages(page: Page) -> None:
    assert set(page.evaluate("globalThis.words.UNSPACED")) == UNSPACED
    for language in ["en", "zh", *RIGHT_TO_LEFT]:
        for text in ("Hello.", "שלום.", "שלום Anna.", "123", ""):
            found = page.evaluate(
                "([text, language]) => globalThis.words.readsRightToLeft(text, language)", [text, language]
            )
            assert found == reads_right_to_left(text, language), (text, language)
