"""Clips in and out: the only place that reads containers and runs ffmpeg.

A clip comes from strangers, so this package keeps to a short list of containers and of
sound decoders, never decodes a picture for its own sake, gives every run of ffmpeg a time
limit, and never lets a name that a person gave near a command line.
"""
