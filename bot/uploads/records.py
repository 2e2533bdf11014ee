"""What is known of an upload, as it lies beside its bytes."""

import msgspec
from msgspec import structs


class UploadInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an upload."""

    name: str
    length: int
    """Bytes."""
    user_id: str = ""
    """Whose it is; empty once the person had everything about them deleted."""
    expires: float = 0.0
    """Unix time at which its link ends."""
    done: bool = False
    """Whether all of it came and was taken over; its bytes are no longer here then."""
    refusal: str = ""
    """Why nothing came of it, as the person is told."""


def with_outcome(info: UploadInfo, refusal: str) -> UploadInfo:
    """Return what is known of an upload that was taken over, or refused."""
    return structs.replace(info, done=True, refusal=refusal)


def used_link(info: UploadInfo) -> UploadInfo:
    """Return what has to stay when a person's data is deleted: that the link is used, and nothing personal."""
    return UploadInfo(name="", length=0, expires=info.expires, done=True)
