"""What the fake Discord knows: people, places, messages, commands, interactions.

Nothing here speaks a protocol; REST, gateway and CDN look things up and change them here.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.wire import rights, shapes
from tests.wire.objects import ApiError, Attachment, Interaction, Message
from tests.wire.shapes import Json

MIB = 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Knobs:
    """What a test may turn."""

    token_life: float = 15 * 60.0
    """Seconds that an interaction's token is good for."""
    acknowledge_within: float = 3.0
    size_limit: int = 10 * MIB
    """Bytes for each file."""
    bots_size_limit: int | None = None
    """Bytes for each file that the bot sends without an interaction; None: the same."""
    heartbeat: float = 5.0
    """Seconds between heartbeats that the gateway asks for."""
    download_rate: float | None = None
    """Bytes a second that the CDN gives; None: as fast as it can."""
    edits_per_window: int = 5
    """Messages made or changed in one place for each window before 429."""
    window: float = 5.0


class World:
    """The state of the fake, with one guild, one text channel and one person, who owns the guild, to begin with."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self.new_id = shapes.Snowflakes()
        self.token = "MTIzNDU2Nzg5.wire.test-token"
        self.application_id = self.new_id()
        self.bot = shapes.user(self.application_id, "stemcord", bot=True)
        self.person = shapes.user(self.new_id(), "alex")
        self.users = {u["id"]: u for u in (self.bot, self.person)}
        self.application = shapes.application(self.application_id, "Stemcord", self.person, self.bot)
        self.guild_id = self._odd_id()
        self.guild = shapes.guild(self.guild_id, "The cutting room", self.person["id"], rights.USUAL)
        self.roles: dict[str, list[str]] = {}
        """Of members, by the id of the user."""
        self.tells_members = True
        """Whether whoever runs the bot turned that on in Discord's developer portal."""
        channel = shapes.text_channel(self.new_id(), self.guild_id, "clips", 0)
        self.channel_id: str = channel["id"]
        self.channels: dict[str, Json] = {self.channel_id: channel}
        self.outside: set[str] = set()
        """Channels of places of which the bot is no member."""
        self.messages: dict[str, Message] = {}
        self.attachments: dict[str, Attachment] = {}
        self.interactions: dict[str, Interaction] = {}
        self.commands: dict[str | None, list[Json]] = {}
        """By guild, None for the global ones."""
        self._changed: asyncio.Event = asyncio.Event()

    def _odd_id(self) -> str:
        """An id of an odd millisecond: of two shards, the second has it."""
        while (int(found := self.new_id()) >> 22) % 2 == 0:
            time.sleep(0.0005)
        return found

    def touch(self) -> None:
        """Wakes all who wait for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Returns at the next change."""
        await self._changed.wait()

    @property
    def in_order(self) -> list[Message]:
        """All messages that were not deleted, oldest first."""
        return [message for message in self.messages.values() if not message.deleted]

    def all_commands(self) -> Iterator[Json]:
        """Every registered command."""
        for commands in self.commands.values():
            yield from commands

    def channel(self, channel_id: str) -> Json:
        """A channel; 404 when there is none."""
        if channel_id not in self.channels:
            raise ApiError(404, 10003, "Unknown Channel")
        return self.channels[channel_id]

    def open_channel(self, channel_id: str) -> Json:
        """A channel that the bot's own token may use; 403 where the bot is no member."""
        if channel_id in self.outside:
            raise ApiError(403, 50001, "Missing Access")
        return self.channel(channel_id)

    def message(self, message_id: str, channel_id: str | None = None) -> Message:
        """A message; 404 when there is none, or when it is elsewhere."""
        found = self.messages.get(message_id)
        if found is None or found.deleted or (channel_id is not None and found.channel_id != channel_id):
            raise ApiError(404, 10008, "Unknown Message")
        return found

    def visible_message(self, message_id: str, channel_id: str) -> Message:
        """A message that the bot's own token may see: not an ephemeral one."""
        self.open_channel(channel_id)
        found = self.message(message_id, channel_id)
        if found.ephemeral:
            raise ApiError(404, 10008, "Unknown Message")
        return found

    def private_channel(self, user_id: str) -> Json:
        """The direct message channel with a person, made on first use."""
        if user_id not in self.users:
            raise ApiError(400, 50033, "Invalid Recipient(s)")
        for channel in self.channels.values():
            if channel["type"] == 1 and channel["recipients"][0]["id"] == user_id:
                return channel
        channel = shapes.private_channel(self.new_id(), self.users[user_id])
        self.channels[channel["id"]] = channel
        return channel

    def interaction(self, token: str) -> Interaction:
        """The interaction that a webhook token belongs to; 401 once the token has expired."""
        found = self.interactions.get(token)
        if found is None:
            raise ApiError(404, 10015, "Unknown Webhook")
        if time.monotonic() - found.created + found.age > self.knobs.token_life:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return found

    def rights(self, user_id: str, channel_id: str) -> int:
        """What a person or the bot may do in a place; in a thread, sending is by the right for threads."""
        channel = self.channel(channel_id)
        if channel["type"] in shapes.PRIVATE or channel_id in self.outside:
            return rights.USUAL
        parent = self.channels[channel["parent_id"]] if channel["type"] == rights.THREAD else channel
        found = rights.rights_of(self.guild, parent, user_id, self.roles.get(user_id, []))
        if channel["type"] != rights.THREAD:
            return found
        return found | rights.SEND if found & rights.SEND_IN_THREADS else found & ~rights.SEND

    def add_person(self, name: str, allowed: int = 0) -> Json:
        """A member of the guild; what they may beyond the others comes with a role of their own."""
        person = shapes.user(self.new_id(), name)
        self.users[person["id"]] = person
        if allowed:
            role = shapes.role(self.new_id(), f"{name}'s role", allowed)
            self.guild["roles"].append(role)
            self.roles[person["id"]] = [role["id"]]
        return person

    def add_strange_guild(self, name: str) -> Json:
        """A channel of a server that did not invite the bot."""
        channel = shapes.text_channel(self.new_id(), self.new_id(), name, 0)
        self.channels[channel["id"]] = channel
        self.outside.add(channel["id"])
        return channel

    def add_group(self, *people: Json) -> Json:
        """A group chat; bots are never members of one."""
        channel = shapes.group_channel(self.new_id(), list(people))
        self.channels[channel["id"]] = channel
        self.outside.add(channel["id"])
        return channel

    def member(self, user_id: str) -> Json:
        """The member object of a person."""
        return shapes.member(self.users[user_id], self.roles.get(user_id, []))

    def guild_with_all(self) -> Json:
        """The guild as GUILD_CREATE shows it to a bot that does not ask for its members: the bot alone is listed."""
        channels = list(self.channels.values())
        return {
            **self.guild,
            "channels": [c for c in channels if c["type"] == 0 and c["id"] not in self.outside],
            "members": [self.member(self.application_id)],
            "member_count": len(self.users),
            "joined_at": shapes.timestamp(1_600_000_000),
            "large": False,
            "unavailable": False,
            "voice_states": [],
            "presences": [],
            "threads": [channel for channel in channels if channel["type"] == rights.THREAD],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }
