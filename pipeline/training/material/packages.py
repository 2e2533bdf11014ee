"""The packages that the material comes from, and what each of their folders holds."""

from collections.abc import Sequence

from pipeline.training.material.kinds import Package, Split, rows
from pipeline.training.material.more_packages import MORE_TRAIN, MORE_VALID

TRAIN: tuple[Package, ...] = (
    Package(
        name="ufoai-sound",
        split=Split.TRAIN,
        licence="GPL-2, GPL-2+, CC-BY-3.0, CC-BY-SA-3.0, public domain, per file",
        contents=rows(
            speech="*/sound/soldiers/* */sound/civilians/*",
            effects="*/sound/*",
            unused="*/sound/seq/* */jingle* */disco* */bullet-* */ui/*",
        ),
    ),
    Package(
        name="wordwarvi-sound",
        split=Split.TRAIN,
        licence="GPL-2+, CC-BY-SA-3.0",
        contents=rows(
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
        contents=rows(effects="*.cat/*"),
    ),
    Package(
        name="openarena-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(
            effects="*/sound/*", unused="*/player/*.wav */player/*.ogg */voices/* */feedback/* */announcer/*"
        ),
    ),
    Package(
        name="searchandrescue-data",
        split=Split.TRAIN,
        licence="GPL",
        contents=rows(music="*/music/*", effects="*/sounds/*"),
    ),
    Package(
        name="warzone2100-data",
        split=Split.TRAIN,
        licence="GPL-2+, CC0, CC-BY-SA-3.0, GAP, per file",
        contents=rows(effects="*/audio/sfx/*"),
    ),
    Package(
        name="unknown-horizons",
        split=Split.TRAIN,
        licence="CC-BY-SA-3.0, GPL-2+, per file",
        contents=rows(music="*/audio/music/*", effects="*/audio/sounds/*", unused="*/sounds/events/* */chapel*"),
    ),
    Package(
        name="sonic-pi-samples",
        split=Split.TRAIN,
        licence="CC0, CC-BY-SA-4.0",
        contents=rows(music="*/loop_*", effects="*/misc_* */perc_door* */vinyl_* */mehackit_robot* */ambi_sauna*"),
    ),
    Package(
        name="warzone2100-music",
        split=Split.TRAIN,
        licence="GPL-2+, CC0, CC-BY-SA-3.0, GAP, per file",
        contents=rows(music="*/music/*"),
    ),
    Package(
        name="wesnoth-1.16-music",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(music="*/music/*"),
    ),
    Package(
        name="fillets-ng-data-cs",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(speech="*/cs/*"),
    ),
    Package(
        name="klettres-data",
        split=Split.TRAIN,
        licence="GPL-2+, CC0-1.0",
        contents=rows(speech="*/klettres/*", unused="*/en/* */en_GB/* */nl/*"),
    ),
    Package(
        name="boswars-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(effects="*_attack* */*die.wav */*_die* */*g_hit* */*_action*"),
    ),
    Package(
        name="bzflag-data",
        split=Split.TRAIN,
        licence="LGPL-2.1 or MPL",
        contents=rows(effects="*/bzflag/*.wav", unused="*/message_* */spree* */hunt*"),
    ),
    Package(
        name="foobillardplus-data",
        split=Split.TRAIN,
        licence="GPL-2",
        contents=rows(effects="*/data/*.wav", unused="*/intro* */ooh*"),
    ),
    Package(
        name="frozen-bubble-data",
        split=Split.TRAIN,
        licence="GPL-2",
        contents=rows(
            music="*/frozen-mainzik* */introzik*",
            effects="*/rebound* */stick* */launch* */destroy* */newroot* */applause* */typewriter* */malus*",
        ),
    ),
    Package(
        name="freedink-data",
        split=Split.TRAIN,
        licence="zlib-like, CC-BY-3.0 and others, per file",
        contents=rows(
            music="*/Sound/*.ogg",
            effects="*/Sound/*.wav",
            unused="*/wscream* */grunt* */nono* */intro* */save* */secret* */lovin* */high2*",
        ),
    ),
    Package(
        name="extremetuxracer-data",
        split=Split.TRAIN,
        licence="GPL-2+, CC0",
        contents=rows(music="*/music/*", effects="*/sounds/*"),
    ),
    Package(
        name="xmoto-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(music="*/Musics/*"),
    ),
)
VALID: tuple[Package, ...] = (
    Package(name="asc-music", split=Split.VALID, licence="GPL-2+", contents=rows(music="*/music/*")),
    Package(
        name="lugaru-data",
        split=Split.VALID,
        licence="CC-BY-SA-3.0, CC-BY-SA-4.0, GPL-2+",
        contents=rows(music="*/Sounds/Music*", effects="*/Sounds/*", unused="*/Console*"),
    ),
    Package(
        name="plee-the-bear-data",
        split=Split.VALID,
        licence="GPL-2+, CC-BY-SA-3.0",
        contents=rows(
            music="*/music/*.ogg", effects="*/sound/*", unused="*/scale/* */sequencer/* */plee/* */checkpoint*"
        ),
    ),
)
TEST: tuple[Package, ...] = (
    Package(
        name="hedgewars-data",
        split=Split.TEST,
        licence="GPL-2, CC-BY-SA-3.0, per file",
        contents=rows(
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
        contents=rows(music="*/music/*", effects="*/sounds/*"),
    ),
    Package(
        name="hyperrogue-music",
        split=Split.TEST,
        licence="CC-BY-3.0, CC-BY-SA-3.0, CC-BY-SA-4.0, CC0-1.0, GPL-2+",
        contents=rows(music="*/music/*", effects="*/sounds/*"),
    ),
    Package(
        name="wesnoth-1.16-data",
        split=Split.TEST,
        licence="GPL-2+",
        contents=rows(
            effects="*/core/sounds/*",
            unused="*/horn-signals/* */fanfare* */human-* */dwarf-* */elf-* */groan* */wail* */ugg* */heal*",
        ),
    ),
    Package(
        name="btanks-data",
        split=Split.TEST,
        licence="GPL-2 with exceptions",
        contents=rows(music="*/tunes/*", effects="*/sounds/*"),
    ),
    Package(
        name="fillets-ng-data-nl",
        split=Split.TEST,
        licence="GPL-2+",
        contents=rows(speech="*/nl/*"),
    ),
)
PACKAGES: Sequence[Package] = (*TRAIN, *MORE_TRAIN, *VALID, *MORE_VALID, *TEST)
