"""The windows of a clip that the recogniser is given."""

from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pipeline.errors import TranscriptionError
from pipeline.speech.contracts import TranscribeInputs
from pipeline.speech.recognition.chunking import Window, pack_windows
from pipeline.speech.recognition.speech_reader import SpeechReader
from pipeline.types import Diarization


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechWindows:
    """A clip's sound, who speaks in it, and windows of it in order."""

    reader: SpeechReader
    diarization: Diarization
    windows: tuple[Window, ...]

    def part(self, first: int, count: int) -> "SpeechWindows":
        """Keep some windows, by their numbers."""
        return replace(self, windows=self.windows[first : first + count])

    def audible(self) -> "SpeechWindows":
        """Keep the windows in which anything is to be heard."""
        return replace(self, windows=tuple(window for window in self.windows if self.reader.is_audible(window)))


def open_windows(inputs: TranscribeInputs[Path]) -> SpeechWindows:
    """Open a clip and pack its speech into windows.

    Raises:
        TranscriptionError: The inputs cannot be read.
    """
    diarization = _read_diarization(inputs.diarization)
    reader = SpeechReader(inputs.speech)
    windows = tuple(pack_windows(diarization.segments, reader.duration, reader.find_quietest))
    return SpeechWindows(reader=reader, diarization=diarization, windows=windows)


def _read_diarization(path: Path) -> Diarization:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Diarization)
    except (OSError, msgspec.DecodeError) as error:
        raise TranscriptionError("The list of speakers cannot be read.", detail=f"{path}: {error}") from error
