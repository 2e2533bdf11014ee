"""The check itself: it must find what is wrong and let through what is right."""

import re
from typing import Any

import pytest

from tests.wire.gaps import GAPS, Gap
from tests.wire.openapi import Description
from tests.wire.recorder import Exchange, Upload

CHANNEL, MESSAGE = "/channels/12/messages", "/channels/12/messages/34"


def exchange(method: str, path: str, payload: Any = None, **fields: Any) -> Exchange:
    values: dict[str, Any] = {"query": {}, "headers": {}, "content_type": "application/json", "status": 200}
    return Exchange(method=method, path=path, payload=payload, **(values | fields))


def test_a_good_message_passes(description: Description) -> None:
    assert description.check_request(exchange("POST", CHANNEL, {"content": "hello", "nonce": "1"})) == []
    upload = Upload(field="files[0]", filename="a.txt", data=b"a")
    sent = exchange("POST", CHANNEL, {"attachments": [{"id": 0, "filename": "a.txt"}]}, uploads=[upload])
    sent.content_type = "multipart/form-data"
    assert description.check_request(sent) == []


@pytest.mark.parametrize(
    ("method", "path", "payload", "found"),
    [
        ("POST", "/channels/12/mesages", {"content": "a"}, "no such path"),
        ("POST", "/channels/twelve/messages", {"content": "a"}, "channel_id"),
        ("POST", CHANNEL, {"content": "a" * 4001}, "too long"),
        ("POST", CHANNEL, {"contents": "a"}, "contents"),
        ("POST", CHANNEL, {"content": 1}, "not of type"),
        ("POST", CHANNEL, {"attachments": [{"id": "\ud800"}]}, "surrogate"),
        ("POST", CHANNEL, {"embeds": [{"title": "a" * 257}]}, "too long"),
        ("POST", CHANNEL, {"embeds": [{"titel": "a"}]}, "titel"),
        ("PATCH", MESSAGE, {"attachments": [{"filename": "a"}]}, "'id' is a required property"),
        ("PATCH", MESSAGE, None, "the body is missing"),
        ("GET", MESSAGE, {"content": "a"}, "a body was sent"),
        ("POST", "/interactions/1/abc/callback", {"type": 77}, "data|type|77"),
    ],
)
def test_a_wrong_request_is_found(description: Description, method: str, path: str, payload: Any, found: str) -> None:
    problems = description.check_request(exchange(method, path, payload))
    assert problems
    assert any(part in problem for part in found.split("|") for problem in problems), problems


def test_a_wrong_query_and_a_wrong_part_are_found(description: Description) -> None:
    assert description.check_request(exchange("GET", CHANNEL, query={"limit": "50"})) == []
    assert description.check_request(exchange("GET", CHANNEL, query={"limit": "many"}))
    assert description.check_request(exchange("GET", CHANNEL, query={"colour": "red"}))
    upload = Upload(field="file", filename="a.txt", data=b"a")
    sent = exchange("POST", CHANNEL, {"content": "a"}, uploads=[upload], content_type="multipart/form-data")
    assert description.check_request(sent) == ["part names ['file']"]


def test_wrong_answers_are_found(description: Description) -> None:
    assert description.check_answer(exchange("GET", MESSAGE, answer={"id": "34"}))
    assert description.check_answer(exchange("GET", MESSAGE, status=404, answer={"message": "no", "code": 1})) == []
    assert description.check_answer(exchange("GET", MESSAGE, status=404, answer="no"))
    assert description.check_answer(exchange("DELETE", MESSAGE, status=200, answer={}))
    assert description.check_answer(exchange("GET", MESSAGE, answer={"id": "34"}, injected=True)) == []


def test_an_allowed_gap_lets_only_its_value_through(description: Description) -> None:
    update = {"type": 7, "data": {"content": "a", "tts": False}}
    assert description.check_request(exchange("POST", "/interactions/1/abc/callback", update)) == []
    update["data"] = {"content": "a", "tts": True}
    assert description.check_request(exchange("POST", "/interactions/1/abc/callback", update))


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: f"{gap.method} {gap.field}")
def test_a_gap_allows_what_the_description_refuses(description: Description, gap: Gap) -> None:
    operation = next(o for o in description.operations if o.method == gap.method and re.search(gap.path, o.template))
    path = re.sub(r"\{[^}]*\}", "1", operation.template)
    needed = {"attachments": {"id": "1"}, "*": {"name": "a"}}
    body: Any = False if gap.field.endswith("tts") else 0
    for step in reversed(gap.field.split(".")):
        body = [body | needed.get(gap.field.partition(".")[0], {})] if step == "*" else {step: body}
    if "callback" in gap.path:
        body["type"] = 7
    assert gap.reason
    assert description.check_request(exchange(gap.method, path, body)) == []
    assert Description.load(gaps=()).check_request(exchange(gap.method, path, body))
