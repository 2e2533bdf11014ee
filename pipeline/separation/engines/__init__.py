"""Separation engines, a package for each.

The `__init__` of a package declares `ENGINES`, a tuple of `EngineSpec`, with the models that the engine can use. It
imports data only, because the bot reads it too; the engine's code lies in other modules of the package.
"""
