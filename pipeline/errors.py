"""Every error that Stemcord names.

  AudioProcessingError          anything that went wrong with a clip
    ValidationError             the input or an option cannot be used (exit code 2)
      MediaError                the file is no clip that can be worked on
      LimitError                the clip is longer or larger than allowed
    FFmpegError                 ffmpeg failed or ran too long
    SeparationError             taking the sound apart failed
      DemucsError               the Demucs engine failed
      UVRError                  a UVR engine failed
    DiarizationError            telling the speakers apart failed
    TranscriptionError          recognising the words failed
    MixError                    putting the parts together failed
    ModelError                  weights cannot be used
      ModelMissingError         weights are not there
      ModelDigestError          weights are not the ones the catalogue names
    EngineError                 an engine's process failed
      EngineDiedError           it ended on its own (out of memory, crash)
      EngineTimeoutError        it ran longer than allowed
    QueueError                  the broker is away or answered wrongly
    StoreError                  the artefact store failed
    AttemptsError               a job failed too often and was put aside
    Cancelled                   a person stopped the job

Each carries `message` and `mend` for the person, one sentence each, and `detail`
for the log. `ValidationError` and its children are the person's to mend; all
others are the system's.
"""

from typing import ClassVar

from pipeline.types import Failure


class AudioProcessingError(Exception):
    """Root of all named errors."""

    mend_by_default: ClassVar[str] = "Try again; if it fails again, tell the people who run this bot."

    def __init__(self, message: str, *, mend: str | None = None, detail: str = "", stage: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = self.mend_by_default if mend is None else mend
        self.detail = detail
        self.stage = stage

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()

    def to_failure(self) -> Failure:
        """The error as data."""
        return Failure(
            type=type(self).__name__, message=self.message, mend=self.mend, detail=self.detail, stage=self.stage
        )


class ValidationError(AudioProcessingError):
    """The input or an option cannot be used."""

    mend_by_default = "Check the file and the options and try again."


class MediaError(ValidationError):
    """The file is no clip that can be worked on."""

    mend_by_default = "Send a video or sound file with an audio track (mp4, mov, mkv, webm, mp3, m4a, wav, flac, ogg)."


class LimitError(ValidationError):
    """The clip is longer or larger than allowed."""

    mend_by_default = "Send a shorter or smaller clip."


class FFmpegError(AudioProcessingError):
    """ffmpeg failed or ran too long."""

    mend_by_default = "Re-export the clip with another program and try again."


class SeparationError(AudioProcessingError):
    """Taking the sound apart failed."""


class DemucsError(SeparationError):
    """The Demucs engine failed."""


class UVRError(SeparationError):
    """A UVR engine failed."""


class DiarizationError(AudioProcessingError):
    """Telling the speakers apart failed."""


class TranscriptionError(AudioProcessingError):
    """Recognising the words failed."""


class MixError(AudioProcessingError):
    """Putting the parts together failed."""


class ModelError(AudioProcessingError):
    """Weights cannot be used."""

    mend_by_default = "Run `stemcord doctor` to see what is missing."


class ModelMissingError(ModelError):
    """Weights are not there."""


class ModelDigestError(ModelError):
    """Weights are not the ones the catalogue names."""


class EngineError(AudioProcessingError):
    """An engine's process failed."""


class EngineDiedError(EngineError):
    """An engine's process ended on its own."""


class EngineTimeoutError(EngineError):
    """An engine ran longer than allowed."""


class QueueError(AudioProcessingError):
    """The broker is away or answered wrongly."""

    mend_by_default = "Check that the Redis or Valkey server of STEMCORD_REDIS_URL is running."


class StoreError(AudioProcessingError):
    """The artefact store failed."""

    mend_by_default = "Check STEMCORD_STORE_URL, its rights and its free space."


class AttemptsError(AudioProcessingError):
    """A job failed too often and was put aside."""

    mend_by_default = "It is kept: look at it with `stemcord jobs list`, then `stemcord jobs replay` or `discard`."


class Cancelled(AudioProcessingError):  # noqa: N818 - nothing went wrong
    """A person stopped the job."""

    mend_by_default = ""


def _all_types(root: type[AudioProcessingError]) -> dict[str, type[AudioProcessingError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _all_types(child)
    return found


def from_failure(failure: Failure) -> AudioProcessingError:
    """The error that a failure describes; an unknown type becomes the root type."""
    kind = _all_types(AudioProcessingError).get(failure.type, AudioProcessingError)
    return kind(failure.message, mend=failure.mend, detail=failure.detail, stage=failure.stage)


def is_input_failure(failure: Failure) -> bool:
    """True when the person who sent the clip can mend it."""
    return issubclass(_all_types(AudioProcessingError).get(failure.type, AudioProcessingError), ValidationError)
