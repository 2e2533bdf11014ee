"""What the documents name exists: files that they link to, targets of make, modules and the symbols in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "tests").glob("*.md")])
PATH = re.compile(r"(?:bot|deploy|docs|pipeline|tests|worker)(?:/[\w.*-]+)+/?")
DOTTED = re.compile(r"(?:bot|deploy|pipeline|tests|worker)(?:\.\w+)+")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
SYMBOL = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*")
PAIR = re.compile(r"`([\w/.-]+\.py)` `(" + SYMBOL.pattern + r")`")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tokens(document: Path) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(document.read_text()):
        yield token
        yield from token.children or ()


def code_of(document: Path) -> list[str]:
    """All inline code and code blocks of a document."""
    return [token.content for token in tokens(document) if token.type in ("code_inline", "fence", "code_block")]


def anchors_of(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub forms them."""
    titles = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_each_relative_link_leads_somewhere(document: Path) -> None:
    links = [str(token.attrs.get("href") or token.attrs.get("src") or "") for token in tokens(document)]
    lost: list[str] = []
    for link in filter(None, links):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = document.parent / unquote(parts.path) if parts.path else document
        if not target.exists() or (parts.fragment and parts.fragment not in anchors_of(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_each_target_of_make_exists(document: Path) -> None:
    known = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {target for code in code_of(document) for target in TARGET.findall(code)} <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_each_path_and_module_exists(document: Path) -> None:
    found = [code for code in code_of(document) if "<" not in code]
    paths = {path for code in found for path in PATH.findall(code) if PATH.fullmatch(code) or "/" in code}
    modules = {code for code in found if DOTTED.fullmatch(code)}
    assert {path for path in paths if not list(ROOT.glob(path.rstrip("/")))} == set()
    assert {module for module in modules if not is_module(module)} == set()


def is_module(name: str) -> bool:
    """Whether a dotted name is a module, or a name in one."""
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file() or ("." in name and is_name_in(path.parent, path.name))


def is_name_in(module: Path, name: str) -> bool:
    file = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
    return file.is_file() and defines(file, name)


def defines(file: Path, symbol: str) -> bool:
    """Whether a file has a definition for each part of a dotted symbol."""
    source = file.read_text()
    parts = symbol.split(".")
    return all(re.search(rf"^\s*(?:(?:async )?def |class )?{part}\b", source, re.MULTILINE) for part in parts)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_each_symbol_is_in_the_module_named_before_it(document: Path) -> None:
    pairs = PAIR.findall(document.read_text())
    assert [(path, symbol) for path, symbol in pairs if not defines(ROOT / path, symbol)] == []
