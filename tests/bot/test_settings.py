from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.database.engine import Database
from bot.settings import BotSettings
from pipeline.types import Preset
from worker.store import Store


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hush")
    monkeypatch.setenv("STEMCORD_HOME", str(tmp_path))
    monkeypatch.setenv("STEMCORD_ATTACHMENT_HOSTS", "a.example, http://127.0.0.1:1")
    monkeypatch.setenv("STEMCORD_GUILDS", "1,22")
    monkeypatch.setenv("STEMCORD_PRESET", "studio")
    settings = BotSettings()
    assert settings.token is not None
    assert settings.token.get_secret_value() == "hush"
    assert "hush" not in repr(settings)
    assert settings.store == f"file://{tmp_path}/store"
    assert settings.attachment_hosts == ("a.example", "http://127.0.0.1:1")
    assert settings.guilds == (1, 22)
    assert settings.preset is Preset.STUDIO


async def test_database_and_store_are_under_a_home_of_any_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "50%20 off? #1"
    monkeypatch.setenv("STEMCORD_HOME", str(home))
    async with Database.open(BotSettings().database):
        Store.open(BotSettings().store)
    assert (home / "bot.sqlite3").is_file()
    assert (home / "store").is_dir()
    assert list(tmp_path.iterdir()) == [home]


def test_defaults_are_discords_own_hosts() -> None:
    assert BotSettings().attachment_hosts == ("cdn.discordapp.com", "media.discordapp.net")


def test_there_are_no_pages_until_they_have_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert BotSettings().public_url == ""
    monkeypatch.setenv("STEMCORD_PUBLIC_URL", "https://stems.example/under/")
    monkeypatch.setenv("STEMCORD_SECRET", "known to nobody else")
    settings = BotSettings()
    assert (settings.public_url, settings.web_host, settings.web_port) == (
        "https://stems.example/under",
        "127.0.0.1",
        8080,
    )
    assert "nobody" not in repr(settings)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("STEMCORD_PUBLIC_URL", "stems.example"),
        ("STEMCORD_PUBLIC_URL", "ftp://stems.example"),
        ("STEMCORD_PUBLIC_URL", "https://stems.example/?a=b"),
        ("STEMCORD_SECRET", "short"),
        ("STEMCORD_WEB_PORT", "0"),
        ("STEMCORD_PAGE_HOURS", "0"),
    ],
)
def test_settings_of_pages_that_cannot_be_are_refused(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)
    with pytest.raises(ValidationError):
        BotSettings()


@pytest.mark.parametrize("setting", ["STEMCORD_MAX_SIZE", "STEMCORD_PRESET", "STEMCORD_GUILDS"])
def test_unusable_values_are_refused(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv(setting, "no")
    with pytest.raises(ValidationError):
        BotSettings()
