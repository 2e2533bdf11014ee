"""The recipes of `docs/extending.md`, performed on a copy with no file touched beside those that they name."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "deploy", "pipeline", "tests", "worker")
WRITER = '''

def write_toy(source: ExportSource, path: Path) -> None:
    """Write the number of turns."""
    path.write_text(f"{len(source.transcript.turns)} turns")
'''
ROW = """    ExportFormat(
        suffix="toy", title="Number of turns", media_type="text/x-toy", writer="pipeline.export.documents:write_toy"
    ),
"""
WRITE_EXPORTS = """
import sys
from pathlib import Path
from pipeline.export.stage import write_exports
from pipeline.export.subtitles.style import SubtitleStyle
from tests.pipeline.export.dialogue import heard, talk
transcript = talk()
print(write_exports(transcript, heard(transcript), SubtitleStyle(), Path(sys.argv[1]))["toy"].read_text())
"""
OFFER_EXPORTS = """
from bot.jobs.result_buttons import TRANSCRIPT_FORMATS
from worker.store.media_types import media_type_of
print("toy" in TRANSCRIPT_FORMATS, media_type_of("transcript.toy"))
"""

COMMAND = """
from bot.commands.localization import localized


def setup(tree, services):
    @tree.command(name=localized("command-toy"), description=localized("command-toy-description"))
    async def toy(interaction):
        await interaction.response.send_message("toy")
"""
TEXTS = {
    "en": "command-toy = toy\ncommand-toy-description = Play.\n",
    "zh-CN": "command-toy = 玩具\ncommand-toy-description = 玩一玩。\n",
}
LIST_COMMANDS = """
import asyncio
from types import SimpleNamespace
import discord
from discord import app_commands
from bot.commands import load_commands
from bot.commands.help import help_text
from bot.commands.localization import CommandTranslator
from bot.i18n.translator import translator_for
async def main():
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    load_commands(tree, SimpleNamespace(pages=None, settings=SimpleNamespace(link_hosts=())))
    await tree.set_translator(CommandTranslator())
    sent = await tree.get_command("toy").get_translated_payload(tree, tree.translator)
    print(sent["name"], sent["name_localizations"]["zh-CN"])
    for locale in ("en-US", "zh-CN"):
        text = help_text(tree, translator_for(locale), pages=False)
        print(next(line for line in text.splitlines() if line.startswith(("**/toy", "**/玩具"))))
asyncio.run(main())
"""


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """A copy of the source, which a recipe may change."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "*.mp4", "bench")
        )
    return tmp_path


def run(product: Path, code: str, *arguments: str) -> str:
    """Run code against the copy in a fresh interpreter."""
    environment = os.environ | {"PYTHONPATH": str(product), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=product,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def replace(file: Path, old: str, new: str) -> None:
    source = file.read_text()
    assert source.count(old) == 1, f"{old!r} is in {file.name} {source.count(old)} times"
    file.write_text(source.replace(old, new))


def test_an_export_format(product: Path) -> None:
    documents = product / "pipeline" / "export" / "documents.py"
    documents.write_text(documents.read_text() + WRITER)
    registry = product / "pipeline" / "export" / "registry.py"
    replace(registry, "EXPORT_FORMATS = (\n", f"EXPORT_FORMATS = (\n{ROW}")
    out = product / "out"
    out.mkdir()
    assert run(product, WRITE_EXPORTS, str(out)) == "4 turns"
    assert run(product, OFFER_EXPORTS) == "True text/x-toy"


def test_a_command(product: Path) -> None:
    (product / "bot" / "commands" / "toy.py").write_text(COMMAND)
    for locale, texts in TEXTS.items():
        file = product / "bot" / "i18n" / "locales" / f"{locale}.ftl"
        file.write_text(f"{file.read_text(encoding='utf-8')}\n{texts}", encoding="utf-8")
    assert run(product, LIST_COMMANDS).splitlines() == ["toy 玩具", "**/toy** Play.", "**/玩具** 玩一玩。"]


def test_a_language_of_the_interface(product: Path) -> None:
    locales = product / "bot" / "i18n" / "locales"
    (locales / "de.ftl").write_text((locales / "en.ftl").read_text(encoding="utf-8"), encoding="utf-8")
    code = "from bot.i18n.translator import LOCALES, translator_for; print(*LOCALES, translator_for('de').locale)"
    assert run(product, code) == "de en zh-CN de"
