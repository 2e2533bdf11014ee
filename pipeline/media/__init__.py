"""Clips in and out: the only place that reads containers and runs ffmpeg.

A clip comes from strangers, so this package keeps to a short list of containers and of
sound decoders, never decodes a picture for its own sake, gives every run of ffmpeg a time
limit, and never lets a name that a person gave near a command line.
"""

from pipeline.media.aac.encoder import encode_aac
from pipeline.media.extract import convert, extract_master, extract_mono
from pipeline.media.mux import container_for, mux
from pipeline.media.probe import Probe, probe
from pipeline.media.stages import extract_stage, join_stage, listen_stage, probe_stage

__all__ = [
    "Probe",
    "container_for",
    "convert",
    "encode_aac",
    "extract_master",
    "extract_mono",
    "extract_stage",
    "join_stage",
    "listen_stage",
    "mux",
    "probe",
    "probe_stage",
]
