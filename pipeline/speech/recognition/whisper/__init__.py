"""Whisper on PaddlePaddle."""
