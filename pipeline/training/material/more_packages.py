"""More packages, for effects and places above all."""

from pipeline.training.material.kinds import Package, Split, rows

MORE_TRAIN: tuple[Package, ...] = (
    Package(
        name="lincity-ng-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(music="*/music/*", effects="*/sounds/*", unused="*/Click.wav */School* */Monument[1-3].wav"),
    ),
    Package(
        name="endless-sky-data",
        split=Split.TRAIN,
        licence="CC-BY-SA-4.0, CC-BY-SA-3.0, CC-BY-4.0, GPL-3+, public domain, per file",
        contents=rows(effects="*/sounds/*"),
    ),
    Package(
        name="minetest-data",
        split=Split.TRAIN,
        licence="CC-BY-SA-3.0, CC-BY-SA-4.0, CC-BY-3.0, CC0-1.0, MIT, per file",
        contents=rows(effects="*/minetest_game/*.ogg"),
    ),
    Package(
        name="minetest-mod-mesecons",
        split=Split.TRAIN,
        licence="CC-BY-SA-3.0",
        contents=rows(effects="*/sounds/*", unused="*noteblock*"),
    ),
    Package(
        name="minetest-mod-homedecor",
        split=Split.TRAIN,
        licence="CC-BY-SA-4.0",
        contents=rows(effects="*/sounds/*", unused="*doorbell*"),
    ),
    Package(
        name="minetest-mod-nether",
        split=Split.TRAIN,
        licence="CC-BY-SA-3.0, CC-BY-SA-4.0, CC-BY-3.0, CC0-1.0, per file",
        contents=rows(effects="*/sounds/*"),
    ),
    Package(
        name="bucklespring-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(effects="*/[0-4][0-9a-f]-0.wav", unused="*/[0-4][2-9a-f]-0.wav"),
    ),
    Package(
        name="netpanzer-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(
            effects="*/sound/*",
            unused="*/move_* */target_* *selected* *yessir* */scream* */unitsound_* */menu.wav */powerup*",
        ),
    ),
    Package(
        name="freeorion-data",
        split=Split.TRAIN,
        licence="CC-BY-SA-3.0, LGPL-2.1+",
        contents=rows(
            music="*/artificial_intelligence*", effects="*/sound/combat/* */text_typing* */sidepanel* */window_*"
        ),
    ),
    Package(
        name="starfighter-data",
        split=Split.TRAIN,
        licence="CC-BY-3.0, CC-BY-SA-3.0, GPL-2+, GPL-3+, public domain, per file",
        contents=rows(music="*/music/*", effects="*/sound/*", unused="*/maledeath*"),
    ),
    Package(
        name="freedroidrpg-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(
            music="*/sound/music/*",
            effects="*/sound/effects/*",
            unused=(
                "*/bot_sounds/* */tux_ingame_comments/* *Scream* *Menu* */music/Ambience*"
                " */Mission_* */Takeover_* */ThouArt* */Shop_*"
            ),
        ),
    ),
    Package(
        name="widelands-data",
        split=Split.TRAIN,
        licence="GPL-2+",
        contents=rows(
            effects="*/sound/* */critters/*.ogg",
            unused="*/taverns/* */military/* */lobby_* */message_* */sound/click*",
        ),
    ),
    Package(
        name="tuxpaint-stamps-default",
        split=Split.TRAIN,
        licence="GPL-2",
        contents=rows(
            effects="*/stamps/*.ogg", unused="*_desc* */hobbies/music/* */people/* */military/final* */food/*"
        ),
    ),
    Package(
        name="megaglest-data",
        split=Split.TRAIN,
        licence="CC-BY-SA-3.0",
        contents=rows(
            music="*music*.ogg */asak* */aminos* */manolo* */romans.ogg",
            effects="*.wav *.ogg",
            unused=(
                "*_ack* *_select* *_sel[0-9]* */ack* */select* */die* *_die* */menu/* *minarett*"
                " *_summon* */daemon_* */initiate_* */princess_* */genie_*"
            ),
        ),
    ),
    Package(
        name="0ad-data",
        split=Split.TRAIN,
        licence="CC-BY-SA-3.0",
        contents=rows(
            effects="*/audio/ambient/* */audio/attack/* */audio/resource/* */gate/* */ship/* */singlesteps/*"
            " */movement/* */fauna/animal/*"
        ),
    ),
)
MORE_VALID: tuple[Package, ...] = (
    Package(
        name="scorched3d-data",
        split=Split.VALID,
        licence="GPL-2+, CC-BY-SA-3.0, public domain",
        contents=rows(
            music="*/data/music/*",
            effects="*/data/wav/*",
            unused="*/scream* */fight4life* */text.wav */beep* */play.wav */cheering*",
        ),
    ),
    Package(
        name="warmux-data",
        split=Split.VALID,
        licence="GPL-2+",
        contents=rows(
            music="*/music/*",
            effects="*/sound/default/*",
            unused=(
                "*/voices/* *_music* */theme* */victory* */sherif* */ok.ogg */cancel* */error*"
                " */newcomer* */start_turn* */end_turn* */suicide* */supertux*"
            ),
        ),
    ),
)
