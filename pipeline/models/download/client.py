"""Download model files from hubs: resumed after an interruption, verified, complete or not at all.

Bytes are written to `NAME.part`, which is renamed when its sha256 is the catalogue's. The content is not interpreted.
"""

import errno
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import httpx2

from pipeline.errors import ModelDigestError, ModelMissingError
from pipeline.models.checkpoints import (
    bytes_at,
    bytes_present,
    checkpoint_path,
    digest_matches,
    verify_checkpoint,
    write_digest_note,
    wrong_checkpoint,
)
from pipeline.models.download.hub import (
    FileUnavailableError,
    ForbiddenError,
    HubAccess,
    HubUnavailableError,
    open_client,
    open_file,
    read_extent,
    read_validator,
)
from pipeline.models.download.partial_file import Origin, PartialFile, open_partial
from pipeline.models.entries import HubFile, Model

RESERVED_DISK_BYTES: Final = 16 * 1024 * 1024
"""Bytes that are left free on the disk."""
RETRY_RESET_BYTES: Final = 1024 * 1024
"""Bytes after which a hub that breaks off again is given all its tries again."""
DISK_FULL_ERRNOS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PAUSE_POLL_S: Final = 0.1
"""Seconds between two looks whether to go on, in a pause."""

DownloadProgress: TypeAlias = Callable[[HubFile, int, int], None]
"""Called with a file, the bytes of it that are here, and all its bytes (0: unknown); what it raises ends the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long to wait for a hub, and how often to try."""

    connect_timeout_s: float = 10.0
    """Seconds for a connection."""
    read_timeout_s: float = 30.0
    """Seconds without a byte."""
    max_attempts: int = 5
    """Tries in a row that bring less than `STEP`; two for a hub that is not reached at all."""
    first_pause_s: float = 1.0
    """Seconds before the second try, doubled for each one after."""


def ensure_downloaded(model: Model, home: Path, report: Callable[[float, str], None] | None = None) -> dict[str, Path]:
    """Return the verified files of a model by their names, downloaded first where they are missing.

    Args:
        model: The model.
        home: Folder of the installation.
        report: Called with fraction 0 and a text with the bytes so far.

    Raises:
        ModelError: As for `download_model`.
    """
    here = {file.name: bytes_present(file, home) for file in model.hub}
    sizes = {file.name: file.size for file in model.hub}

    def report_bytes(file: HubFile, done: int, total: int) -> None:
        here[file.name], sizes[file.name] = done, total
        if report is not None:
            whole = f" of {sum(sizes.values()) / 1e6:.0f}" if all(sizes.values()) else ""
            report(0.0, f"Fetching {model.name}, {sum(here.values()) / 1e6:.0f}{whole} MB")

    return download_model(model, home, report_bytes)


def download_model(
    model: Model,
    home: Path,
    progress: DownloadProgress,
    *,
    access: HubAccess | None = None,
    retry: RetryPolicy | None = None,
) -> dict[str, Path]:
    """Download the missing files of a model, verify all of them, and return their paths by name.

    After an error, the bytes so far are kept for the next attempt.

    Args:
        model: The model.
        home: Folder of the installation.
        progress: Called while bytes arrive; an error that it raises ends the download.
        access: The token and who may see it; None: that of this machine.
        retry: Time limits; None: the usual ones.

    Raises:
        ModelMissingError: No hub can be reached or gives the file, or the disk is full.
        ModelDigestError: A file is not the catalogue's.
    """
    places = {file.name: checkpoint_path(file, home) for file in model.hub}
    missing = [file for file in model.hub if not places[file.name].is_file()]
    if missing:
        _check_disk_space(home, sum(max(0, file.size - bytes_present(file, home)) for file in missing), model.name)
        access = access or HubAccess.find()
        for file in missing:
            _Download(model, file, places[file.name], progress, access, retry or RetryPolicy()).run()
    for file in model.hub:
        verify_checkpoint(places[file.name], file)
    return places


class _Download:
    """The download of one file."""

    def __init__(
        self,
        model: Model,
        file: HubFile,
        place: Path,
        progress: DownloadProgress,
        access: HubAccess,
        retry: RetryPolicy,
    ) -> None:
        self._model, self._file, self._place = model, file, place
        self._progress, self._access, self._retry = progress, access, retry
        self._total = file.size
        self._resumed = False

    def run(self) -> None:
        """Try the addresses in turn until one gives the right bytes."""
        try:
            with open_partial(self._place, self._report) as part:
                if part is not None:
                    self._try_addresses(part)
        except OSError as error:
            if error.errno in DISK_FULL_ERRNOS:
                raise _disk_full(self._place.parent, self._total, self._place.name, repr(error)) from error
            raise ModelMissingError(
                f"The file {self._place.name} cannot be written into {self._place.parent}.",
                hint="Look at the rights of that folder, or set STEMCORD_HOME to another one.",
                detail=repr(error),
            ) from error

    def _try_addresses(self, part: PartialFile) -> None:
        failures: list[Exception] = []
        with open_client(
            read_timeout_s=self._retry.read_timeout_s, connect_timeout_s=self._retry.connect_timeout_s
        ) as client:
            for address in self._file.addresses:
                try:
                    self._download_verified(part, client, address)
                except (HubUnavailableError, ForbiddenError, FileUnavailableError, ModelDigestError) as error:
                    failures.append(error)
                else:
                    if not self._file.pinned:
                        write_digest_note(self._place, part.digest)
                    part.finish(self._place)
                    return
        if not part.size:
            part.remove()
        raise self._choose_failure(failures)

    def _download_verified(self, part: PartialFile, client: httpx2.Client, address: str) -> None:
        """Download the complete file from one address and verify it.

        Raises:
            ModelDigestError: The address sends another file.
        """
        self._resumed = part.size > 0
        if not self._file.size or part.size != self._file.size:
            self._download(part, client, address)
        if self._resumed and not digest_matches(part.digest, self._place, self._file):
            # What an earlier try left may be what is wrong.
            part.restart()
            self._download(part, client, address)
        if not digest_matches(part.digest, self._place, self._file):
            detail = f"{address} sent sha256 {part.digest}, expected {self._file.sha256}"
            part.restart()
            raise wrong_checkpoint(self._place, detail)
        if self._file.md5 and part.md5 != self._file.md5:
            detail = f"{address} sent md5 {part.md5}, expected {self._file.md5}"
            part.restart()
            raise wrong_checkpoint(self._place, detail)

    def _download(self, part: PartialFile, client: httpx2.Client, address: str) -> None:
        """Read from one address to the end of the file, resuming after interruptions.

        Raises:
            HubUnavailableError: Too many attempts in a row failed.
        """
        failed = 0
        while True:
            before = part.size
            try:
                return self._request(part, client, address)
            except HubUnavailableError as error:
                failed = 1 if part.size - before >= RETRY_RESET_BYTES else failed + 1
                if failed >= (min(2, self._retry.max_attempts) if error.unreached else self._retry.max_attempts):
                    raise
                self._pause(max(error.seconds, self._retry.first_pause_s * 2 ** (failed - 1)))

    def _request(self, part: PartialFile, client: httpx2.Client, address: str) -> None:
        """Make one request, for the rest of the file where that is possible."""
        headers = {"Accept-Encoding": "identity"} | self._range_headers(part, address)
        with open_file(client, address, headers, self._access, self._model) as answer:
            start, total = read_extent(answer)
            if answer.status_code == 416 or (start and start != part.size):
                part.restart()
                raise HubUnavailableError(f"{answer.url.host} cannot go on where it broke off")
            if self._file.size and total and total != self._file.size:
                part.restart()
                raise wrong_checkpoint(self._place, f"{address} has {total} bytes, expected {self._file.size}")
            if not start:
                part.restart(Origin(address=address, validator=read_validator(answer)))
            self._resumed = start > 0
            self._total = self._file.size or total
            self._report()
            for block in answer.iter_raw():
                part.append(block)
                if self._total and part.size > self._total:
                    part.restart()
                    raise wrong_checkpoint(self._place, f"{address} sends more than {self._total} bytes")
                self._report()
        if part.size < self._total:
            raise HubUnavailableError(f"{address} ended after {part.size} of {self._total} bytes")

    def _range_headers(self, part: PartialFile, address: str) -> dict[str, str]:
        """Ask for the rest only where it must belong to the same file: by its digest or by the validator (RFC 9110)."""
        origin = part.origin
        if part.size and self._file.size and part.size > self._file.size:
            part.restart()
        wanted = {"Range": f"bytes={part.size}-"}
        if part.size and origin is not None and origin.address == address and origin.validator:
            return wanted | {"If-Range": origin.validator}
        return wanted if part.size and self._file.pinned else {}

    def _report(self) -> None:
        self._progress(self._file, bytes_at(self._place), self._total)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._report()
            time.sleep(min(PAUSE_POLL_S, seconds))

    def _choose_failure(self, failures: list[Exception]) -> Exception:
        """Return the error that says most about what to do."""
        detail = "; ".join(str(failure) for failure in failures)
        for failure in failures:
            if isinstance(failure, ModelDigestError):
                return failure
            if isinstance(failure, ForbiddenError):
                failure.refusal.detail = detail
                return failure.refusal
        if any(isinstance(failure, HubUnavailableError) for failure in failures):
            return ModelMissingError(
                f"The weights of {self._model.name} are not here, and no hub that keeps them can be reached.",
                hint=f"Run `stemcord models fetch {self._model.name}` when there is a network, or use "
                "`--preset pocket`, which needs no hub.",
                detail=detail,
            )
        return ModelMissingError(
            f"The weights of {self._model.name} are no longer where they were published.",
            hint=f"Look at {self._model.source}, or use `--preset pocket`, which needs no hub.",
            detail=detail,
        )


def _check_disk_space(home: Path, needed: int, name: str) -> None:
    """Check that the disk has space for more bytes.

    Raises:
        ModelMissingError: It has not.
    """
    there = next(path for path in (home, *home.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if needed and free < needed + RESERVED_DISK_BYTES:
        raise _disk_full(home, needed, name, f"{free} bytes are free, {needed + RESERVED_DISK_BYTES} are needed")


def _disk_full(folder: Path, needed: int, name: str, detail: str) -> ModelMissingError:
    size = f"{needed / 1e6:.0f} MB" if needed else "more room"
    return ModelMissingError(
        f"There is too little room in {folder}: {name} needs {size}.",
        hint="Free some space there, or set STEMCORD_HOME to a folder on a larger disk.",
        detail=detail,
    )
