"""Whisper on PaddlePaddle.

More than 16 modules because all are steps between a window of sound and its words, and none is of use without the
others.
"""
