"""The messages on the queue, as frozen structs that msgspec encodes to JSON.

The members of a union are told apart by their `kind` field. Names on the wire stay the same when a field is renamed
here, so that workers and clients of neighbouring versions understand each other.
"""

from typing import Any, Final, Literal, TypeVar

import msgspec

from pipeline.errors import ValidationError
from pipeline.types import Artefact, Failure, Progress, Request, Result

PROTOCOL_VERSION: Final = 1
CONTRACT_VERSION: Final = 2
"""Raised when the form changes in which `pipeline.graph.codec` writes inputs, parameters and outputs of stages."""
UNREADABLE_VERSION: Final = 0
"""Version of the placeholder for a job whose JSON cannot be decoded."""
DEFAULT_UPLOAD_LIMIT_BYTES: Final = 20 * 1024 * 1024
"""Size that a file may have where nobody pays for more, since September 2026."""

PREFETCH_PREFIX: Final = "ahead-"
"""Start of the id of a prefetch job; the id of the job that a person asked for follows."""

WorkerKind = Literal["media", "asr"]
"""The environment that a worker runs in: media separates and mixes, asr transcribes."""

T = TypeVar("T")
D = TypeVar("D")


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Base of all messages."""


class ReplyTo(Message, frozen=True, kw_only=True):
    """The place in Discord that the answer goes to; ids are snowflakes as decimal text."""

    application_id: str
    channel_id: str
    user_id: str
    guild_id: str | None = None
    message_id: str | None = None
    """The message that shows the job; it is edited with the bot's own token once the interaction token has expired."""
    interaction_token: str = ""
    interaction_expires: float = 0.0
    """Unix time after which the interaction token is refused."""
    size_limit: int = DEFAULT_UPLOAD_LIMIT_BYTES
    """Bytes that one file may have in that place."""
    locale: str = "en-US"
    outside: bool | msgspec.UnsetType = msgspec.UNSET
    """True: the bot is no member of that place, so that only the interaction's token can write there."""


class Batch(Message, frozen=True, kw_only=True):
    """The jobs of one message with several clips; a card sums them up."""

    card_id: str
    """The message that is the card."""
    jobs: tuple[str, ...]
    """Ids of the jobs in the order of the clips; there is no job where a clip was not taken."""
    names: tuple[str, ...]
    """Of the clips."""


class Job(Message, frozen=True, kw_only=True, rename={"prefetch": "ahead"}):
    """One clip and what to do with it."""

    id: str
    request: Request
    source: Artefact
    """The clip, already in the store, under the name that the person gave it."""
    submitted: float
    """Unix time."""
    dub: Artefact | None = None
    """A whole replacement track for the vocals."""
    max_duration: float | None = None
    """Longest clip allowed where the job was asked for, in seconds; None: the limit of the worker."""
    fresh: bool = False
    """Compute every stage anew instead of using cached results."""
    prefetch: bool = False
    """Done in idle time in case somebody asks for it; any other job takes precedence."""
    reply_to: ReplyTo | None = None
    replaces: bool | msgspec.UnsetType = msgspec.UNSET
    """True: its message shows an earlier result, which stays until this one is there."""
    card: bool | msgspec.UnsetType = msgspec.UNSET
    """True: its result is shown as a card of components; a message that shows an embed keeps it."""
    batch: Batch | msgspec.UnsetType = msgspec.UNSET
    """Unset: it came alone."""
    consent: int | msgspec.UnsetType = msgspec.UNSET
    """Version of the text after which a person sent their own voice, which nobody else sees; unset: a usual clip."""
    trace: str | msgspec.UnsetType = msgspec.UNSET
    """The span that its spans are below, as a `traceparent` (W3C Trace Context, 3.2)."""
    version: int = PROTOCOL_VERSION

    @property
    def files(self) -> tuple[Artefact, ...]:
        """Return the files of the store that the job reads."""
        edits = self.request.transcript_edits
        return tuple(file for file in (self.source, self.dub, edits) if file is not None)

    @property
    def is_supported(self) -> bool:
        """True when this version of Stemcord can run the job."""
        return self.version == PROTOCOL_VERSION

    @property
    def trace_id(self) -> str:
        """Return the id of the job's trace; empty when it has none."""
        return "" if isinstance(self.trace, msgspec.UnsetType) else self.trace.partition("-")[2].partition("-")[0]


class Started(Message, frozen=True, kw_only=True, tag_field="kind", tag="started"):
    """A worker took the job; attempts count from 1."""

    attempt: int
    worker: str


class Progressed(Message, frozen=True, kw_only=True, tag_field="kind", tag="progressed"):
    """A stage made progress."""

    progress: Progress


class Finished(Message, frozen=True, kw_only=True, tag_field="kind", tag="finished"):
    """The job is done; `result.failures` names the parts that could not be made."""

    result: Result


class Failed(Message, frozen=True, kw_only=True, tag_field="kind", tag="failed"):
    """The job ended without a result."""

    failure: Failure


class Stopped(Message, frozen=True, kw_only=True, tag_field="kind", tag="stopped"):
    """A person cancelled the job."""


Event = Started | Progressed | Finished | Failed | Stopped
TERMINAL_EVENTS = (Finished, Failed, Stopped)

JobStatus = Literal["queued", "running", "finished", "failed", "stopped", "dead"]


class JobState(Message, frozen=True, kw_only=True):
    """A job and how it stands in the queue."""

    job: Job
    status: JobStatus | Literal["unreadable"]
    """Unreadable: another version wrote the record in a way that this one cannot read."""
    attempts: int
    position: int | None = None
    """Number of jobs before it; None once it has ended."""
    error: str = ""
    """Message of the last error, empty when there was none."""


class StageJob(Message, frozen=True, kw_only=True, rename={"timeout_s": "limit"}):
    """One stage for a worker of another environment.

    Its id is derived from its first cache key, so that equal work is done once.
    """

    id: str
    keys: tuple[str, ...]
    """Cache keys under which the result is kept; it is looked up under the first."""
    stage: str
    inputs: dict[str, Artefact]
    params: dict[str, Any]
    timeout_s: float
    """Seconds that the engine may take."""
    contract: int
    """`CONTRACT_VERSION` of the sender; absent before version 2."""
    trace: str | msgspec.UnsetType = msgspec.UNSET
    """As in `Job`."""
    clip_seconds: float | msgspec.UnsetType = msgspec.UNSET
    """How long the clip of the job is that it is for."""


class StageResult(Message, frozen=True, kw_only=True, tag_field="kind", tag="performed"):
    """The result of a stage, as an event and as the content of a cache entry."""

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
    kind: WorkerKind
    seen: float
    """Unix time of its last heartbeat."""


def owner_of(job_id: str) -> str:
    """Return the id of the job that a person asked for: the job itself, or the one that a prefetch job is for."""
    return job_id.removeprefix(PREFETCH_PREFIX)


def encode(message: Message) -> bytes:
    """Encode a message as JSON."""
    return msgspec.json.encode(message)


def decode_job(data: bytes) -> Job:
    """Decode a job; raises `msgspec.DecodeError` when it cannot be read."""
    return msgspec.json.decode(data, type=Job)


def other_version_error(detail: str = "") -> ValidationError:
    """Return the error for a job or event that another version of Stemcord put into the queue."""
    return ValidationError(
        "This job was sent by another version of Stemcord.", hint="Send the clip again.", detail=detail
    )


def decode_stored_job(job_id: str, data: bytes) -> Job:
    """Decode a job from the queue, even one that another version of Stemcord put there.

    Args:
        job_id: The id under which the job is stored.
        data: The JSON that it was submitted as.

    Returns:
        The job. When its JSON cannot be decoded, a placeholder with `is_supported` false that keeps those of the
        fields that can be read, so that the job can still be listed and its person answered.
    """
    try:
        return decode_job(data)
    except msgspec.DecodeError:
        pass
    try:
        fields = msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError:
        fields = {}
    return Job(
        id=job_id,
        request=Request(),
        source=_convert(fields.get("source"), Artefact, Artefact(name="unknown", digest="", size=0, media_type="")),
        submitted=_convert(fields.get("submitted"), float, 0.0),
        prefetch=_convert(fields.get("ahead"), bool, False),
        reply_to=_convert(fields.get("reply_to"), ReplyTo, None),
        version=UNREADABLE_VERSION,
    )


def decode_event(data: bytes) -> Event:
    """Decode an event; raises `msgspec.DecodeError` when it cannot be read."""
    return msgspec.json.decode(data, type=Event)


def decode_stage_job(data: bytes) -> StageJob:
    """Decode a stage job; raises `msgspec.DecodeError` when it cannot be read."""
    return msgspec.json.decode(data, type=StageJob)


def decode_stage_event(data: bytes) -> StageEvent:
    """Decode an event of a stage job; raises `msgspec.DecodeError` when it cannot be read."""
    return msgspec.json.decode(data, type=StageEvent)


def decode_cache_entry(data: bytes) -> StageResult:
    """Decode a cache entry; raises `msgspec.DecodeError` when it cannot be read."""
    return msgspec.json.decode(data, type=StageResult)


def decode_cached_files(data: bytes) -> set[str]:
    """Return the digests of the files that a cache entry names, also when another version wrote the entry."""
    try:
        artefacts = msgspec.json.decode(data, type=_CachedFiles).artefacts
    except msgspec.DecodeError:
        return set()
    return {file.digest for file in artefacts.values()}


class _CachedFile(msgspec.Struct):
    digest: str


class _CachedFiles(msgspec.Struct):
    artefacts: dict[str, _CachedFile]


def _convert(value: object, kind: type[T], default: D) -> T | D:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return default
