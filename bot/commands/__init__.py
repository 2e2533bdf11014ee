"""The commands. Each module here that has a `setup` function adds its commands to the tree.

To add a command, write a module with `setup(tree, services)` and put its texts into every file of `bot/i18n/locales`.
More than 16 modules because each command has its own.
"""

import pkgutil
from importlib import import_module
from typing import Any

from discord import app_commands

from bot.services import Services


def load_commands(tree: app_commands.CommandTree[Any], services: Services) -> None:
    """Add the commands of every module of this package."""
    for module in pkgutil.iter_modules(__path__):
        setup = getattr(import_module(f"{__name__}.{module.name}"), "setup", None)
        if setup is not None:
            setup(tree, services)
