"""Hostile inputs by chance of a seed, through the stages as a worker runs them: what crashes, hangs or gets out.

`python -m tests.fuzz --inputs 10000 --seed 1` prints the table of docs/figures.md.
"""
