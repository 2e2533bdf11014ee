"""The recipe of the small network that parts a background into music, effects and ambience.

Nothing here is imported at run time. `python -m pipeline.training --help` lists the steps: fetch the
material, freeze the test list, train, evaluate.
"""
