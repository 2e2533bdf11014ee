"""The stage graph: one request and one clip in, one result out.

    probe ─ extract ─ route ─ separate ─┬─ mix ─────────────────────────────┐
                                        └─ listen ─ diarize ─ transcribe ───┴─ report
                                                              └ align ─ subtitles

A branch that fails takes nothing else down: its error goes into `Result.failures` and
the other parts are delivered. Which stages run depends on the task alone; where they
run, and whether they run at all or come from the store, is up to `perform`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar, cast

import msgspec

from pipeline.catalog import MAX_DURATION, MAX_SIZE, PRESETS
from pipeline.errors import AudioProcessingError, Cancelled, QueueError, StoreError
from pipeline.models import model_digest
from pipeline.stages import Perform, StageOutput
from pipeline.types import (
    Artefact,
    Failure,
    JsonValue,
    Loudness,
    MediaInfo,
    ModelUse,
    Request,
    Result,
    Route,
    RouteName,
    Speaker,
    StageTiming,
    Task,
)

T = TypeVar("T")
_Spoken: TypeAlias = Mapping[str, Artefact]
STEM_FILES = ("vocals.flac", "music.flac", "sfx.flac", "ambient.flac", "background.flac")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a clip may be."""

    max_duration: float = MAX_DURATION
    """Seconds."""
    max_size: int = MAX_SIZE
    """Bytes."""


async def run(
    request: Request, source: Artefact, perform: Perform, *, dub: Artefact | None = None, limits: Limits | None = None
) -> Result:
    """Take a clip through the stages that its request asks for.

    Raises the error of the first stage that failed when nothing at all could be made,
    `Cancelled` when the job was stopped, `QueueError` and `StoreError` as they come,
    since trying again may mend them.
    """
    return await _Run(request, source, perform, dub, limits or Limits()).result()


@dataclass(slots=True)
class _Run:
    request: Request
    source: Artefact
    perform: Perform
    dub: Artefact | None
    limits: Limits
    artefacts: list[Artefact] = field(default_factory=list[Artefact])
    timings: list[StageTiming] = field(default_factory=list[StageTiming])
    models: list[ModelUse] = field(default_factory=list[ModelUse])
    failures: list[Failure] = field(default_factory=list[Failure])
    notes: list[str] = field(default_factory=list[str])
    loudness: dict[str, Loudness] = field(default_factory=dict[str, Loudness])
    speakers: tuple[Speaker, ...] = ()
    language: str | None = None

    async def result(self) -> Result:
        media = await self._probe()
        sound = (await self._stage("extract", {"source": self.source}, {"mono": False})).artefacts["master.flac"]
        route = await self._route(media, sound)
        stems = await self._part("separate", lambda: self._separate(route, sound)) or {}
        wants = self.request.task
        remix = self._part("mix", lambda: self._mix(media, sound, stems)) if wants in (Task.REMIX, Task.ALL) else None
        speech = (
            self._part("transcribe", lambda: self._transcribe(media, sound, stems))
            if wants in (Task.TRANSCRIBE, Task.ALL)
            else None
        )
        spoken = await self._branches(remix, speech) or {}
        if not self.artefacts and self.failures:
            raise _first_error(self.failures)
        await self._part("report", lambda: self._report(media, sound, stems, spoken))
        return Result(
            request=self.request,
            media=media,
            route=route,
            artefacts=tuple(self.artefacts),
            speakers=self.speakers,
            language=self.language,
            loudness=self.loudness,
            models=tuple(self.models),
            timings=tuple(self.timings),
            failures=tuple(self.failures),
            notes=tuple(dict.fromkeys(self.notes)),
        )

    async def _probe(self) -> MediaInfo:
        params: dict[str, JsonValue] = {
            "name": self.source.name,
            "max_duration": self.limits.max_duration,
            "max_size": self.limits.max_size,
        }
        return _convert((await self._stage("probe", {"source": self.source}, params)).facts, MediaInfo)

    async def _route(self, media: MediaInfo, sound: Artefact) -> Route:
        params: dict[str, JsonValue] = {
            "duration": media.duration,
            "budget": self.request.budget.value,
            "preset": self.request.preset.value,
            "asked": None if self.request.route is None else self.request.route.value,
        }
        return _convert((await self._stage("route", {"sound": sound}, params)).facts, Route)

    async def _separate(self, route: Route, sound: Artefact) -> dict[str, Artefact]:
        """Stems by file name; on the basic route only the seed's plain extraction."""
        if route.name is RouteName.BASIC:
            plain = await self._stage("extract", {"source": self.source}, {"mono": True})
            if self.request.task in (Task.SEPARATE, Task.ALL):
                self.artefacts.append(plain.artefacts["audio.wav"])
            self.notes.append("The basic route extracts the sound and does not take it apart.")
            return {}
        model = str(route.model)
        params: dict[str, JsonValue] = {"engine": route.engine, "model": model, "weights": model_digest(model)}
        output = await self._stage("separate", {"sound": sound}, params)
        if self.request.task is not Task.TRANSCRIBE:
            self.artefacts.extend(
                replace(output.artefacts[name], name=f"stems/{name}") for name in STEM_FILES if name in output.artefacts
            )
        return {name.removesuffix(".flac"): output.artefacts[name] for name in STEM_FILES if name in output.artefacts}

    async def _mix(self, media: MediaInfo, sound: Artefact, stems: Mapping[str, Artefact]) -> None:
        inputs = {"source": self.source, "sound": sound}
        inputs |= {name: stems[name] for name in ("vocals", "background") if name in stems}
        inputs |= {} if self.dub is None else {"dub": self.dub}
        params: dict[str, JsonValue] = {
            "voice": self.request.voice,
            "background": self.request.background,
            "video": media.video is not None,
            "dub": self.dub is not None,
            "audio_start": media.audio.start,
        }
        output = await self._stage("mix", inputs, params)
        self.loudness.update(_convert(output.facts["loudness"], dict[str, Loudness]))
        self.artefacts.extend(output.artefacts[name] for name in sorted(output.artefacts))

    async def _transcribe(self, media: MediaInfo, sound: Artefact, stems: Mapping[str, Artefact]) -> _Spoken:
        """Transcript and voices; speakers are told apart on the vocals, words are heard in the whole mix."""
        preset = PRESETS[self.request.preset]
        voices = (await self._stage("listen", {"sound": stems.get("vocals", sound)}, {})).artefacts["speech.flac"]
        mixed = (await self._stage("listen", {"sound": sound}, {})).artefacts["speech.flac"]
        who: dict[str, JsonValue] = {
            "segmentation": preset.segmentation,
            "embedding": preset.embedding,
            "weights": [model_digest(preset.segmentation), model_digest(preset.embedding)],
            "speakers": self.request.speakers,
        }
        diarization = (await self._stage("diarize", {"speech": voices}, who)).artefacts["diarization.json"]
        what: dict[str, JsonValue] = {
            "model": preset.recognition,
            "weights": model_digest(preset.recognition),
            "language": self.request.language,
        }
        heard = await self._stage("transcribe", {"speech": mixed, "diarization": diarization}, what)
        joined = await self._stage(
            "align",
            {"diarization": diarization, "recognition": heard.artefacts["recognition.json"]},
            {"duration": media.duration, "audio_start": media.audio.start},
        )
        spoken = {"transcript": joined.artefacts["transcript.json"], "voices": joined.artefacts["voices.json"]}
        self.speakers = _convert(joined.facts["speakers"], tuple[Speaker, ...])
        self.language = _convert(joined.facts["language"], str)
        self.artefacts.append(spoken["transcript"])
        if not self.speakers:
            self.notes.append("No speech was found, so the transcript is empty.")
        subtitles = await self._stage("subtitles", spoken, {})
        self.artefacts.extend(subtitles.artefacts[name] for name in sorted(subtitles.artefacts))
        return spoken

    async def _report(
        self, media: MediaInfo, sound: Artefact, stems: Mapping[str, Artefact], spoken: Mapping[str, Artefact]
    ) -> None:
        params: dict[str, JsonValue] = {"audio_start": media.audio.start}
        output = await self._stage("report", {"sound": sound, **stems, **spoken}, params)
        self.artefacts.append(output.artefacts["report.png"])

    async def _stage(self, stage: str, inputs: Mapping[str, Artefact], params: Mapping[str, JsonValue]) -> StageOutput:
        output = await self.perform(stage, inputs, params)
        self.timings.append(
            StageTiming(stage=stage, seconds=output.seconds, engine_seconds=output.engine_seconds, reused=output.reused)
        )
        self.models.extend(_convert(output.facts.get("models", []), list[ModelUse]))
        self.notes.extend(_convert(output.facts.get("notes", []), list[str]))
        return output

    async def _part(self, name: str, make: Callable[[], Awaitable[T]]) -> T | None:
        """What `make` gives, or None with the failure noted, so that the other parts go on."""
        try:
            return await make()
        except (Cancelled, QueueError, StoreError):
            raise
        except AudioProcessingError as error:
            failure = error.to_failure()
            self.failures.append(failure if failure.stage else replace(failure, stage=name))
            return None

    @staticmethod
    async def _branches(remix: Awaitable[None] | None, speech: Awaitable[_Spoken | None] | None) -> _Spoken | None:
        """Both branches side by side; when one must end the job, the other is stopped first."""
        heard: asyncio.Task[_Spoken | None] | None = None
        try:
            async with asyncio.TaskGroup() as group:
                if remix is not None:
                    group.create_task(_awaited(remix))
                if speech is not None:
                    heard = group.create_task(_awaited(speech))
        except BaseExceptionGroup as group:
            raise _first_leaf(group) from group
        return None if heard is None else heard.result()


async def _awaited(work: Awaitable[T]) -> T:
    return await work


def _convert(value: object, kind: type[T] | Any) -> T:  # noqa: ANN401 - tuple[X, ...] is no type
    return msgspec.convert(value, type=kind)


def _first_leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return (
        _first_leaf(cast("BaseExceptionGroup[BaseException]", first))
        if isinstance(first, BaseExceptionGroup)
        else first
    )


def _first_error(failures: list[Failure]) -> AudioProcessingError:
    from pipeline.errors import from_failure

    return from_failure(failures[0])
