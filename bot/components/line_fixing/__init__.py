"""Corrects a transcript in Discord: a private list of lines, a form for each, and a way back."""
