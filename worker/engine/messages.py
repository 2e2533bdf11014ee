"""What a worker and its engine process say to each other: one JSON message a line."""

from typing import Any

import msgspec

from pipeline.types import Failure


class Order(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="order"):
    """Run a stage; paths are absolute."""

    id: int
    stage: str
    function: str
    """`module:function`."""
    inputs: dict[str, str]
    params: dict[str, Any]
    out: str


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stop"):
    """Give up on the order at the next report."""

    id: int


class Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="step"):
    """How far the order is."""

    id: int
    fraction: float
    message: str


class Done(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="done"):
    """The stage returned; seconds are those inside its function."""

    id: int
    facts: dict[str, Any]
    seconds: float


class Broken(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="broken"):
    """The stage raised."""

    id: int
    failure: Failure


ToEngine = Order | Stop
FromEngine = Step | Done | Broken


def encode_line(message: ToEngine | FromEngine) -> bytes:
    """A message with its line end; raises `TypeError` for what JSON cannot hold."""
    return msgspec.json.encode(message) + b"\n"


def decode_order(line: bytes) -> ToEngine:
    """What the worker says."""
    return msgspec.json.decode(line, type=ToEngine)


def decode_answer(line: bytes) -> FromEngine:
    """What the engine says."""
    return msgspec.json.decode(line, type=FromEngine)
