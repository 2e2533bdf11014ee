"""The graph of stages, and what a stage is.

Branches of the graph are separation, speech, voices, speaker_stems, mix, compact and clip; the other modules run them.
"""
