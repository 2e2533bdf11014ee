"""Every error that the pipeline and the workers name.

StemcordError                   root of all errors of the project
  BotError                      see `bot.exceptions`
  AudioProcessingError          anything that went wrong with a clip
    ValidationError             the input or an option cannot be used (exit code 2)
      MediaError                the file is no clip that can be worked on
      LimitError                the clip is longer or larger than allowed
    FFmpegError                 ffmpeg failed or ran too long
    SeparationError             taking the sound apart failed
      DemucsError               the Demucs engine failed
      UVRError                  a UVR engine failed
    DiarizationError            diarization failed
    TranscriptionError          speech recognition failed
    MixError                    putting the parts together failed
    ModelError                  weights cannot be used
      ModelMissingError         weights are not there
      ModelDigestError          weights are not the ones the catalogue names
    EngineError                 an engine's process failed
      EngineDiedError           it ended on its own (out of memory, crash)
      EngineTimeoutError        it ran longer than allowed
    QueueError                  the broker is away or answered wrongly
    StoreError                  the artefact store failed
      DamagedFileError          a file in it is not what it was
      DiskFullError             the disk of the store or of a worker is full
      EncryptionKeyError        a key that encrypts the store is missing or wrong
    AttemptsError               a job failed too often and was put aside
    Cancelled                   a person stopped the job

Each carries `message` and `hint` for the person, one sentence each, and `detail`
for the log. `ValidationError` and its children are the person's to put right; all
others are the system's.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from msgspec import UNSET, UnsetType

from pipeline.types import Failure, TextReference


class StemcordError(Exception):
    """Root of all errors that the project raises on purpose.

    Args:
        message: What happened, one sentence for a person.
        hint: What the person can do, one sentence; the type's own hint when it is None.
        detail: For the log.

    """

    default_hint: ClassVar[str] = "Try again; if it fails again, tell the people who run this bot."

    def __init__(self, message: str, *, hint: str | None = None, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class AudioProcessingError(StemcordError):
    """Root of the errors that can happen to a clip.

    Args:
        message: What happened, one sentence for a person.
        hint: What the person can do, one sentence; the type's own hint when it is None.
        detail: For the log.
        stage: Name of the stage that raised the error.
        text: Tells those who have the message in other languages which one it is.

    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        detail: str = "",
        stage: str = "",
        text: TextReference | None = None,
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.stage = stage
        self.text = text

    def to_failure(self) -> Failure:
        """Return the error as data."""
        return Failure(
            type=type(self).__name__,
            message=self.message,
            hint=self.hint,
            detail=self.detail,
            stage=self.stage,
            text=UNSET if self.text is None else self.text,
        )


class ValidationError(AudioProcessingError):
    """The input or an option cannot be used."""

    default_hint = "Check the file and the options and try again."


class MediaError(ValidationError):
    """The file is no clip that can be worked on."""

    default_hint = (
        "Send a video or sound file with an audio track (mp4, mov, mkv, webm, mp3, m4a, wav, flac, ogg and others)."
    )


class LimitError(ValidationError):
    """The clip is longer or larger than allowed."""

    default_hint = "Send a shorter or smaller clip."


class FFmpegError(AudioProcessingError):
    """ffmpeg failed or ran too long."""

    default_hint = "Re-export the clip with another program and try again."


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

    default_hint = "Run `stemcord doctor` to see what is missing."


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

    default_hint = "Check that the Redis or Valkey server of STEMCORD_REDIS_URL is running."


class StoreError(AudioProcessingError):
    """The artefact store failed."""

    default_hint = "Check STEMCORD_STORE_URL, its rights and its free space."


class DamagedFileError(StoreError):
    """A file in the store is not what it was; it is removed, so that it is made again."""

    default_hint = "Send the clip again."


class EncryptionKeyError(StoreError):
    """A key that encrypts the store is missing or wrong."""

    default_hint = "Compare STEMCORD_ENCRYPTION_KEYS of all processes."


class DiskFullError(StoreError):
    """The disk of the store or of a worker is full."""

    default_hint = "Make room on it, then try again."


class AttemptsError(AudioProcessingError):
    """A job failed too often and was put aside."""

    default_hint = "It is kept: look at it with `stemcord jobs list`, then `stemcord jobs replay` or `discard`."


class Cancelled(AudioProcessingError):  # noqa: N818 - nothing went wrong
    """A person stopped the job."""

    default_hint = ""


def _by_name(*types: type[AudioProcessingError]) -> Mapping[str, type[AudioProcessingError]]:
    return MappingProxyType({kind.__name__: kind for kind in types})


ERROR_TYPES = _by_name(
    AudioProcessingError,
    ValidationError,
    MediaError,
    LimitError,
    FFmpegError,
    SeparationError,
    DemucsError,
    UVRError,
    DiarizationError,
    TranscriptionError,
    MixError,
    ModelError,
    ModelMissingError,
    ModelDigestError,
    EngineError,
    EngineDiedError,
    EngineTimeoutError,
    QueueError,
    StoreError,
    EncryptionKeyError,
    DamagedFileError,
    DiskFullError,
    AttemptsError,
    Cancelled,
)
"""Error types by the code that `Failure.type` carries between processes."""


def from_failure(failure: Failure) -> AudioProcessingError:
    """Build the error that a failure describes; an unknown code gives an `AudioProcessingError`."""
    kind = ERROR_TYPES.get(failure.type, AudioProcessingError)
    text = None if isinstance(failure.text, UnsetType) else failure.text
    return kind(failure.message, hint=failure.hint, detail=failure.detail, stage=failure.stage, text=text)
