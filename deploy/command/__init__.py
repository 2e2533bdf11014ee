"""The `stemcord` command; each command has a module of its own."""

import typer

from deploy.command.bot import bot
from deploy.command.doctor import doctor
from deploy.command.export import export
from deploy.command.extras import audio, cut, frame
from deploy.command.jobs import jobs
from deploy.command.models import models
from deploy.command.page import page
from deploy.command.run import run
from deploy.command.up import up
from deploy.command.voices import voices
from deploy.command.worker import worker


def build_app() -> typer.Typer:
    """The command with all its subcommands."""
    app = typer.Typer(
        name="stemcord",
        help="Take the sound of a clip apart, write down who said what, mix it together again.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    for command in (run, page, up, worker, bot, doctor, export, cut, audio, frame):
        app.command()(command)
    app.add_typer(models, name="models")
    app.add_typer(jobs, name="jobs")
    app.add_typer(voices, name="voices")
    return app


def main() -> None:
    """Entry point of `stemcord`."""
    build_app()()
