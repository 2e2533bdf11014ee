from dataclasses import replace

import aiohttp
import pytest

from bot.clips.attachments import AttachmentDownloader, Clip, is_media
from bot.exceptions import ClipError, RefusedError, SizeError
from worker.store import Store

CLIP = Clip(
    name="talk.mp4", url="https://cdn.discordapp.com/attachments/1/2/talk.mp4?ex=1", size=10, content_type="video/mp4"
)


@pytest.fixture
def downloader(session: aiohttp.ClientSession, store: Store) -> AttachmentDownloader:
    hosts = ("cdn.discordapp.com", "media.discordapp.net", "http://127.0.0.1:8123")
    return AttachmentDownloader(session, store, hosts=hosts, max_size=100)


@pytest.mark.parametrize(
    ("name", "content_type", "expected"),
    [
        ("talk.mp4", "video/mp4", True),
        ("talk", "audio/ogg", True),
        ("talk.MKV", "", True),
        ("talk.flac", "application/octet-stream", True),
        ("talk.mp4", "text/plain", False),
        ("photo.png", "image/png", False),
        ("photo.mp4", "image/gif", False),
        ("talk", "", False),
        ("talk.exe", "application/octet-stream", False),
        *((f"talk.{suffix}", "", True) for suffix in ("flv", "caf", "mpg", "vob", "amr", "3gp", "wv", "m2ts", "wmv")),
    ],
)
def test_what_counts_as_media(name: str, content_type: str, expected: bool) -> None:
    assert is_media(replace(CLIP, name=name, content_type=content_type)) is expected


def test_a_picture_is_told_to_have_no_sound(downloader: AttachmentDownloader) -> None:
    with pytest.raises(ClipError) as caught:
        downloader.check(replace(CLIP, name="cat.gif", content_type="image/gif"))
    assert (caught.value.key, caught.value.values) == ("clip-picture", {"name": "cat.gif"})


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.discordapp.com/a.mp4",
        "https://media.discordapp.net/a.mp4",
        "https://cdn.discordapp.com:443/a.mp4",
        "http://127.0.0.1:8123/a.mp4",
    ],
)
async def test_allowed_hosts(downloader: AttachmentDownloader, url: str) -> None:
    downloader.check(replace(CLIP, url=url))


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/a.mp4",
        "https://cdn.discordapp.com:8443/a.mp4",
        "https://cdn.discordapp.com.evil.example/a.mp4",
        "https://evil.example/cdn.discordapp.com/a.mp4",
        "https://cdn.discordapp.com@evil.example/a.mp4",
        "https://127.0.0.1:8123/a.mp4",
        "http://127.0.0.1:8124/a.mp4",
        "http://localhost:8123/a.mp4",
        "file:///etc/passwd",
        "https://cdn.discordapp.com:port/a.mp4",
        "",
    ],
)
async def test_other_hosts(downloader: AttachmentDownloader, url: str) -> None:
    with pytest.raises(RefusedError, match="not stored on Discord"):
        downloader.check(replace(CLIP, url=url))


async def test_sizes(downloader: AttachmentDownloader) -> None:
    downloader.check(replace(CLIP, size=100))
    with pytest.raises(SizeError):
        downloader.check(replace(CLIP, size=101))
    with pytest.raises(ClipError, match="is empty"):
        downloader.check(replace(CLIP, size=0))
