"""Databases in files of SQLite, encrypted or not."""
