"""What a package of sounds is, and what its folders hold."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatch


class Kind(StrEnum):
    """What a recording is used as."""

    SPEECH = "speech"
    MUSIC = "music"
    SFX = "sfx"
    AMBIENT = "ambient"


class Content(StrEnum):
    """What a folder holds. Effects are parted into sfx and ambient by the rule of `sorting`."""

    SPEECH = "speech"
    MUSIC = "music"
    EFFECTS = "effects"
    UNUSED = "unused"


class Split(StrEnum):
    """What a package is used for; a package belongs to one split only. The last is held out most strictly."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A Debian package with sounds."""

    name: str
    split: Split
    licence: str
    """As its copyright file states it."""
    contents: tuple[tuple[str, Content], ...]
    """Patterns of paths inside the package; the first that matches decides, what matches none is not used."""

    def content(self, path: str) -> Content:
        """What a file of the package holds."""
        matches = (content for pattern, content in self.contents if fnmatch(path, pattern))
        return next(matches, Content.UNUSED)


def rows(speech: str = "", music: str = "", effects: str = "", unused: str = "") -> tuple[tuple[str, Content], ...]:
    """Patterns in the order in which they decide; blanks part them."""
    parts = ((unused, Content.UNUSED), (speech, Content.SPEECH), (music, Content.MUSIC), (effects, Content.EFFECTS))
    return tuple((pattern, content) for patterns, content in parts for pattern in patterns.split())
