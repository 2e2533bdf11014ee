"""Buttons, menus and forms; the id of each names its job, so that they work after a restart."""
