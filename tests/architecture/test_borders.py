"""What may be imported from where, checked in fresh interpreters and by import-linter."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "paddle", "paddlespeech", "pyannote", "demucs", "lightning")
CHAT = ("discord",)
BROKER = ("redis", "arq")
OPEN_TO_THE_BOT = {
    *(f"pipeline.{name}" for name in ("types", "catalog", "errors", "options", "languages", "graph.registry")),
    "pipeline.clip_options",
    "pipeline.types.edited",
    "pipeline.graph.turns",
    "pipeline.speech.glossary.terms",
    "pipeline.speech.speakers.matching",
    "pipeline.characters",
    *(f"pipeline.vocabulary.{name}" for name in ("stemming", "stop_words", "terms")),
    *(f"pipeline.edits.{name}" for name in ("apply", "checks", "edit_file", "lines", "operations", "written_words")),
    *(f"worker.{name}" for name in ("protocol", "queue", "store", "telemetry")),
    *(f"worker.telemetry.{name}" for name in ("sampling", "session", "settings")),
}


LIGHT = (
    *("bot", "bot.__main__", "bot.client", "worker", "worker.protocol", "worker.queue", "worker.store"),
    *("worker.__main__", "pipeline", "pipeline.types", "pipeline.catalog", "pipeline.errors", "pipeline.options"),
    *("pipeline.clip_options", "pipeline.languages", "pipeline.edits.edit_file", "pipeline.speech.glossary.terms"),
    *("pipeline.graph.registry", "deploy.cli"),
)


def loaded_by(modules: tuple[str, ...], names: tuple[str, ...]) -> dict[str, list[str]]:
    """Which of the names a fresh interpreter has loaded after importing each module, in this order."""
    code = (
        "import importlib, json, sys\nfound = {}\n"
        f"for module in {modules!r}:\n"
        "    importlib.import_module(module)\n"
        f"    if loaded := {set(names)!r} & set(sys.modules):\n        found[module] = sorted(loaded)\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_importing_it_loads_no_engine() -> None:
    assert loaded_by(LIGHT, HEAVY) == {}


def test_no_package_that_loads_lazily_fails_when_it_is_looked_at() -> None:
    code = "import sys, librosa.core.audio\n[getattr(found, '__file__', None) for found in list(sys.modules.values())]"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pipeline_loads_neither_chat_nor_broker() -> None:
    modules = ("pipeline.types", "pipeline.errors", "pipeline.graph.run", "pipeline.graph.stage")
    assert loaded_by(modules, CHAT + BROKER) == {}


def test_engines_start_without_the_broker_and_settings() -> None:
    assert loaded_by(("worker.engine.child",), (*BROKER, "pydantic", "structlog")) == {}


def test_workers_load_no_chat() -> None:
    assert loaded_by(("worker.__main__", "worker.jobs.media", "worker.jobs.stage_jobs"), CHAT) == {}


def imported_by(path: Path) -> set[str]:
    """Modules of ours, outside of `bot`, that a file names in its imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in ("pipeline", "worker", "deploy"):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name.split(".")[0] in ("pipeline", "worker", "deploy")}


@pytest.mark.parametrize("path", sorted((ROOT / "bot").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_bot_takes_only_words_messages_and_the_store(path: Path) -> None:
    assert imported_by(path) <= OPEN_TO_THE_BOT


def test_the_contracts_between_the_packages_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_set_up_needs_nothing_but_the_standard_library() -> None:
    code = "import sys, deploy.setup.command as c; print(*{m.split('.')[0] for m in sys.modules} - {'deploy'})"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) - {"__main__"} <= sys.stdlib_module_names
