"""Faults on the running system by chance of a seed: what becomes of jobs, messages and files.

`python -m tests.chaos --faults 1000 --seed 1` prints the table of docs/figures.md.
"""
