"""Which files Discord offers to choose for an option or a field of a form, which discord.py does not know yet.

https://discord.com/developers/docs/interactions/application-commands, August 2026. It is a convenience for people:
what arrives is checked like any other attachment.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import discord

CLIP_TYPES: Final = ("audio", "video", ".mkv", ".mka", ".flv", ".m2ts", ".mxf", ".vob", ".caf", ".wv")
"""Two groups, and suffixes for which systems know no type; ten are allowed."""
DUB_TYPES: Final = ("audio", "video", ".zip", ".mkv", ".mka", ".caf", ".wv")
_TYPES_OF_OPTION: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"clip": CLIP_TYPES, "dub": DUB_TYPES, "recording": CLIP_TYPES}
)
_ATTACHMENT: Final = discord.AppCommandOptionType.attachment.value


def add_file_types(options: Iterable[dict[str, Any]]) -> None:
    """Add the types to the options of a command, as it is sent to Discord, that take a clip, a recording or a dub."""
    for option in options:
        if option["type"] == _ATTACHMENT and option["name"] in _TYPES_OF_OPTION:
            option["file_types"] = list(_TYPES_OF_OPTION[option["name"]])
        add_file_types(option.get("options", ()))


class TypedFileUpload(discord.ui.FileUpload[Any]):
    """A field of a form for files of some types."""

    def __init__(self, *, file_types: Iterable[str], **fields: Any) -> None:  # noqa: ANN401 - as inherited
        super().__init__(**fields)
        self._file_types = list(file_types)

    def to_component_dict(self) -> Any:  # noqa: ANN401 - of the library, which lacks the field
        """Return the field as it is sent to Discord."""
        return {**super().to_component_dict(), "file_types": self._file_types}
