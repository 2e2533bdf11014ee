"""Who may do what where, by Discord's own rule: roles first, then what a channel allows or denies."""

from tests.wire.objects import ApiError
from tests.wire.shapes import Json

MANAGE_GUILD, VIEW, SEND, MANAGE_MESSAGES = 1 << 5, 1 << 10, 1 << 11, 1 << 13
EMBED, ATTACH, HISTORY, USE_COMMANDS = 1 << 14, 1 << 15, 1 << 16, 1 << 31
OPEN_THREADS, SEND_IN_THREADS = 1 << 35, 1 << 38
EVERYTHING = (1 << 50) - 1
USUAL = VIEW | SEND | EMBED | ATTACH | HISTORY | USE_COMMANDS | OPEN_THREADS | SEND_IN_THREADS
"""What the everyone role of a new guild allows, as far as it matters here."""
THREAD = 11


def overwrite(of: str, *, member: bool, allow: int = 0, deny: int = 0) -> Json:
    """What a channel allows and denies to a role or to a member."""
    return {"id": of, "type": int(member), "allow": str(allow), "deny": str(deny)}


def rights_of(guild: Json, channel: Json, user_id: str, roles: list[str]) -> int:
    """The permissions of a member in a channel that is no thread."""
    if user_id == guild["owner_id"]:
        return EVERYTHING
    rights = 0
    for role in guild["roles"]:
        if role["id"] in (guild["id"], *roles):
            rights |= int(role["permissions"])
    entries = {entry["id"]: entry for entry in channel["permission_overwrites"]}
    for group in ([guild["id"]], roles, [user_id]):
        found = [entries[key] for key in group if key in entries]
        for entry in found:
            rights &= ~int(entry["deny"])
        for entry in found:
            rights |= int(entry["allow"])
    return rights if rights & VIEW else 0


def need(rights: int, wanted: int) -> None:
    """The answer of the service where a permission is missing."""
    if not rights & VIEW:
        raise ApiError(403, 50001, "Missing Access")
    if rights & wanted != wanted:
        raise ApiError(403, 50013, "Missing Permissions")
