"""How large a module, a function and a folder of the product may be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "deploy", "pipeline", "worker")
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50
MAX_FOLDER_MODULES = 16
REASON = f"More than {MAX_FOLDER_MODULES} modules because "
"""How the docstring of a larger package begins the sentence that says why."""

MIGRATIONS = ROOT / "bot" / "database" / "migrations" / "versions"
"""Not measured: a migration stays as it was when it was released."""
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.parent != MIGRATIONS)
FOLDERS = sorted({path.parent for path in MODULES})


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_and_no_function_is_too_long(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= MAX_MODULE_LINES
    functions = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_a_folder_of_many_modules_says_why(folder: Path) -> None:
    init = folder / "__init__.py"
    modules = [path for path in folder.glob("*.py") if path != init]
    reason = ast.get_docstring(ast.parse(init.read_text())) or "" if init.exists() else ""
    assert len(modules) <= MAX_FOLDER_MODULES or REASON in " ".join(reason.split())
