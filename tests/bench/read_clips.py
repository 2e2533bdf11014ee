"""Clips of synthetic readers, written once and kept."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from tests.bench import voice_bank
from tests.bench.speech_set import cache


class NamedClip(Protocol):
    """A clip that can be written."""

    @property
    def name(self) -> str:
        """Of its files, without suffixes."""
        ...


C = TypeVar("C", bound=NamedClip)


def build_missing(
    folder: Path,
    clips: Callable[[str], Sequence[C]],
    write: Callable[[C, str, voice_bank.Reader], None],
    halves: Sequence[str],
    names: Collection[str] = (),
) -> list[C]:
    """Write what is missing of some halves, or of the clips of these names, into a folder; give all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {half: [clip for clip in clips(half) if not names or clip.name in names] for half in halves}
    for half in halves:
        missing = [clip for clip in wanted[half] if not (folder / f"{clip.name}.turns.json").exists()]
        if missing:
            voice_bank.fetch(cache() / "bench-voices")
            reader = voice_bank.Reader(cache() / "bench-voices")
            for clip in missing:
                write(clip, half, reader)
    return [clip for half in halves for clip in wanted[half]]
