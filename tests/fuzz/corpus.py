"""Inputs that were found: each did once what must not happen. A folder holds those of one kind."""

from collections.abc import Mapping
from pathlib import Path

from tests.fuzz.documents import WHOLE_BOOK, WHOLE_TRANSCRIPT, WHOLE_VOICES
from tests.fuzz.inputs import KINDS, HostileInput

CORPUS = Path(__file__).with_name("corpus")


def read_corpus() -> list[HostileInput]:
    """Read all of them, each with whole files beside it."""
    beside: Mapping[str, Mapping[str, bytes]] = {
        "transcript": {"voices.json": WHOLE_VOICES},
        "edits": {"transcript.json": WHOLE_TRANSCRIPT, "voices.json": WHOLE_VOICES},
        "voice-book": {"heard.json": WHOLE_BOOK},
    }
    return [
        HostileInput(kind=kind, name=path.name, content=path.read_bytes(), made=path.name, beside=beside.get(kind, {}))
        for kind in KINDS
        for path in sorted((CORPUS / kind.replace(" ", "-")).glob("*"))
    ]
