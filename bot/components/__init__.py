"""Buttons, menus and forms; the id of each names its job, so that they work after a restart.

More than 16 modules because each thing that people press or choose has its own, as `bot.components.router` lists them.
"""
