"""Settings of a worker process and of the commands that start one, all from the environment."""

from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, PositiveFloat, PositiveInt, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from pipeline.catalog import MAX_DURATION, MAX_SIZE
from pipeline.types import Preset
from worker.store.keys import Keyring, read_keyring
from worker.telemetry.settings import TelemetrySettings


class WorkerSettings(TelemetrySettings):
    """Each field is read from `STEMCORD_` and its name in capitals; raises pydantic's error for a bad value."""

    model_config = SettingsConfigDict(env_prefix="STEMCORD_", env_ignore_empty=True, frozen=True)

    redis_url: str | None = None
    """Where the queue is; None: an embedded broker in `home`."""
    home: Path = Field(default_factory=lambda: platformdirs.user_data_path("stemcord"))
    store_url: str = ""
    """Where artefacts are; default: a folder in `home`."""
    encryption_keys: SecretStr | None = None
    """`ID:BASE64` for each key, or the path of a file of these: encrypts the store and a database in a
    file. None: they are not encrypted."""
    preset: Preset = Preset.POCKET
    device: Literal["auto", "cpu", "cuda"] = "auto"
    max_duration: PositiveFloat = MAX_DURATION
    """Seconds."""
    max_size: PositiveInt = MAX_SIZE
    """Bytes."""
    media_jobs: Annotated[int, Field(ge=1, le=64)] = 2
    """Jobs that a media worker has under way; their stages take turns on its one engine."""
    express: bool = True
    """Run a short clip's stages in a second engine while a much longer clip has the first."""
    look_ahead: bool = True
    """Transcribe in idle time what was only separated."""
    drain: Annotated[float, Field(ge=0)] = 20.0
    """Seconds that jobs may take to end after the worker was told to stop; then others take them over."""
    asr_python: Path | None = None
    """Interpreter of the environment of the asr worker; default: `.venv-asr` of the checkout."""
    log_format: Literal["auto", "console", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    tied: bool = False
    """Stop when standard input ends, so that a worker does not outlive the command that started it."""

    @model_validator(mode="before")
    @classmethod
    def _fill_store(cls, values: dict[str, object]) -> dict[str, object]:
        home = Path(str(values.get("home") or platformdirs.user_data_path("stemcord"))).expanduser().resolve()
        return {"store_url": (home / "store").as_uri()} | values | {"home": home}

    @property
    def keyring(self) -> Keyring | None:
        """Return the keys that encrypt the store and a database in a file. Raises `EncryptionKeyError`."""
        return read_keyring("" if self.encryption_keys is None else self.encryption_keys.get_secret_value())
