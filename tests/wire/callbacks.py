"""What a bot may do with an interaction: acknowledge it in time, once, and follow up while the token lives."""

import time

from tests.wire import shapes
from tests.wire.composer import Composer
from tests.wire.objects import ApiError, Interaction, Message
from tests.wire.recorder import Upload
from tests.wire.shapes import Json
from tests.wire.world import World

MAX_FOLLOW_UPS = 5
"""Where only the person installed the application; which code the service answers is not documented."""
REPLY, DEFER_REPLY, DEFER_UPDATE, UPDATE, AUTOCOMPLETE, MODAL = 4, 5, 6, 7, 8, 9


class Callbacks:
    """The life of interactions after they were sent to the bot."""

    def __init__(self, world: World, composer: Composer) -> None:
        self._world = world
        self._composer = composer

    def _blank(self, interaction: Interaction, flags: int = 0) -> Message:
        world = self._world
        return Message(
            id=world.new_id(),
            channel_id=interaction.channel_id,
            author=world.bot,
            flags=flags & shapes.EPHEMERAL,
            interaction=interaction,
            webhook_id=world.application_id,
        )

    def acknowledge(self, interaction_id: str, token: str, payload: Json, uploads: list[Upload]) -> Json:
        """Takes the first answer to an interaction; gives the callback object."""
        interaction = self._world.interactions.get(token)
        if interaction is None or interaction.id != interaction_id:
            raise ApiError(404, 10062, "Unknown interaction")
        if interaction.acknowledged is not None:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if time.monotonic() - interaction.created > self._world.knobs.acknowledge_within:
            raise ApiError(404, 10062, "Unknown interaction")
        kind, data = payload["type"], payload.get("data") or {}
        match kind:
            case 4:
                message = self._blank(interaction, int(data.get("flags") or 0))
                message.kind = self._kind(interaction)
                interaction.original = self._composer.create(message, data, uploads)
            case 5:
                message = self._blank(interaction, int(data.get("flags") or 0))
                message.kind = self._kind(interaction)
                message.flags |= shapes.LOADING
                self._world.messages[message.id] = message
                interaction.original = message
            case 6:
                interaction.original = self._source(interaction)
            case 7:
                interaction.original = self._composer.edit(self._source(interaction), data, uploads)
            case _:
                pass
        interaction.acknowledged = time.monotonic()
        interaction.callback = payload
        self._world.touch()
        return self._callback_json(interaction, kind)

    def _kind(self, interaction: Interaction) -> int:
        if interaction.kind != 2:
            return 0
        return 20 if interaction.payload["data"]["type"] == 1 else 23

    def _source(self, interaction: Interaction) -> Message:
        """The message whose component was used."""
        if interaction.kind not in {3, 5} or "message" not in interaction.payload:
            raise ApiError(400, 50035, "Invalid Form Body")
        return self._world.message(interaction.payload["message"]["id"])

    def _callback_json(self, interaction: Interaction, kind: int) -> Json:
        shown: Json = {"id": interaction.id, "type": interaction.kind, "channel_id": interaction.channel_id}
        if "guild_id" in interaction.payload:
            shown["guild_id"] = interaction.payload["guild_id"]
        original = interaction.original
        if original is None:
            return {"interaction": shown}
        shown |= {
            "response_message_id": original.id,
            "response_message_loading": original.loading,
            "response_message_ephemeral": original.ephemeral,
        }
        if kind in {REPLY, UPDATE}:
            return {"interaction": shown, "resource": {"type": kind, "message": original.to_json()}}
        return {"interaction": shown}

    def follow_up(self, token: str, payload: Json, uploads: list[Upload]) -> Message:
        """A further message; the first one after a deferred reply takes the reply's place."""
        interaction = self._acknowledged(token)
        original = interaction.original
        if original is not None and original.loading and not original.deleted:
            return self._composer.edit(original, payload, uploads)
        interaction.follow_ups += 1
        if interaction.by_person_alone and interaction.follow_ups > MAX_FOLLOW_UPS:
            raise ApiError(400, 40094, "This interaction has reached its limit of follow-up messages")
        message = self._blank(interaction, int(payload.get("flags") or 0))
        if original is not None:
            message.kind = 19
            message.reference = {"type": 0, "channel_id": original.channel_id, "message_id": original.id}
        return self._composer.create(message, payload, uploads)

    def _acknowledged(self, token: str) -> Interaction:
        interaction = self._world.interaction(token)
        if interaction.acknowledged is None:
            raise ApiError(404, 10015, "Unknown Webhook")
        return interaction

    def reply(self, token: str, message_id: str) -> Message:
        """A message that the interaction made, by id or as `@original`."""
        interaction = self._acknowledged(token)
        if message_id == "@original":
            if interaction.original is None or interaction.original.deleted:
                raise ApiError(404, 10008, "Unknown Message")
            return interaction.original
        message = self._world.message(message_id)
        if message.interaction is not interaction and message is not interaction.original:
            raise ApiError(404, 10008, "Unknown Message")
        return message
