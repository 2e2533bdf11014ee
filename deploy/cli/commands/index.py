"""`stemcord index`: the index of what was said, in the bot's database."""

import asyncio
from collections.abc import Callable

import typer
from rich.console import Console
from rich.progress import Progress

from deploy.cli.errors import exit_on_failure

index = typer.Typer(help="Look after the index in which /find looks.", no_args_is_help=True)


@index.callback()
def index_group() -> None:
    """Look after the index in which /find looks."""


@index.command()
def rebuild() -> None:
    """Delete the index and make it again from the transcripts; the bot may run meanwhile."""
    with exit_on_failure(), Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("Indexing", total=None)

        def show(count: int, total: int) -> None:
            progress.update(task, completed=count, total=total)

        made, left = asyncio.run(_rebuild(show))
    Console().print(f"Indexed: {made} results." + (f" Not indexed: {left}; the log says why." if left else ""))
    if left:
        raise typer.Exit(1)


async def _rebuild(show: Callable[[int, int], None]) -> tuple[int, int]:
    """Return how many results were indexed, and how many could not be."""
    from bot.database.engine import Database
    from bot.database.repository import Repository
    from bot.database.transcript_edits import TranscriptEdits
    from bot.jobs.quotas import Quotas
    from bot.log import configure_log
    from bot.search.index import SearchIndex
    from bot.search.indexer import SearchIndexer
    from bot.settings import BotSettings
    from bot.transcripts.editor import TranscriptEditor
    from worker.store import Store

    configure_log()
    settings = BotSettings()
    async with Database.open(settings.database, settings.keyring) as database:
        # Nothing is edited here.
        editor = TranscriptEditor(
            TranscriptEdits(database), Store.open(settings.store, settings.keyring), lambda _: None
        )
        kept = SearchIndex(database)
        indexer = SearchIndexer(kept, Repository(database, Quotas()), editor)
        await kept.clear()
        total = len(await kept.stale())
        count = 0
        async for _ in indexer.catch_up():
            count += 1
            show(count, total)
        left = len(await kept.stale())
        return count - left, left
