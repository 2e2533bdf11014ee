"""`stemcord doctor`: report what is missing on this machine and the command that fixes it."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from deploy.cli.checks import run_checks
from deploy.cli.finding import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "missing": "red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check that everything is there to take clips apart; exit code 1 when something is missing."""
    findings = run_checks()
    missing = [finding for finding in findings if finding.status == "missing"]
    if as_json:
        document = {"ok": not missing, "checks": [finding.describe() for finding in findings]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        Console().print(_draw(findings, len(missing)))
    raise typer.Exit(1 if missing else 0)


def _draw(findings: list[Finding], missing: int) -> Group:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("what", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("found")
    for finding in findings:
        colour = _COLOURS[finding.status]
        hint = f"\n[bold]→ {escape(finding.hint)}[/bold]" if finding.hint and finding.status != "ok" else ""
        table.add_row(finding.name, f"[{colour}]{finding.status}[/{colour}]", escape(finding.detail) + hint)
    verdict = f"\n{missing} of {len(findings)} missing." if missing else "\nNothing is missing."
    return Group(table, verdict)
