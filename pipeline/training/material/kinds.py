"""What a package of sounds is, and what its folders hold."""

from enum import StrEnum
from fnmatch import fnmatch

import pydantic


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


class Package(pydantic.BaseModel):
    """A Debian package with sounds, and patterns of the paths inside it."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str
    split: Split
    licence: str
    """As its copyright file states it."""
    unused: tuple[str, ...] = ()
    """Decides before the others, as each does before those below; what matches none is not used either."""
    speech: tuple[str, ...] = ()
    music: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()

    def content(self, path: str) -> Content:
        """What a file of the package holds."""
        contents = (
            (Content.UNUSED, self.unused),
            (Content.SPEECH, self.speech),
            (Content.MUSIC, self.music),
            (Content.EFFECTS, self.effects),
        )
        matches = (content for content, patterns in contents if any(fnmatch(path, pattern) for pattern in patterns))
        return next(matches, Content.UNUSED)
