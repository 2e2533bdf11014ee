"""The bot's settings, read once from the environment when its process starts."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from pipeline.catalog import MAX_SIZE
from pipeline.types import Preset
from worker.store import Keyring, read_keyring
from worker.telemetry.settings import TelemetrySettings


class BotSettings(TelemetrySettings):
    """Settings from environment variables: `STEMCORD_<NAME>` for each field, and `DISCORD_TOKEN` for the token."""

    model_config = SettingsConfigDict(env_prefix="STEMCORD_", env_ignore_empty=True, frozen=True, extra="ignore")

    token: SecretStr | None = Field(default=None, validation_alias=AliasChoices("token", "DISCORD_TOKEN"))
    redis_url: str | None = None
    home: Path = Path(platformdirs.user_data_dir("stemcord"))
    store_url: str = ""
    """Empty: the folder `store` under home."""
    encryption_keys: SecretStr | None = None
    """`ID:BASE64` for each key, or the path of a file of these: encrypts the store and a database in a
    file. None: they are not encrypted."""
    preset: Preset = Preset.POCKET
    """Used when a person chooses none."""
    attachment_hosts: Annotated[tuple[str, ...], NoDecode] = ("cdn.discordapp.com", "media.discordapp.net")
    """Hosts that clips may be downloaded from by https; an entry with `http://` allows exactly that origin."""
    link_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts from which `/separate` takes clips by a link, by https; an entry with a scheme allows exactly that origin,
    also one of the own network. Empty: the command has no such option."""
    max_size: int = Field(default=MAX_SIZE, gt=0)
    """Bytes of a clip."""
    database_url: SecretStr | None = None
    """None: `bot.sqlite3` under home; else `postgresql://…`."""
    jobs_at_once: int = Field(default=3, ge=0)
    """For each person, on servers that set nothing else; 0 here and below: no limit."""
    minutes_per_day_person: int = Field(default=120, ge=0)
    minutes_per_day_guild: int = Field(default=600, ge=0)
    max_wait_minutes: int = Field(default=120, ge=0)
    """A clip that would wait longer than this is refused at once; 0: none is."""
    retention_days: int = Field(default=7, ge=1)
    """How long jobs are kept on servers that set nothing else."""
    voice_left_days: float = Field(default=7.0, ge=0)
    """How long the voice of somebody is kept who has left the server of a voice-book."""
    public_url: str = ""
    """Address under which people reach the pages of results, such as `https://stems.example`; empty: no pages."""
    web_host: str = "127.0.0.1"
    """Address of this machine on which the pages are served, for a proxy that adds https."""
    web_port: int = Field(default=8080, ge=1, le=65535)
    page_hours: float = Field(default=2.0, gt=0, le=24 * 90)
    """How long a link to a page works."""
    oauth_client_id: str = ""
    """Id of the application for "sign in with Discord" on the pages; empty: whoever has a link sees the page."""
    oauth_client_secret: SecretStr | None = None
    secret: SecretStr | None = Field(default=None, min_length=16)
    """Signs the links; None: the file `secret` under home, created at the first start."""
    shards: Annotated[int, Field(ge=0)] | Literal["auto"] = 0
    """Connections to the gateway: 0 one that is not sharded, auto as many as Discord recommends."""
    operator: str = Field(default="", max_length=200)
    """Who runs the bot, as the terms and the privacy policy name them; empty: the bot serves neither."""
    contact: str = Field(default="", max_length=200)
    """How people reach the operator: an e-mail address or the address of a page."""
    summary_url: str = ""
    """Address of an API like OpenAI's, such as `http://127.0.0.1:11434/v1`, that summarises transcripts for those who
    ask for it; empty: none are offered, and nothing is sent anywhere."""
    summary_model: str = Field(default="", max_length=200)
    summary_key: SecretStr | None = None
    guilds: Annotated[tuple[int, ...], NoDecode] = ()
    """Servers whose commands are registered at once; empty: the commands are global."""

    @field_validator("attachment_hosts", "link_hosts", "guilds", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the environment holds
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("public_url", "summary_url")
    @classmethod
    def _check_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("it must look like https://stems.example")
        return value.rstrip("/")

    @property
    def database(self) -> str:
        """Return the URL of the database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{quote(str(self.home.expanduser().resolve() / 'bot.sqlite3'))}"

    @property
    def summary_host(self) -> str:
        """Return where transcripts are summarised, for people: host and port."""
        return urlsplit(self.summary_url).netloc.rpartition("@")[2]

    @property
    def store(self) -> str:
        """Return the URL of the store."""
        return self.store_url or (self.home.expanduser().resolve() / "store").as_uri()

    @property
    def keyring(self) -> Keyring | None:
        """Return the keys that encrypt the store and a database in a file. Raises `EncryptionKeyError`."""
        return read_keyring("" if self.encryption_keys is None else self.encryption_keys.get_secret_value())
