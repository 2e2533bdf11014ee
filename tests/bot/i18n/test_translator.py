"""The sentences: the same ones with the same values in each language, none missing, none left over."""

import ast
import re
from pathlib import Path

import discord
import pytest
from discord import app_commands
from fluent.runtime import FluentResource
from fluent.syntax import ast as fluent
from fluent.syntax.visitor import Visitor

import bot
import pipeline
from bot.commands.localization import CommandTranslator, localized
from bot.i18n.translator import ENGLISH, LOCALES, Translator, translator_for
from bot.jobs.result_buttons import buttons_for
from pipeline import errors
from pipeline.clip_options import TOOL_NAMES
from pipeline.graph.registry import STAGES
from pipeline.languages import MIXTURES
from pipeline.mix.presets import LoudnessTarget, MixPreset
from pipeline.options import REQUEST_OPTIONS
from pipeline.speech.glossary.terms import MAX_TERM_CHARS, MAX_TERM_WORDS, MIN_TERM_LETTERS, Fault
from pipeline.types import (
    CaptionPlace,
    CaptionSize,
    Fit,
    LoopFormat,
    PictureFormat,
    PictureTurn,
    Preset,
    RouteName,
    SoundFormat,
    Task,
)
from tests.bot.world import make_result

PACKAGE = Path(bot.__file__).parent
SAYERS = (
    *("format", "localized", "check_may_act"),
    *("RefusedError", "ClipError", "SizeError", "FetchError", "QuotaError"),
)
"""What is called with keys."""
TOOL_CHOICES = {
    "fit": Fit,
    "turn": PictureTurn,
    "sound_format": SoundFormat,
    "picture_format": PictureFormat,
    "loop_format": LoopFormat,
    "place": CaptionPlace,
    "caption_size": CaptionSize,
}
OTHERS = [name for name in LOCALES if name != ENGLISH]


class Variables(Visitor):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: fluent.VariableReference) -> None:  # noqa: N802
        self.names.add(node.id.name)


def read(locale: str) -> dict[str, set[str]]:
    """The variables of each sentence, by key; keys that come twice or cannot be read are an error."""
    resource = FluentResource((PACKAGE / "i18n" / "locales" / f"{locale}.ftl").read_text(encoding="utf-8"))
    found = dict[str, set[str]]()
    for entry in resource.body:
        assert not isinstance(entry, fluent.Junk), entry.content
        if isinstance(entry, fluent.Message):
            assert entry.id.name not in found, entry.id.name
            variables = Variables()
            variables.visit(entry)
            found[entry.id.name] = variables.names
    return found


def strings_of_the_code() -> set[str]:
    """Every text in the bot's code, where an inserted value stands as `*`."""
    found = set[str]()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            if isinstance(node, ast.JoinedStr):
                found.add("".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values))  # type: ignore[misc]
    # What the pipeline says by name, with `TextReference`.
    for path in Path(pipeline.__file__).parent.rglob("*.py"):
        found.update(re.findall(r'"(tool-[a-z-]+)"', path.read_text(encoding="utf-8")))
    for path in [*PACKAGE.rglob("*.html"), *(PACKAGE / "web").rglob("*.js")]:
        if path.parent.name != "vendor":
            text = path.read_text(encoding="utf-8")
            found.update(re.findall(r"[a-z]+(?:-[a-z]+)+", text))
            if '+ "-hint"' in text:
                found.add("*-hint")
    return found


@pytest.mark.parametrize("locale", OTHERS)
def test_all_languages_have_the_same_sentences_with_the_same_values(locale: str) -> None:
    assert read(locale) == read(ENGLISH)


@pytest.mark.parametrize("locale", OTHERS)
def test_nothing_was_left_in_english(locale: str) -> None:
    same = {key for key in read(ENGLISH) if Translator(locale).has(key) and source(locale, key) == source(ENGLISH, key)}
    assert same <= {"loudness-change", "form-rename-says", "format-TextGrid"}


def source(locale: str, key: str) -> str:
    text = (PACKAGE / "i18n" / "locales" / f"{locale}.ftl").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(key)} =(.*(?:\n[ }}].*)*)", text, re.MULTILINE)
    assert found is not None
    return found[1].strip()


def test_every_sentence_is_said_somewhere() -> None:
    strings = strings_of_the_code()
    families = [
        re.compile(re.escape(text).replace(r"\*", "[A-Za-z_-]+")) for text in strings if re.match(r"[a-z]+-\*", text)
    ]

    offered = {f"{name}-{value}" for name, option in REQUEST_OPTIONS.items() for value in option.choices}
    offered |= {f"{name}-{value}" for name, values in TOOL_CHOICES.items() for value in values}

    def is_said(key: str) -> bool:
        names = {key, key.removesuffix("-hint")} if "*-hint" in strings else {key}
        return bool(names & (strings | offered)) or any(family.fullmatch(name) for family in families for name in names)

    assert {key for key in read(ENGLISH) if not is_said(key)} == set()


def test_what_is_said_is_there() -> None:
    said = set[str]()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in SAYERS:
                    said.update(str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))
    assert "not-yours" in said
    assert said <= set(read(ENGLISH))


def test_families_are_complete() -> None:
    families: dict[str, list[str]] = {
        "route": [*RouteName],
        "preset": [*Preset],
        "mix": [*MixPreset],
        "loudness": [*LoudnessTarget],
        "made": [*(task for task in Task if task not in (Task.CLIP, Task.VOICES)), "dub", *TOOL_NAMES],
        **{name: [*values] for name, values in TOOL_CHOICES.items()},
        "stage": [*STAGES],
        "language": [*MIXTURES],
        "term": [*Fault, *(f"{fault}-hint" for fault in Fault)],
        "button": [*buttons_for("", make_result()).actions, "rebalance", "rename", "dub", "thread", "page"],
    }
    known = set(read(ENGLISH))
    for family, members in families.items():
        assert {f"{family}-{member}" for member in members} <= known
    assert {key.removeprefix("stage-") for key in known if key.startswith("stage-")} == set(STAGES)


@pytest.mark.parametrize("locale", LOCALES)
def test_bounds_of_terms_are_those_that_are_checked(locale: str) -> None:
    translator = Translator(locale)
    assert {int(found) for found in re.findall(r"\d+", translator.format("term-long-hint"))} == {
        MAX_TERM_WORDS,
        MAX_TERM_CHARS,
    }
    assert re.findall(r"\d+", translator.format("term-short-hint")) == [str(MIN_TERM_LETTERS)]


def test_stages_are_called_alike_on_a_terminal() -> None:
    assert {stage: Translator(ENGLISH).format(f"stage-{stage}") for stage in STAGES} == {
        name: stage.title for name, stage in STAGES.items()
    }


@pytest.mark.parametrize(
    ("asked", "given"),
    [("en-US", "en"), ("en-GB", "en"), ("zh-CN", "zh-CN"), ("zh-TW", "zh-CN"), ("de", "en"), ("", "en")],
)
def test_nearest_language(asked: str, given: str) -> None:
    assert translator_for(asked).locale == given


def test_plural_forms() -> None:
    said = [Translator(locale).format("waiting", count=count) for locale in LOCALES for count in (0, 1, 2)]
    assert said == [
        "Waiting: next in the queue.",
        "Waiting: one clip is ahead.",
        "Waiting: 2 clips are ahead.",
        "排队中：下一个就是它。",  # noqa: RUF001
        "排队中：前面还有 1 个片段。",  # noqa: RUF001
        "排队中：前面还有 2 个片段。",  # noqa: RUF001
    ]


def test_missing_sentence_or_value_is_an_error() -> None:
    with pytest.raises(LookupError, match="no text no-such"):
        Translator(ENGLISH).format("no-such")
    with pytest.raises(LookupError, match="count"):
        Translator(ENGLISH).format("waiting")


def test_value_is_not_read_as_a_pattern() -> None:
    assert Translator(ENGLISH).format("result-for", person="{ $x } { -y }") == "Here is the result for { $x } { -y }."


def test_languages_by_name() -> None:
    assert (Translator(ENGLISH).language_name("de"), Translator("zh-CN").language_name("de")) == ("German", "德语")
    assert (Translator(ENGLISH).language_name("zh-en"), Translator("zh-CN").language_name("zh-en")) == (
        "Chinese and English, mixed",
        "中英文混合",
    )
    assert (Translator(ENGLISH).language_name("xx"), Translator("zh-CN").language_name("xx")) == ("", "")


def test_every_pipeline_error_has_a_sentence_by_its_kind() -> None:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.AudioProcessingError):
            assert any(Translator("zh-CN").has(f"error-{parent.__name__}") for parent in kind.__mro__)


async def test_translator_speaks_where_it_can() -> None:
    context = app_commands.TranslationContext(app_commands.TranslationContextLocation.command_name, data=None)  # type: ignore[arg-type]
    name = localized("command-separate")
    assert name.message == "separate"
    assert await CommandTranslator().translate(name, discord.Locale.chinese, context) == "分离"
    assert await CommandTranslator().translate(name, discord.Locale.german, context) is None
    assert await CommandTranslator().translate(app_commands.locale_str("x"), discord.Locale.chinese, context) is None


@pytest.mark.parametrize("locale", LOCALES)
def test_texts_fit_discord(locale: str) -> None:
    translator = Translator(locale)
    for key, variables in read(locale).items():
        if variables:
            continue
        text = translator.format(key)
        if re.match(r"(command|option|menu)-[^-]+$", key):
            assert len(text) <= 32, key
            assert text == text.lower() or key.startswith("menu-"), key
        if re.match(r"(command|option)-.*-description$|(route|preset|mix|loudness|format)-|form-.*-hint$", key):
            assert len(text) <= 100, key
        if re.match(r"form-[a-z]+$|part-|form-dub-file|form-rebalance-preset", key):
            assert len(text) <= 45, key
        if key.startswith("button-"):
            assert len(text) <= 80, key


def test_each_language_of_the_interface_has_a_name_in_english() -> None:
    names = {locale: Translator(locale).english_name for locale in LOCALES}
    assert (names[ENGLISH], names["zh-CN"]) == ("English", "Chinese (Simplified, China)")
    assert len(set(names.values())) == len(LOCALES)
