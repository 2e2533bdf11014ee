"""Checks attachments and downloads them into the store, at once, since their links expire soon."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Self
from urllib.parse import unquote, urlsplit

import aiohttp
import discord
import yarl

from bot.clips.links import DOWNLOAD_LIMITS, LinkSource, failed_download, split_link
from bot.clips.origin_of_url import allowed_origin, origin_of
from bot.discord_limits import MAX_FILES_PER_MESSAGE
from bot.exceptions import ClipError, DownloadError, RefusedError, SizeError
from bot.messages.formatting import format_size, shorten
from bot.settings import BotSettings
from pipeline.errors import StoreError
from pipeline.types import Artefact
from worker.store import Store

CHUNK_BYTES = 1024 * 1024
DOWNLOAD_TIMEOUT_S = 10 * 60.0
"""The interaction's token works for 15 minutes."""
MAX_DOWNLOADS = 4
"""Downloads at the same time; the others wait, so that the disk holds only so many clips."""
MAX_NAME_CHARS = 100
MAX_LINK_CHARS = 2000
UNKNOWN_SIZE = -1
"""Bytes of a clip by a link, until it has come."""
MEDIA_SUFFIXES = (
    *(".3g2", ".3gp", ".avi", ".f4v", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf"),
    *(".ogv", ".ts", ".vob", ".webm", ".wmv", ".aac", ".ac3", ".aif", ".aiff", ".amr", ".au", ".caf", ".dts", ".eac3"),
    *(".flac", ".m4a", ".m4b", ".mka", ".mp2", ".mp3", ".oga", ".ogg", ".opus", ".spx", ".tta", ".w64", ".wav", ".wma"),
    ".wv",
)
"""What a clip's name may end with; ffmpeg checks the content."""

ZIP_SUFFIX = ".zip"
"""Suffix of a dub in several files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """An attachment as Discord describes it; name and type are not trusted."""

    name: str
    url: str
    size: int
    content_type: str
    is_link: bool = False
    """Whether a person gave the address; its size is unknown then."""


def clip_from_attachment(attachment: object) -> Clip:
    """Build a clip from an attachment, with a name that can be shown and stored.

    Raises `RefusedError` for anything else: discord.py gives an id for a file that the client did not send.
    """
    if not isinstance(attachment, discord.Attachment):
        raise RefusedError("out-of-date", "out-of-date-hint")
    return _clip(attachment.filename, attachment.url, attachment.size, attachment.content_type)


def clip_from_json(attachment: Mapping[str, Any]) -> Clip:
    """Build a clip from the JSON object of an attachment."""
    size, content_type = attachment["size"], attachment.get("content_type")
    return _clip(str(attachment["filename"]), str(attachment["url"]), int(size), content_type)


def _clip(filename: str, url: str, size: int, content_type: str | None) -> Clip:
    name = PurePosixPath(filename.replace("\\", "/")).name
    printable = "".join(letter for letter in name if letter.isprintable())
    return Clip(
        name=shorten(printable, MAX_NAME_CHARS) or "clip",
        url=url,
        size=size,
        content_type=(content_type or "").partition(";")[0].strip().lower(),
    )


def clip_from_link(link: str) -> Clip:
    """Build a clip from an address that a person gave. Raises `RefusedError` unless it looks like one of a file."""
    if len(link) > MAX_LINK_CHARS:
        raise RefusedError("link-bad", "link-bad-hint")
    parts = split_link(link.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise RefusedError("link-bad", "link-bad-hint")
    name = _clip(unquote(parts.path), "", UNKNOWN_SIZE, None).name
    return Clip(name=name, url=link.strip(), size=UNKNOWN_SIZE, content_type="", is_link=True)


def named_clip(name: str, size: int) -> Clip:
    """Build a clip of a file that was uploaded here, of which only the name tells the kind."""
    return _clip(name, "", size, None)


def is_media(clip: Clip) -> bool:
    """Tell whether the type or the suffix is that of video or sound."""
    if clip.content_type.startswith(("video/", "audio/")):
        return True
    suffix = PurePosixPath(clip.name).suffix.lower()
    return suffix in MEDIA_SUFFIXES and not clip.content_type.startswith(("image/", "text/"))


def is_picture(clip: Clip) -> bool:
    """Tell whether the type is that of a picture, such as a GIF."""
    return clip.content_type.startswith("image/")


def clips_of(message: discord.Message) -> list[discord.Attachment]:
    """Return the attachments of a message and of the messages that it forwards."""
    forwarded = [attachment for snapshot in message.message_snapshots for attachment in snapshot.attachments]
    return [*message.attachments, *forwarded]


def all_clips(attachments: Iterable[discord.Attachment]) -> list[Clip]:
    """Return the attachments that are clips. Raises `ClipError` when there is none or more than Discord allows."""
    found = list(attachments)
    if len(found) > MAX_FILES_PER_MESSAGE:
        raise ClipError("too-many-files", "too-many-files-hint", count=len(found), limit=MAX_FILES_PER_MESSAGE)
    clips = [clip for clip in map(clip_from_attachment, found) if is_media(clip)]
    if not clips:
        raise ClipError("no-clip", "no-clip-hint")
    return clips


class AttachmentDownloader:
    """Downloads clips from allowed hosts.

    Args:
        session: Client for the downloads.
        store: Where the clips go.
        hosts: Allowed hosts, as in STEMCORD_ATTACHMENT_HOSTS.
        max_size: Bytes of a clip.
        link_hosts: Hosts from which people may have clips by a link.

    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        store: Store,
        *,
        hosts: Iterable[str],
        max_size: int,
        link_hosts: Iterable[str] = (),
    ) -> None:
        self._links = LinkSource(link_hosts)
        self._session = session
        self._store = store
        self._origins = frozenset(map(allowed_origin, hosts))
        self._max_size = max_size
        self._downloads = asyncio.Semaphore(MAX_DOWNLOADS)

    @classmethod
    def for_settings(cls, session: aiohttp.ClientSession, store: Store, settings: BotSettings) -> Self:
        """Return the downloader of a bot."""
        hosts, links = settings.attachment_hosts, settings.link_hosts
        return cls(session, store, hosts=hosts, max_size=settings.max_size, link_hosts=links)

    def check(self, clip: Clip, path: Path | None = None) -> None:
        """Refuse an unusable clip before anything is downloaded; `path`: it is here already.

        Raises `ClipError`, `SizeError` or `RefusedError`.
        """
        if is_picture(clip):
            raise ClipError("clip-picture", "clip-no-media-hint", name=clip.name)
        if not is_media(clip):
            raise ClipError("clip-no-media", "clip-no-media-hint", name=clip.name)
        self._check_amount(clip, self._max_size)
        if path is None:
            self._check_origin(clip)

    def _check_source(self, clip: Clip, limit: int) -> None:
        self._check_amount(clip, limit)
        self._check_origin(clip)

    def _check_amount(self, clip: Clip, limit: int) -> None:
        if clip.size == 0:
            raise ClipError("clip-empty", "clip-no-media-hint", name=clip.name)
        _check_size(clip, clip.size, limit)

    def _check_origin(self, clip: Clip) -> None:
        if clip.is_link:
            self._links.check(clip.url)
            return
        if origin_of(urlsplit(clip.url)) not in self._origins:
            raise RefusedError("wrong-host", "wrong-host-hint")

    def check_dub(self, dub: Clip) -> None:
        """Check a voice track, which may also be a zip of several."""
        if PurePosixPath(dub.name).suffix.lower() != ZIP_SUFFIX:
            self.check(dub)
            return
        self._check_source(dub, self._max_size)

    async def download_dub(self, dub: Clip) -> Artefact:
        """Download a voice track; raises what `download` raises."""
        self.check_dub(dub)
        return await self._download(dub)

    async def download(self, clip: Clip, path: Path | None = None) -> Artefact:
        """Download a clip into the store, or take it from a path where it is already.

        Raises what `check` raises, and:
            ClipError: The link no longer works.
            DownloadError: The download failed or took too long.
            StoreError: There is no room.

        """
        self.check(clip, path)
        if path is not None:
            return await self._store.put(path, name=clip.name)
        return await self._download(clip)

    async def read(self, file: Clip, limit: int) -> bytes:
        """Download a small file that is not kept; raises what `download` raises, whatever the kind of the file.

        Args:
            file: The attachment.
            limit: Bytes that it may have.

        """
        self._check_source(file, limit)
        async with _temporary_folder() as folder:
            path = folder / "file"
            await self._fetch_in_time(file, path, limit)
            return await asyncio.to_thread(path.read_bytes)

    async def _download(self, clip: Clip) -> Artefact:
        async with self._downloads, _temporary_folder() as folder:
            path = folder / "clip"
            await self._fetch_in_time(clip, path, self._max_size)
            return await self._store.put(path, name=clip.name, media_type=clip.content_type or None)

    async def _fetch_in_time(self, clip: Clip, path: Path, limit: int) -> None:
        try:
            async with asyncio.timeout(DOWNLOAD_TIMEOUT_S):
                await self._fetch(clip, path, limit)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _failed_download(clip, type(error).__name__) from error
        except OSError as error:
            raise StoreError("There is no room for the clip.", detail=str(error)) from error

    async def _fetch(self, clip: Clip, path: Path, limit: int) -> None:
        async with self._open(clip) as response:
            if response.status in (403, 404, 410):
                raise ClipError("clip-gone", "clip-gone-hint", detail=f"status {response.status}")
            if response.status != 200:
                raise _failed_download(clip, f"status {response.status}")
            with await asyncio.to_thread(path.open, "wb") as file:
                received = await _receive(clip, response.content.iter_chunked(CHUNK_BYTES), file, limit)
        if received == 0:
            raise ClipError("clip-empty", "clip-no-media-hint", name=clip.name)

    def _open(self, clip: Clip) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        if clip.is_link:
            return self._links.open(clip.url)
        # A redirect would bypass the list of allowed hosts.
        url = yarl.URL(clip.url, encoded=True)
        return self._session.get(url, timeout=DOWNLOAD_LIMITS, allow_redirects=False)


def _failed_download(clip: Clip, detail: str) -> DownloadError:
    if clip.is_link:
        return failed_download(clip.url, detail)
    return DownloadError("download-failed", "try-soon", detail=detail)


async def _receive(clip: Clip, chunks: AsyncIterator[bytes], file: BinaryIO, limit: int) -> int:
    """Write the chunks and return their size; the size that Discord names is not trusted."""
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        _check_size(clip, received, limit)
        await asyncio.to_thread(file.write, chunk)
    return received


def _check_size(clip: Clip, size: int, limit: int) -> None:
    if size > limit:
        values = {"name": clip.name, "size": format_size(size), "limit": format_size(limit)}
        raise SizeError("clip-large", "clip-large-hint", **values)


@asynccontextmanager
async def _temporary_folder() -> AsyncGenerator[Path]:
    folder = tempfile.TemporaryDirectory(prefix="stemcord-")
    try:
        yield Path(folder.name)
    finally:
        await asyncio.to_thread(folder.cleanup)
