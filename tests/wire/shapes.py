"""Discord's JSON objects as the fake shows them."""

import time
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

DISCORD_EPOCH = 1_420_070_400_000
EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
HAS_THREAD = 1 << 5
VOICE, HAS_SNAPSHOT = 1 << 13, 1 << 14
PRIVATE = (1, 3)
"""Types of channels of no server: of two, and of a group."""


class Snowflakes:
    """Ids that carry the time they were made at, as discord.py reads it."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, *, ago: float = 0.0) -> str:
        """A new id, of something that happened so many seconds ago."""
        self._count += 1
        return str((int((time.time() - ago) * 1000) - DISCORD_EPOCH) << 22 | self._count)


def timestamp(seconds: float) -> str:
    """A Unix time as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def user(user_id: str, name: str, *, bot: bool = False) -> Json:
    """A user object."""
    return {
        "id": user_id,
        "username": name,
        "avatar": None,
        "discriminator": "0000" if bot else "0",
        "public_flags": 0,
        "flags": 0,
        "bot": bot,
        "global_name": None if bot else name.title(),
        "primary_guild": None,
    }


def member(of: Json, roles: list[str]) -> Json:
    """A guild member object with its user; the everyone role is not listed."""
    return {
        "user": of,
        "nick": None,
        "avatar": None,
        "banner": None,
        "roles": roles,
        "joined_at": timestamp(1_600_000_000),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": None,
    }


def role(role_id: str, name: str, permissions: int) -> Json:
    """A role of a guild."""
    return {
        "id": role_id,
        "name": name,
        "permissions": str(permissions),
        "position": 0,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def text_channel(channel_id: str, guild_id: str, name: str, position: int) -> Json:
    """A text channel of a guild."""
    return {
        "id": channel_id,
        "type": 0,
        "guild_id": guild_id,
        "name": name,
        "position": position,
        "permission_overwrites": [],
        "flags": 0,
        "nsfw": False,
        "topic": None,
        "rate_limit_per_user": 0,
        "parent_id": None,
        "last_message_id": None,
    }


def thread(thread_id: str, parent: Json, name: str, owner_id: str) -> Json:
    """A public thread, with the one who opened it as its member."""
    now = timestamp(time.time())
    return {
        "id": thread_id,
        "type": 11,
        "guild_id": parent["guild_id"],
        "parent_id": parent["id"],
        "owner_id": owner_id,
        "name": name,
        "last_message_id": None,
        "message_count": 0,
        "member_count": 1,
        "total_message_sent": 0,
        "rate_limit_per_user": 0,
        "flags": 0,
        "thread_metadata": {
            "archived": False,
            "archive_timestamp": now,
            "auto_archive_duration": 4320,
            "locked": False,
            "create_timestamp": now,
        },
        "member": {"id": thread_id, "user_id": owner_id, "join_timestamp": now, "flags": 0},
    }


def private_channel(channel_id: str, recipient: Json) -> Json:
    """A direct message channel."""
    return {"id": channel_id, "type": 1, "flags": 0, "last_message_id": None, "recipients": [recipient]}


def group_channel(channel_id: str, recipients: list[Json]) -> Json:
    """A group of people who write to each other."""
    return {
        "id": channel_id,
        "type": 3,
        "flags": 0,
        "last_message_id": None,
        "recipients": recipients,
        "name": None,
        "icon": None,
        "owner_id": recipients[0]["id"],
    }


def guild(guild_id: str, name: str, owner_id: str, everyone: int) -> Json:
    """A guild without its channels and members; its everyone role has the guild's id."""
    nothing = (
        "icon",
        "description",
        "home_header",
        "splash",
        "discovery_splash",
        "banner",
        "application_id",
        "afk_channel_id",
        "system_channel_id",
        "widget_channel_id",
        "max_presences",
        "vanity_url_code",
        "rules_channel_id",
        "safety_alerts_channel_id",
        "public_updates_channel_id",
        "incidents_data",
    )
    zero = (
        "verification_level",
        "default_message_notifications",
        "mfa_level",
        "explicit_content_filter",
        "premium_tier",
        "premium_subscription_count",
        "system_channel_flags",
        "nsfw_level",
    )
    return {
        **dict.fromkeys(nothing),
        **dict.fromkeys(zero, 0),
        "id": guild_id,
        "name": name,
        "owner_id": owner_id,
        "features": [],
        "region": "deprecated",
        "afk_timeout": 300,
        "widget_enabled": False,
        "roles": [role(guild_id, "@everyone", everyone)],
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "preferred_locale": "en-US",
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "emojis": [],
        "stickers": [],
    }


def application(application_id: str, name: str, owner: Json, bot: Json) -> Json:
    """The bot's application."""
    return {
        "id": application_id,
        "name": name,
        "icon": None,
        "description": "",
        "type": None,
        "bot": bot,
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": owner,
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None,
        "eligible_oauth2_scopes": [],
    }


def _answered_option(option: Json) -> Json:
    shown = {key: value for key, value in option.items() if value is not None}
    if "options" in shown:
        shown["options"] = [_answered_option(inner) for inner in shown["options"]]
    return shown


def command(command_id: str, application_id: str, guild_id: str | None, sent: Json) -> Json:
    """An application command as it is answered to the one who registered it."""
    shown = {
        "type": 1,
        "description": "",
        "default_member_permissions": None,
        "nsfw": False,
        "contexts": None,
        "integration_types": [0],
        **{key: value for key, value in sent.items() if value is not None or key == "contexts"},
        "id": command_id,
        "application_id": application_id,
        "version": command_id,
    }
    permissions = sent.get("default_member_permissions")
    shown["default_member_permissions"] = None if permissions is None else str(permissions)
    if shown.get("options"):
        shown["options"] = [_answered_option(option) for option in shown["options"]]
    return shown if guild_id is None else {**shown, "guild_id": guild_id}


def walk(components: list[Json]) -> list[Json]:
    """All components of a message, the nested ones after the one they are in."""
    found: list[Json] = []
    for component in components:
        found.append(component)
        found += walk(component.get("components") or [])
        accessory = component.get("accessory")
        found += [accessory] if accessory else []
    return found


def texts(components: list[Json], embeds: list[Json]) -> list[str]:
    """All that a person can read in components and embeds."""
    parts: list[str] = []
    for embed in embeds:
        parts += [str(embed[key]) for key in ("title", "description") if embed.get(key)]
        parts += [f"{entry['name']}: {entry['value']}" for entry in embed.get("fields") or []]
        parts += [str(embed[key][inner]) for key, inner in (("footer", "text"), ("author", "name")) if embed.get(key)]
    for component in walk(components):
        parts += [str(component[key]) for key in ("content", "label", "description") if component.get(key)]
    return parts
