"""Discord's own description of its API as a check of what was said on the wire.

Requests are checked strictly: an object of the description takes no other fields than those it
names. Answers may have more, as the real ones do.
"""

import copy
import json
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jsonschema_rs
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.wire.gaps import ADDITIONS, ANYTHING, GAPS, Gap
from tests.wire.recorder import Exchange

if TYPE_CHECKING:
    # Where it is needed it is imported late: it builds parsers of addresses, which takes seconds.
    from jsonschema.exceptions import ValidationError

FILE = Path(__file__).parents[1] / "data" / "discord-openapi.json.xz"
LENIENT, STRICT = "urn:discord:lenient", "urn:discord:strict"
METHODS = ("get", "put", "post", "patch", "delete")


def _remove(body: Any, steps: list[str], only: Any) -> None:
    if steps[0] == "*" and isinstance(body, list):
        for item in body:
            _remove(item, steps[1:], only)
    elif isinstance(body, dict) and steps[0] in body:
        if len(steps) > 1:
            _remove(body[steps[0]], steps[1:], only)
        elif only is ANYTHING or body[steps[0]] == only:
            del body[steps[0]]


def without_gaps(gaps: tuple[Gap, ...], method: str, template: str, body: Any) -> Any:
    """A copy of a request's body without the fields that the table of gaps allows."""
    body = copy.deepcopy(body)
    for gap in gaps:
        if gap.method == method and re.search(gap.path, template):
            _remove(body, gap.field.split("."), gap.only)
    return body


def _close_objects(node: Any) -> Any:
    if isinstance(node, dict):
        closed = {key: _close_objects(value) for key, value in node.items()}
        if isinstance(node.get("properties"), dict) and node.get("type") == "object":
            closed.setdefault("additionalProperties", False)
        return closed
    return [_close_objects(item) for item in node] if isinstance(node, list) else node


def _strict(document: dict[str, Any]) -> dict[str, Any]:
    """The description for requests: closed objects; ids may be numbers, as the service takes both."""
    closed = _close_objects(document)
    schemas = closed["components"]["schemas"]
    schemas["SnowflakeType"]["type"] = ["string", "integer"]
    for addition in ADDITIONS:
        schemas[addition.schema]["properties"].setdefault(addition.field, addition.value)
    return closed


def _pointer(*steps: str) -> str:
    return "#/" + "/".join(quote(step.replace("~", "~0").replace("/", "~1"), safe="~") for step in steps)


def _describe(error: "ValidationError") -> str:
    place = ".".join(str(step) for step in error.absolute_path) or "body"
    message = error.message if len(error.message) <= 300 else f"{error.message[:140]} … {error.message[-140:]}"
    return f"{place}: {message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One path and method of the description."""

    method: str
    template: str
    pattern: re.Pattern[str]
    parameters: dict[tuple[str, str], tuple[str, ...]]
    """Where each parameter's schema is, by (place, name)."""


class Description:
    """The whole description, ready to judge exchanges."""

    def __init__(self, document: dict[str, Any], gaps: tuple[Gap, ...] = GAPS) -> None:
        self._document = document
        self._gaps = gaps
        self._documents = {LENIENT: document, STRICT: _strict(document)}
        self._registry = jsonschema_rs.Registry(list(self._documents.items()), draft=jsonschema_rs.Draft202012)
        self._judges: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self.operations = sorted(self._operations(), key=lambda operation: operation.template.count("{"))

    @classmethod
    def load(cls, gaps: tuple[Gap, ...] = GAPS) -> "Description":
        """The description that is kept with the tests."""
        return cls(json.loads(lzma.decompress(FILE.read_bytes())), gaps)

    def _operations(self) -> Iterator[Operation]:
        for template, item in self._document["paths"].items():
            pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(template)) + "$")
            shared = {
                (p["in"], p["name"]): ("paths", template, "parameters", str(index), "schema")
                for index, p in enumerate(item.get("parameters", []))
            }
            for method in METHODS:
                if method in item:
                    own = {
                        (p["in"], p["name"]): ("paths", template, method, "parameters", str(index), "schema")
                        for index, p in enumerate(item[method].get("parameters", []))
                    }
                    yield Operation(
                        method=method.upper(), template=template, pattern=pattern, parameters={**shared, **own}
                    )

    def find(self, method: str, path: str) -> Operation | None:
        """The operation that a request is, the most literal path first."""
        return next((o for o in self.operations if o.method == method and o.pattern.match(path)), None)

    def _errors(self, base: str, steps: tuple[str, ...], value: Any) -> list[str]:
        reference = base + _pointer(*steps)
        if reference not in self._judges:
            self._judges[reference] = jsonschema_rs.Draft202012Validator({"$ref": reference}, registry=self._registry)
        try:
            return [] if self._judges[reference].is_valid(value) else [self._explain(reference, value)]
        except UnicodeEncodeError:
            return ["the text is not Unicode: half of a surrogate pair"]

    def _explain(self, reference: str, value: Any) -> str:
        """Say what is wrong; the judge, which is far quicker, does not tell which problem matters most."""
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import best_match

        contents = [
            (name, Resource(contents=document, specification=DRAFT202012)) for name, document in self._documents.items()
        ]
        registry: Registry[Any] = Registry().with_resources(contents)
        error = best_match(Draft202012Validator({"$ref": reference}, registry=registry).iter_errors(value))
        return f"jsonschema-rs alone refuses {value!r:.200}" if error is None else _describe(error)

    def _schema_of(self, steps: tuple[str, ...]) -> dict[str, Any]:
        node: Any = self._document
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node[step]
        while "$ref" in node:
            node = self._document["components"]["schemas"][node["$ref"].rpartition("/")[2]]
        return node

    def _check_text(self, steps: tuple[str, ...], value: str) -> list[str]:
        """A value of a path or query: text that stands for the type which the schema names."""
        kind = self._schema_of(steps).get("type")
        if kind == "boolean":
            known = {"true", "false", "1", "0"}
            return [] if value.lower() in known else [f"{value!r} is no boolean"]
        if kind == "integer":
            return self._errors(STRICT, steps, int(value)) if value.isdigit() else [f"{value!r} is no integer"]
        return self._errors(STRICT, steps, value)

    def check_request(self, exchange: Exchange) -> list[str]:
        """What is wrong with a request, in words; empty when nothing is."""
        operation = self.find(exchange.method, exchange.path)
        if operation is None:
            return ["the description has no such path and method"]
        problems = self._check_parameters(operation, exchange)
        body = self._document["paths"][operation.template][operation.method.lower()].get("requestBody")
        if body is None:
            return problems + (["a body was sent where none is described"] if exchange.payload is not None else [])
        if exchange.payload is None:
            return problems + (["the body is missing"] if body.get("required") else [])
        if exchange.content_type not in body["content"]:
            return [*problems, f"the body came as {exchange.content_type}"]
        steps = ("paths", operation.template, operation.method.lower())
        steps = (*steps, "requestBody", "content", "application/json", "schema")
        payload = without_gaps(self._gaps, operation.method, operation.template, exchange.payload)
        return problems + self._errors(STRICT, steps, payload) + _check_parts(exchange)

    def _check_parameters(self, operation: Operation, exchange: Exchange) -> list[str]:
        problems: list[str] = []
        match = operation.pattern.match(exchange.path)
        names = re.findall(r"\{([^}]*)\}", operation.template)
        for name, value in zip(names, match.groups() if match else (), strict=True):
            problems += [f"{name}: {p}" for p in self._check_text(operation.parameters["path", name], value)]
        for name, value in exchange.query.items():
            steps = operation.parameters.get(("query", name))
            if steps is None:
                problems.append(f"the query {name} is not described")
            else:
                problems += [f"{name}: {p}" for p in self._check_text(steps, value)]
        return problems

    def check_answer(self, exchange: Exchange) -> list[str]:
        """What is wrong with an answer, in words; empty when nothing is."""
        operation = self.find(exchange.method, exchange.path)
        if operation is None or exchange.injected or exchange.status >= 500:
            return []
        if not exchange.status:
            # Whoever asked was gone before there was an answer.
            return []
        steps = ("paths", operation.template, operation.method.lower(), "responses")
        described = self._schema_of(steps)
        status = str(exchange.status)
        status = status if status in described else f"{status[0]}XX"
        if status not in described:
            return [f"the status {exchange.status} is not described"]
        answer = described[status]
        steps = (*steps, status)
        if "$ref" in answer:
            steps = tuple(answer["$ref"].removeprefix("#/").split("/"))
            answer = self._schema_of(("components", "responses", steps[-1]))
        content = answer.get("content")
        if content is None:
            return [] if exchange.answer is None else ["an answer was given where none is described"]
        return self._errors(LENIENT, (*steps, "content", "application/json", "schema"), exchange.answer)

    def check(self, exchanges: list[Exchange]) -> list[str]:
        """All violations of a run, each with the exchange it was found in."""
        return [
            f"{exchange}: {side}: {problem}"
            for exchange in exchanges
            for side, problems in (
                ("request", self.check_request(exchange)),
                ("answer", self.check_answer(exchange)),
            )
            for problem in problems
        ]


def _check_parts(exchange: Exchange) -> list[str]:
    """Each file part has a legal name and no two have the same."""
    names = [upload.field for upload in exchange.uploads]
    wrong = [name for name in names if not re.fullmatch(r"files\[[0-9]\]", name)]
    return ([f"part names {wrong}"] if wrong else []) + (["part names repeat"] if len(set(names)) < len(names) else [])
