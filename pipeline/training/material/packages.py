"""The packages that the material comes from, and what each of their folders holds."""

from collections.abc import Sequence
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
    """What a package is used for; a package belongs to one split only."""

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


def _rows(speech: str = "", music: str = "", effects: str = "", unused: str = "") -> tuple[tuple[str, Content], ...]:
    """Patterns in the order in which they decide; blanks part them."""
    parts = ((unused, Content.UNUSED), (speech, Content.SPEECH), (music, Content.MUSIC), (effects, Content.EFFECTS))
    return tuple((pattern, content) for patterns, content in parts for pattern in patterns.split())


TRAIN: tuple[Package, ...] = (
    Package(
        name="ufoai-sound",
        split=Split.TRAIN,
        licence="GPL-2, GPL-2+, CC-BY-3.0, CC-BY-SA-3.0, public domain, per file",
        contents=_rows(
            speech="*/sound/soldiers/* */sound/civilians/*",
            effects="*/sound/*",
            unused="*/sound/seq/* */jingle* */disco* */bullet-* */ui/*",
        ),
    ),
    Package(
        name="wordwarvi-sound",
        split=Split.TRAIN,
        licence="GPL-2+, CC-BY-SA-3.0",
        contents=_rows(
            speech="*/aaaah* */help_* */hohoho* */ooooof* */ow_my* */woohoo* */yay_* */nice_* */falling*",
            music="*/UseTheSource* */dtox3* */lucky* */destiny* */highscore*",
            effects="*/sounds/*",
            unused="*/radar_* */us_quarter* */abducted*",
        ),
    ),
    Package(
        name="openttd-opensfx",
        split=Split.TRAIN,
        licence="CC-BY-SA-3.0, GPL-2+ or CDDL, GPL-2+",
        contents=_rows(effects="*.cat/*"),
    ),
    Package(
        name="openarena-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=_rows(
            effects="*/sound/*", unused="*/player/*.wav */player/*.ogg */voices/* */feedback/* */announcer/*"
        ),
    ),
    Package(
        name="searchandrescue-data",
        split=Split.TRAIN,
        licence="GPL",
        contents=_rows(music="*/music/*", effects="*/sounds/*"),
    ),
    Package(
        name="warzone2100-data",
        split=Split.TRAIN,
        licence="GPL-2+, CC0, CC-BY-SA-3.0, GAP, per file",
        contents=_rows(effects="*/audio/sfx/*"),
    ),
    Package(
        name="unknown-horizons",
        split=Split.TRAIN,
        licence="CC-BY-SA-3.0, GPL-2+, per file",
        contents=_rows(music="*/audio/music/*", effects="*/audio/sounds/*", unused="*/sounds/events/* */chapel*"),
    ),
    Package(
        name="sonic-pi-samples",
        split=Split.TRAIN,
        licence="CC0, CC-BY-SA-4.0",
        contents=_rows(music="*/loop_*", effects="*/misc_* */perc_door* */vinyl_* */mehackit_robot* */ambi_sauna*"),
    ),
    Package(
        name="warzone2100-music",
        split=Split.TRAIN,
        licence="GPL-2+, CC0, CC-BY-SA-3.0, GAP, per file",
        contents=_rows(music="*/music/*"),
    ),
    Package(
        name="wesnoth-1.16-music",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=_rows(music="*/music/*"),
    ),
    Package(
        name="fillets-ng-data-cs",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=_rows(speech="*/cs/*"),
    ),
    Package(
        name="klettres-data",
        split=Split.TRAIN,
        licence="GPL-2+, CC0-1.0",
        contents=_rows(speech="*/klettres/*", unused="*/en/* */en_GB/* */nl/*"),
    ),
    Package(
        name="boswars-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=_rows(effects="*_attack* */*die.wav */*_die* */*g_hit* */*_action*"),
    ),
    Package(
        name="bzflag-data",
        split=Split.TRAIN,
        licence="LGPL-2.1 or MPL",
        contents=_rows(effects="*/bzflag/*.wav", unused="*/message_* */spree* */hunt*"),
    ),
    Package(
        name="foobillardplus-data",
        split=Split.TRAIN,
        licence="GPL-2",
        contents=_rows(effects="*/data/*.wav", unused="*/intro* */ooh*"),
    ),
    Package(
        name="frozen-bubble-data",
        split=Split.TRAIN,
        licence="GPL-2",
        contents=_rows(
            music="*/frozen-mainzik* */introzik*",
            effects="*/rebound* */stick* */launch* */destroy* */newroot* */applause* */typewriter* */malus*",
        ),
    ),
    Package(
        name="freedink-data",
        split=Split.TRAIN,
        licence="zlib-like, CC-BY-3.0 and others, per file",
        contents=_rows(
            music="*/Sound/*.ogg",
            effects="*/Sound/*.wav",
            unused="*/wscream* */grunt* */nono* */intro* */save* */secret* */lovin* */high2*",
        ),
    ),
    Package(
        name="extremetuxracer-data",
        split=Split.TRAIN,
        licence="GPL-2+, CC0",
        contents=_rows(music="*/music/*", effects="*/sounds/*"),
    ),
    Package(
        name="xmoto-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=_rows(music="*/Musics/*"),
    ),
)
VALID: tuple[Package, ...] = (
    Package(name="asc-music", split=Split.VALID, licence="GPL-2+", contents=_rows(music="*/music/*")),
    Package(
        name="lugaru-data",
        split=Split.VALID,
        licence="CC-BY-SA-3.0, CC-BY-SA-4.0, GPL-2+",
        contents=_rows(music="*/Sounds/Music*", effects="*/Sounds/*", unused="*/Console*"),
    ),
    Package(
        name="plee-the-bear-data",
        split=Split.VALID,
        licence="GPL-2+, CC-BY-SA-3.0",
        contents=_rows(
            music="*/music/*.ogg", effects="*/sound/*", unused="*/scale/* */sequencer/* */plee/* */checkpoint*"
        ),
    ),
)
TEST: tuple[Package, ...] = (
    Package(
        name="hedgewars-data",
        split=Split.TEST,
        licence="GPL-2, CC-BY-SA-3.0, per file",
        contents=_rows(
            music="*/Data/Music/*",
            effects="*/Data/Sounds/*",
            unused="*/Sounds/voices/* */Sounds/[1-9][A-G].ogg */countdown* */hog*.ogg */hell_* */Kiss* */Yoohoo*"
            " */ride_of* */TARDIS* */Hellish* */homerun* */minigun*",
        ),
    ),
    Package(
        name="colobot-common-sounds",
        split=Split.TEST,
        licence="GPL-3+",
        contents=_rows(music="*/music/*", effects="*/sounds/*"),
    ),
    Package(
        name="hyperrogue-music",
        split=Split.TEST,
        licence="CC-BY-3.0, CC-BY-SA-3.0, CC-BY-SA-4.0, CC0-1.0, GPL-2+",
        contents=_rows(music="*/music/*", effects="*/sounds/*"),
    ),
    Package(
        name="wesnoth-1.16-data",
        split=Split.TEST,
        licence="GPL-2+",
        contents=_rows(
            effects="*/core/sounds/*",
            unused="*/horn-signals/* */fanfare* */human-* */dwarf-* */elf-* */groan* */wail* */ugg* */heal*",
        ),
    ),
    Package(
        name="btanks-data",
        split=Split.TEST,
        licence="GPL-2 with exceptions",
        contents=_rows(music="*/tunes/*", effects="*/sounds/*"),
    ),
    Package(
        name="fillets-ng-data-nl",
        split=Split.TEST,
        licence="GPL-2+",
        contents=_rows(speech="*/nl/*"),
    ),
)
PACKAGES: Sequence[Package] = (*TRAIN, *VALID, *TEST)
