"""What people are called when they are spoken of."""

from typing import Any

import pytest

from bot.glossary.spoken_names import spoken_names


def member(username: str, shown: str | None = None, nick: str | None = None, *, bot: bool = False) -> dict[str, Any]:
    return {"nick": nick, "user": {"username": username, "global_name": shown, "bot": bot}}


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        ("Siobhan Murphy", ("Siobhan", "Siobhan Murphy")),
        ("Anna (she/her)", ("Anna",)),
        ("Jean-Luc | Team Blue", ("Jean-Luc",)),
        ("Maria - on holiday", ("Maria",)),
        ("✨ Zoë ✨", ("Zoë",)),
        ("\U0001d4dc\U0001d4ea\U0001d4fb\U0001d4fd\U0001d4f1\U0001d4ea", ("Martha",)),
        ("O'Neill", ("O'Neill",)),
        ("अनीता", ("अनीता",)),
        ("王小明", ("王小明",)),
        ("yusuf", ("Yusuf",)),
        ("Al", ()),
        ("x2k9", ()),
        ("Shadow_Wolf_99", ("Shadow",)),
        ("###", ()),
        ("name = sound", ("Name",)),
        ("One Two Three Four Five", ("One",)),
        ("a" * 100, ()),
        ("So\u200bfia", ("Sofia",)),
        ("Anna \u2764\ufe0f", ("Anna",)),
        ("[TEAM] Anna", ("Anna",)),
        ("Dr. Anna Smith", ("Anna", "Anna Smith")),
        ("ANNA", ("Anna",)),
        ("chris's", ("Chris's",)),
        ("The Real Anna", ("The Real Anna",)),
        ("jean-luc", ("Jean-Luc",)),
    ],
)
def test_names_are_what_somebody_would_say(shown: str, names: tuple[str, ...]) -> None:
    assert spoken_names([member("whoever", shown)]) == names


def test_a_nickname_goes_before_the_name_and_bots_have_none() -> None:
    members = [
        member("alex77", "Alexandra", "Sasha"),
        member("gwen"),
        member("helper", "Helper", bot=True),
        member("other", "sasha"),
    ]
    assert spoken_names(members) == ("Gwen", "Sasha")
