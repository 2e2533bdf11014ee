"""Lets a new process of the bot take over from an old one without a gap."""
