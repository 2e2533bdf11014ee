"""What travels on the queue: frozen, versioned, JSON.

Messages are dataclasses encoded by msgspec; a union is told apart by its `kind`.
"""

from typing import Any, Literal

import msgspec

from pipeline.types import Artefact, Failure, Progress, Request, Result

PROTOCOL_VERSION = 1
DEFAULT_UPLOAD_LIMIT_BYTES = 10 * 1024 * 1024
"""Bytes that a file may have in every place of Discord."""

PREFETCH_PREFIX = "ahead-"
"""What the id of a job begins with that is done ahead, in case somebody asks; the asked-for job's id follows."""


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Base of all messages."""


class ReplyTo(Message, frozen=True, kw_only=True):
    """Where in Discord the answer goes; ids are decimal snowflakes as text."""

    application_id: str
    channel_id: str
    user_id: str
    guild_id: str | None = None
    message_id: str | None = None
    """The message that shows the job; it is edited by the bot's own token once the interaction's is gone."""
    interaction_token: str = ""
    interaction_expires: float = 0.0
    """Unix time after which the interaction token is refused."""
    size_limit: int = DEFAULT_UPLOAD_LIMIT_BYTES
    """Bytes allowed per file in that place."""
    locale: str = "en-US"


class Job(Message, frozen=True, kw_only=True, rename={"prefetch": "ahead"}):
    """One clip and what to do with it."""

    id: str
    request: Request
    source: Artefact
    """The clip, already in the store; its name is what the person called it."""
    submitted: float
    """Unix time."""
    dub: Artefact | None = None
    """A whole replacement track for the vocals."""
    max_duration: float | None = None
    """Seconds that the clip may last where it was asked for; None: as long as the worker allows."""
    fresh: bool = False
    """Do not use what the store already has."""
    prefetch: bool = False
    """Work done in idle time in case somebody asks; it gives way to any other job."""
    reply_to: ReplyTo | None = None
    version: int = PROTOCOL_VERSION


class Started(Message, frozen=True, kw_only=True, tag_field="kind", tag="started"):
    """A worker took the job; attempts count from 1."""

    attempt: int
    worker: str


class Progressed(Message, frozen=True, kw_only=True, tag_field="kind", tag="progressed"):
    """A stage went on."""

    progress: Progress


class Finished(Message, frozen=True, kw_only=True, tag_field="kind", tag="finished"):
    """The job is done; `result.failures` names the parts that could not be made."""

    result: Result


class Failed(Message, frozen=True, kw_only=True, tag_field="kind", tag="failed"):
    """The job gave nothing."""

    failure: Failure


class Stopped(Message, frozen=True, kw_only=True, tag_field="kind", tag="stopped"):
    """A person cancelled the job."""


Event = Started | Progressed | Finished | Failed | Stopped
TERMINAL_EVENTS = (Finished, Failed, Stopped)

JobStatus = Literal["queued", "running", "finished", "failed", "stopped", "dead"]


class JobState(Message, frozen=True, kw_only=True):
    """A job as a list shows it."""

    job: Job
    status: JobStatus
    attempts: int
    position: int | None = None
    """How many jobs are before it; None once it has ended."""
    error: str = ""
    """The last error in words, empty when there was none."""


class StageJob(Message, frozen=True, kw_only=True, rename={"timeout_s": "limit"}):
    """One stage for a worker of another environment; its id comes from its key, so equal work is done once."""

    id: str
    keys: tuple[str, ...]
    """Memo keys under which the output is remembered; the first is the one to look under."""
    stage: str
    inputs: dict[str, Artefact]
    params: dict[str, Any]
    timeout_s: float
    """Seconds that the engine may take."""


class StageResult(Message, frozen=True, kw_only=True, tag_field="kind", tag="performed"):
    """What a stage gave; also the content of a memo."""

    output: dict[str, Any]
    """As `pipeline.graph.codec.encode_output` gives it."""
    artefacts: dict[str, Artefact]
    """The files of the output, by their name in the stage's folder."""
    engine_seconds: float


StageEvent = Started | Progressed | StageResult | Failed | Stopped
TERMINAL_STAGE_EVENTS = (StageResult, Failed, Stopped)


class WorkerState(Message, frozen=True, kw_only=True):
    """A live worker."""

    name: str
    kind: Literal["media", "asr"]
    seen: float
    """Unix time of its last heartbeat."""


def owner_of(job_id: str) -> str:
    """The job for whose person a job is done: itself, but for one that is done ahead."""
    return job_id.removeprefix(PREFETCH_PREFIX)


def encode(message: Message) -> bytes:
    """A message as JSON bytes."""
    return msgspec.json.encode(message)


def decode_job(data: bytes) -> Job:
    """A job from JSON bytes; raises `msgspec.ValidationError` when it is none."""
    return msgspec.json.decode(data, type=Job)


def decode_event(data: bytes) -> Event:
    """An event from JSON bytes; raises `msgspec.ValidationError` when it is none."""
    return msgspec.json.decode(data, type=Event)


def decode_stage_job(data: bytes) -> StageJob:
    """A stage job from JSON bytes; raises `msgspec.ValidationError` when it is none."""
    return msgspec.json.decode(data, type=StageJob)


def decode_stage_event(data: bytes) -> StageEvent:
    """A stage event from JSON bytes; raises `msgspec.ValidationError` when it is none."""
    return msgspec.json.decode(data, type=StageEvent)


def decode_cache_entry(data: bytes) -> StageResult:
    """A memo from JSON bytes; raises `msgspec.ValidationError` when it is none."""
    return msgspec.json.decode(data, type=StageResult)
