"""Whisper on PaddlePaddle.

Seventeen modules: all are steps between a window of sound and its words, and none is of use without the others.
"""
