"""What a person does in Discord's own client: commands, buttons, menus and forms, checked as the client checks them."""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.wire import forms, shapes
from tests.wire.cdn import Cdn
from tests.wire.gateway import Gateway
from tests.wire.objects import Attachment, Interaction, Message
from tests.wire.shapes import Json
from tests.wire.world import World

COMMAND, COMPONENT, AUTOCOMPLETE, SUBMIT = 2, 3, 4, 5
CHAT_INPUT, MESSAGE_MENU = 1, 3
BUTTON, MENU = 2, 3
SUBCOMMANDS = (1, 2)
CHANNEL_OPTION, ROLE_OPTION, ATTACHMENT_OPTION = 7, 8, 11


class Acts(ABC):
    """The acts of people. `by` is who acts (the owner of the guild where it is left out), `at` the id of the place.

    Each returns once the bot has acknowledged it.
    """

    world: World
    cdn: Cdn
    gateway: Gateway

    @abstractmethod
    async def wait(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        """Waits until the condition holds; fails when it does not in time."""

    def command(self, name: str, kind: int = CHAT_INPUT) -> Json:
        """A command that the bot registered."""
        for command in self.world.all_commands():
            if command["name"] == name and command["type"] == kind:
                return command
        raise LookupError(f"the bot registered no command {name!r} of type {kind}")

    async def slash(
        self,
        name: str,
        *,
        locale: str = "en-US",
        private: bool = False,
        by: Json | None = None,
        at: str | None = None,
        timeout: float = 4.0,
        age: float = 0.0,
        offered: bool = True,
        named: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Interaction:
        """A slash command; a path as a value is uploaded, a role or a channel is given as its object.

        Options that are called as an argument is here come as `named`.

        The options are checked as Discord's own client does: known names, required ones, choices, bounds.
        A name with spaces is a subcommand.
        """
        options |= named or {}
        root, *branches = name.split(" ")
        command = self.command(root)
        described: list[Json] = command.get("options") or []
        for branch in branches:
            described = next(o for o in described if o["name"] == branch and o["type"] in SUBCOMMANDS)["options"]
        resolved: dict[str, Json] = {}
        values = [self._option(described, key, value, resolved) for key, value in options.items()]
        missing = [o["name"] for o in described if o.get("required") and o["name"] not in options]
        if missing:
            raise LookupError(f"/{name} needs {missing}")
        for branch in reversed(branches):
            values = [{"name": branch, "type": 1, "options": values}]
        data: Json = {"id": command["id"], "name": root, "type": CHAT_INPUT, "options": values}
        if resolved:
            data["resolved"] = resolved
        payload: Json = {"data": data, "locale": locale}
        return await self.act(
            COMMAND, payload, private=private, by=by, at=at, timeout=timeout, age=age, offered=offered
        )

    async def autocomplete(
        self, name: str, option: str, typed: str, *, locale: str = "en-US", by: Json | None = None, timeout: float = 3.0
    ) -> list[Json]:
        """The choices that are offered while somebody types into an option of a slash command."""
        command = self.command(name)
        described = next(o for o in command["options"] if o["name"] == option)
        value: Json = {"name": option, "type": described["type"], "value": typed, "focused": True}
        data: Json = {"id": command["id"], "name": name, "type": CHAT_INPUT, "options": [value]}
        interaction = await self.act(AUTOCOMPLETE, {"data": data, "locale": locale}, by=by, timeout=timeout)
        assert interaction.callback is not None
        return interaction.callback["data"]["choices"]

    def _option(self, described: list[Json], name: str, value: Any, resolved: dict[str, Json]) -> Json:
        option = next((o for o in described if o["name"] == name), None)
        if option is None:
            raise LookupError(f"no option {name!r} among {[o['name'] for o in described]}")
        if option["type"] == ATTACHMENT_OPTION:
            attachment = self.upload(value) if isinstance(value, Path) else value
            resolved.setdefault("attachments", {})[attachment.id] = attachment.to_json()
            value = attachment.id
        elif option["type"] in (CHANNEL_OPTION, ROLE_OPTION):
            kind = "channels" if option["type"] == CHANNEL_OPTION else "roles"
            if kind == "channels" and value["type"] not in option.get("channel_types", [value["type"]]):
                raise ValueError(f"{name} takes channels of the types {option['channel_types']}")
            resolved.setdefault(kind, {})[value["id"]] = {**value, "permissions": value.get("permissions", "0")}
            value = value["id"]
        _check_value(option, name, value)
        return {"name": name, "type": option["type"], "value": value}

    def upload(self, path: Path) -> Attachment:
        """A file that goes with a command or a form."""
        return self.cdn.keep(path.name, path.read_bytes(), place=self.world.application_id, ephemeral=True)

    async def context_menu(
        self,
        name: str,
        message: Message,
        *,
        locale: str = "en-US",
        by: Json | None = None,
        at: str | None = None,
        timeout: float = 4.0,
    ) -> Interaction:
        """A command of a message's menu."""
        command = self.command(name, MESSAGE_MENU)
        data: Json = {
            "id": command["id"],
            "name": name,
            "type": MESSAGE_MENU,
            "target_id": message.id,
            "resolved": {"messages": {message.id: message.to_json()}},
        }
        payload: Json = {"data": data, "locale": locale}
        return await self.act(COMMAND, payload, by=by, at=at, timeout=timeout, offered=True)

    async def click(
        self, custom_id: str, message: Message, *, locale: str = "en-US", by: Json | None = None, timeout: float = 4.0
    ) -> Interaction:
        """A press of a button of a message as it is now."""
        button = message.buttons.get(custom_id)
        if button is None or button.get("disabled"):
            raise LookupError(f"no enabled button {custom_id!r} among {list(message.buttons)}")
        data: Json = {"custom_id": custom_id, "component_type": BUTTON, "id": button["id"]}
        return await self.use(data, message, locale=locale, by=by, timeout=timeout)

    async def choose(
        self, custom_id: str, message: Message, *values: str, locale: str = "en-US", by: Json | None = None
    ) -> Interaction:
        """A choice in a menu of a message."""
        menu = message.menus[custom_id]
        forms.check_choice(menu, list(values))
        data: Json = {"custom_id": custom_id, "component_type": MENU, "id": menu["id"], "values": list(values)}
        return await self.use(data, message, locale=locale, by=by)

    async def use(
        self, data: Json, message: Message, *, locale: str = "en-US", by: Json | None = None, timeout: float = 4.0
    ) -> Interaction:
        """The use of a component of a message, whatever its data says."""
        payload: Json = {"data": data, "message": message.to_json(), "locale": locale}
        return await self.act(COMPONENT, payload, by=by, at=message.channel_id, timeout=timeout)

    async def submit(
        self, opened: Interaction, *, locale: str = "en-US", by: Json | None = None, **fields: Any
    ) -> Interaction:
        """The form that the bot answered with, filled in: text as text, choices as lists, files as paths."""
        assert opened.callback is not None
        assert opened.callback["type"] == 9, "the bot opened no form"
        form = opened.callback["data"]
        data = forms.filled(form, fields, self.upload, self._member_in_form)
        payload: Json = {"data": data, "locale": locale}
        if "message" in opened.payload:
            payload["message"] = opened.payload["message"]
        return await self.act(SUBMIT, payload, by=by or opened.user, at=opened.channel_id, trigger=opened)

    def _member_in_form(self, person: Json) -> Json | None:
        """The member object of somebody who is chosen, without the user; None for one who has left."""
        if person["id"] not in self.world.users:
            return None
        return {key: value for key, value in self.world.member(person["id"]).items() if key not in ("user", "mute")}

    async def act(
        self,
        kind: int,
        payload: Json,
        *,
        by: Json | None = None,
        at: str | None = None,
        timeout: float = 4.0,
        private: bool = False,
        trigger: Interaction | None = None,
        age: float = 0.0,
        offered: bool = False,
    ) -> Interaction:
        """Sends INTERACTION_CREATE and waits for the acknowledgement.

        `trigger` opened the form that is sent in; `age` is how many seconds of its token's life have passed; `offered`:
        the client sends only commands that it offers there.
        """
        world = self.world
        user = by or world.person
        place = world.private_channel(user["id"]) if private else world.channels[at or world.channel_id]
        context = {1: 1, 3: 2}.get(place["type"], 0)
        if kind == COMMAND and offered:
            self._check_offered(payload["data"], place["id"], context)
        interaction = Interaction(
            id=world.new_id(ago=age),
            token=secrets.token_urlsafe(120),
            age=age,
            kind=kind,
            user=user,
            channel_id=place["id"],
            trigger=trigger,
        )
        rights = str(world.rights(user["id"], place["id"]))
        interaction.payload = {
            "id": interaction.id,
            "application_id": world.application_id,
            "type": kind,
            "token": interaction.token,
            "version": 1,
            "channel": {**place, "permissions": rights},
            "channel_id": place["id"],
            "app_permissions": str(world.rights(world.application_id, place["id"])),
            "entitlements": [],
            "attachment_size_limit": world.knobs.size_limit,
            "authorizing_integration_owners": self._owners(user, place),
            "context": context,
            **({"user": user} if context else self._guild_actor(user, rights, place["guild_id"])),
            **payload,
        }
        world.interactions[interaction.token] = interaction
        await self.gateway.dispatch("INTERACTION_CREATE", interaction.payload)
        await self.wait(lambda: interaction.acknowledged is not None, timeout, "the acknowledgement")
        return interaction

    def _owners(self, user: Json, place: Json) -> Json:
        """Who installed the application: the place itself, or the person alone where the bot is no member."""
        if place["id"] in self.world.outside:
            return {"1": user["id"]}
        return {"0": "0" if place["type"] == 1 else self.world.guild_id}

    def _check_offered(self, data: Json, channel_id: str, context: int) -> None:
        """Raise `LookupError` for a command that Discord does not offer in a place."""
        command = next(c for c in self.world.all_commands() if c["id"] == data["id"])
        installs, contexts = command["integration_types"], command["contexts"]
        wanted = 1 if channel_id in self.world.outside else 0
        if wanted not in installs or (contexts is not None and context not in contexts):
            raise LookupError(f"{command['name']} is not offered there: {installs}, {contexts}")

    def _guild_actor(self, user: Json, rights: str, guild_id: str) -> Json:
        world = self.world
        return {
            "guild_id": guild_id,
            "guild": {"id": guild_id, "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": {**world.member(user["id"]), "permissions": rights},
        }

    async def make_channel(
        self, name: str, *, overwrites: list[Json] | None = None, kind: int = 0, parent: Json | None = None
    ) -> Json:
        """Somebody makes a channel, a text channel unless `kind` says otherwise; the bot hears of it."""
        world = self.world
        channel = shapes.text_channel(world.new_id(), world.guild_id, name, len(world.channels))
        channel |= {"type": kind, "parent_id": parent and parent["id"], "permission_overwrites": overwrites or []}
        world.channels[channel["id"]] = channel
        await self.gateway.dispatch("CHANNEL_CREATE", channel)
        return channel

    async def change_channel(self, channel_id: str, *, overwrites: list[Json]) -> None:
        """Somebody changes who may do what in a channel; the bot hears of it."""
        channel = self.world.channels[channel_id]
        channel["permission_overwrites"] = overwrites
        await self.gateway.dispatch("CHANNEL_UPDATE", channel)

    async def make_role(self, name: str, *holders: Json) -> Json:
        """A manager makes a role that allows nothing more, and gives it to people; the bot hears of it."""
        world = self.world
        role = shapes.role(world.new_id(), name, 0)
        world.guild["roles"].append(role)
        for holder in holders:
            world.roles[holder["id"]] = [*world.roles.get(holder["id"], []), role["id"]]
        await self.gateway.dispatch("GUILD_ROLE_CREATE", {"guild_id": world.guild_id, "role": role})
        return role

    async def add_person(self, name: str, allowed: int = 0) -> Json:
        """A member comes; what they may beyond the others comes with a role of their own, of which the bot hears."""
        person = self.world.add_person(name, allowed)
        if allowed:
            role = self.world.guild["roles"][-1]
            await self.gateway.dispatch("GUILD_ROLE_CREATE", {"guild_id": self.world.guild_id, "role": role})
        return person


def _check_value(option: Json, name: str, value: Any) -> None:
    choices = option.get("choices")
    if choices and value not in [choice["value"] for choice in choices]:
        raise ValueError(f"{name}={value!r} is none of the choices {choices}")
    low, high = option.get("min_value"), option.get("max_value")
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"{name}={value!r} is not within {low} and {high}")
