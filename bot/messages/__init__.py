"""Embeds and texts of the messages that the bot sends."""
