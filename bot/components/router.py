"""Which class does what a button, menu or form says, also one that is older than this process of the bot."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import discord

from bot.components.cancel import CancelAllButton, CancelButton
from bot.components.custom_ids import Action, CustomId
from bot.components.delete_data import ConfirmDeleteDataButton, DeleteDataButton
from bot.components.dub import DubButton, DubModal
from bot.components.export_data import ExportDataButton
from bot.components.fetch import FetchButton
from bot.components.find_results import ExcerptButton
from bot.components.line_fixing.forms import GoToModal, LineModal
from bot.components.line_fixing.items import (
    FixButton,
    GoToButton,
    LineMenu,
    LinesButton,
    MixAgainButton,
    SplitLineButton,
    UndoButton,
)
from bot.components.listen import ListenMenu
from bot.components.modals import Modal, read_submission
from bot.components.more import MoreMenu
from bot.components.naming.forms import RenameModal, SpeakerModal
from bot.components.naming.items import (
    NameSpeakerButton,
    NotMeButton,
    RenameButton,
    SpeakerNamesButton,
    ThisIsMeButton,
)
from bot.components.naming.recording_items import AgreeRecordingButton
from bot.components.naming.voice_items import (
    AgreeButton,
    EnrolButton,
    PerhapsButton,
    VoiceRightButton,
    VoiceWrongButton,
)
from bot.components.page_link import PageButton, RevokeButton
from bot.components.persistent_item import PersistentItem
from bot.components.rebalance import RebalanceButton, RebalanceModal
from bot.components.result_actions import AgainButton, TranscriptMenu
from bot.components.speaker_tracks import TracksButton
from bot.components.thread import ThreadButton
from bot.error_handler import NETWORK_ERRORS, answer_error
from bot.exceptions import RefusedError
from bot.services import Interaction, ServiceClient
from pipeline.errors import StemcordError

ITEMS: Final[tuple[type[PersistentItem], ...]] = (
    *(AgainButton, CancelAllButton, CancelButton, DubButton, PageButton, RebalanceButton, RenameButton, RevokeButton),
    *(ExcerptButton, ExportDataButton, FetchButton, ListenMenu, MoreMenu),
    *(NameSpeakerButton, NotMeButton, ThisIsMeButton),
    *(SpeakerNamesButton, TracksButton, ThreadButton, TranscriptMenu, DeleteDataButton, ConfirmDeleteDataButton),
    *(AgreeButton, AgreeRecordingButton, EnrolButton, PerhapsButton, VoiceRightButton, VoiceWrongButton),
    *(FixButton, GoToButton, LineMenu, LinesButton, MixAgainButton, SplitLineButton, UndoButton),
)
MODALS: Final[Mapping[Action, type[Modal]]] = MappingProxyType(
    {modal.action: modal for modal in (DubModal, GoToModal, LineModal, RebalanceModal, RenameModal, SpeakerModal)}
)
_ITEM_CLASSES: Final[Mapping[Action, type[PersistentItem]]] = MappingProxyType({item.action: item for item in ITEMS})


def register(client: ServiceClient) -> None:
    """Let discord.py dispatch buttons and menus to their classes."""
    client.add_dynamic_items(*ITEMS)


async def dispatch(interaction: Interaction) -> None:
    """Handle what discord.py does not dispatch itself.

    These are forms, components that no class knows, and components that are gone from their message since the person
    saw them, such as the cancel button of a job that has just ended.
    """
    data = cast("Mapping[str, Any]", interaction.data or {})
    custom_id = str(data.get("custom_id", ""))
    target = CustomId.parse(custom_id)
    is_form = interaction.type is discord.InteractionType.modal_submit
    try:
        if target is None or target.action not in (MODALS if is_form else _ITEM_CLASSES):
            raise RefusedError("button-gone", "button-gone-hint")
        if is_form:
            await MODALS[target.action].submitted(interaction, target, read_submission(data))
        elif not _is_shown(interaction.message, custom_id):
            item = discord.ui.Button[Any](label=target.action, custom_id=custom_id)
            await _ITEM_CLASSES[target.action](item, target).callback(interaction)
    except (StemcordError, *NETWORK_ERRORS) as error:
        await answer_error(interaction, error)


def _is_shown(message: discord.Message | None, custom_id: str) -> bool:
    return message is not None and any(
        getattr(item, "custom_id", None) == custom_id for item in _walk(message.components)
    )


def _walk(components: Iterable[object]) -> Iterator[object]:
    """Return components and those inside of them: rows, containers, and what stands beside a section."""
    for component in components:
        yield component
        yield from _walk(getattr(component, "children", ()))
        if (accessory := getattr(component, "accessory", None)) is not None:
            yield accessory
