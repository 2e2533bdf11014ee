"""Forms as Discord's client fills them in: only what the form allows, in the shape in which it is sent."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.wire.objects import Attachment
from tests.wire.shapes import Json

ROW, MENU, TEXT, PEOPLE, LABEL, FILES = 1, 3, 4, 5, 18, 19
LONGEST_TEXT = 4000


def fields_of(form: Json) -> dict[str, Json]:
    """The fields of a form by custom id."""
    found: dict[str, Json] = {}
    for component in form["components"]:
        inner = component["component"] if component["type"] == LABEL else component["components"][0]
        found[inner["custom_id"]] = inner
    return found


def check_choice(menu: Json, values: list[str]) -> None:
    """Raise `ValueError` for what the menu does not let a person choose."""
    known = [option["value"] for option in menu["options"]]
    low = 1 if menu.get("min_values") is None else menu["min_values"]
    high = 1 if menu.get("max_values") is None else menu["max_values"]
    if not low <= len(values) <= high or not set(values) <= set(known):
        raise ValueError(f"{values} cannot be chosen: {low} to {high} of {known}")


def check_count(field: Json, count: int) -> None:
    """Raise `ValueError` for more or fewer than may be chosen; a field that is not required may stay empty."""
    low = 0 if not field.get("required", True) else (field.get("min_values") or 0)
    high = 1 if field.get("max_values") is None else field["max_values"]
    if not low <= count <= high:
        raise ValueError(f"{field['custom_id']} takes {low} to {high}, not {count}")


def nobody(_: Json) -> Json | None:
    """No member object: nobody is on the server."""
    return None


def filled(
    form: Json,
    given: dict[str, Any],
    upload: Callable[[Path], Attachment],
    member: Callable[[Json], Json | None] = nobody,
) -> Json:
    """The data of the submission; a field that is not given keeps what it shows, and people are given as objects.

    `member` gives the member object of a person, None for one who is not on the server.
    """
    unknown = set(given) - set(fields_of(form))
    if unknown:
        raise LookupError(f"the form has no fields {unknown}")
    resolved: dict[str, Json] = {}
    components = [_component(sent, given, upload, resolved) for sent in form["components"]]
    data: Json = {"custom_id": form["custom_id"], "components": components}
    if resolved:
        data["resolved"] = {"attachments": resolved}
    if people := [person for value in given.values() for person in _people(value)]:
        members = {person["id"]: one for person in people if (one := member(person)) is not None}
        found = {"users": {person["id"]: person for person in people}, "members": members}
        data["resolved"] = {**data.get("resolved", {}), **found}
    return data


def _people(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _component(sent: Json, given: dict[str, Any], upload: Callable[[Path], Attachment], resolved: Json) -> Json:
    if sent["type"] == LABEL:
        inner = _field(sent["component"], given, upload, resolved)
        return {"type": LABEL, "id": sent.get("id") or 0, "component": inner}
    return {"type": ROW, "id": 0, "components": [_field(sent["components"][0], given, upload, resolved)]}


def _field(field: Json, given: dict[str, Any], upload: Callable[[Path], Attachment], resolved: Json) -> Json:
    shown: Json = {"type": field["type"], "id": field.get("id") or 0, "custom_id": field["custom_id"]}
    value = given.get(field["custom_id"])
    if field["type"] == TEXT:
        return {**shown, "value": _text(field, field.get("value") or "" if value is None else value)}
    if field["type"] == MENU:
        defaults = [option["value"] for option in field["options"] if option.get("default")]
        values = defaults if value is None else list(value)
        check_choice(field, values)
        return {**shown, "values": values}
    if field["type"] == PEOPLE:
        chosen = [person["id"] for person in _people(value)]
        check_count(field, len(chosen))
        return {**shown, "values": chosen}
    return {**shown, "values": _files(field, value or [], upload, resolved)}


def _text(field: Json, text: str) -> str:
    longest = field.get("max_length") or LONGEST_TEXT
    if len(text) > longest or (not text and field.get("required", True)):
        raise ValueError(f"{field['custom_id']} takes up to {longest} characters, not {text!r}")
    return text


def _files(field: Json, paths: Iterable[Path], upload: Callable[[Path], Attachment], resolved: Json) -> list[str]:
    files = [upload(path) for path in paths]
    low = 1 if field.get("min_values") is None else field["min_values"]
    high = 1 if field.get("max_values") is None else field["max_values"]
    if not low <= len(files) <= high:
        raise ValueError(f"{field['custom_id']} takes {low} to {high} files, not {len(files)}")
    resolved |= {file.id: file.to_json() for file in files}
    return [file.id for file in files]
