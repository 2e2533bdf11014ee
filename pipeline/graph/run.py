"""The stage graph: one request and one clip in, one result out.

    probe ─ extract ─ route ─ separate ─┬─ measure ─ (dub) ─ mix ───────────┬─ join
                                        └─ listen ─ diarize ─ transcribe ───┴─ (compare) ─ report
                                                              └ align ─ subtitles

A mix that follows the turns (a gain for a speaker, a dub in pieces, ducking beside a transcript) waits for them.

A branch that fails takes nothing else down: its error goes into `Result.failures` and
the other parts are delivered. Which stages run depends on the task alone; where they
run, and whether they run at all or come from the store, is up to `perform`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias, TypeVar

import msgspec

from pipeline.catalog import MAX_DURATION, MAX_SIZE, PRESETS
from pipeline.errors import AudioProcessingError, Cancelled, QueueError, StoreError, from_failure
from pipeline.graph.concurrency import run_branches
from pipeline.graph.stage import StageExecutor, StageOutput
from pipeline.languages import container_code
from pipeline.mix.dub.params import compare_inputs, dub_params, in_pieces, needs_turns
from pipeline.mix.params import mix_params
from pipeline.models.loader import model_digest
from pipeline.speech.model_selection import Way, choose_names, ways_to_diarize, ways_to_transcribe
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
    request: Request,
    source: Artefact,
    perform: StageExecutor,
    *,
    dub: Artefact | None = None,
    limits: Limits | None = None,
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
    perform: StageExecutor
    dub: Artefact | None
    limits: Limits
    artefacts: list[Artefact] = field(default_factory=list[Artefact])
    timings: list[StageTiming] = field(default_factory=list[StageTiming])
    models: list[ModelUse] = field(default_factory=list[ModelUse])
    failures: list[Failure] = field(default_factory=list[Failure])
    notes: list[str] = field(default_factory=list[str])
    loudness: dict[str, Loudness] = field(default_factory=dict[str, Loudness])
    voices: Artefact | None = None
    speakers: tuple[Speaker, ...] = ()
    language: str | None = None

    async def result(self) -> Result:
        media = await self._probe()
        sound = (await self._stage("extract", {"source": self.source}, {"mono": False})).artefacts["master.flac"]
        route = await self._route(media, sound)
        stems = await self._part("separate", lambda: self._separate(route, sound)) or {}
        spoken = await self._mix_and_hear(media, sound, stems)
        if not self.artefacts and self.failures:
            raise from_failure(self.failures[0])
        await self._part("join", lambda: self._join(media, spoken))
        await self._part("compare", lambda: self._compare(media, stems, spoken))
        await self._part("report", lambda: self._report(media, sound, stems, spoken))
        return Result(
            request=self.request,
            media=media,
            route=route,
            artefacts=tuple(self.artefacts),
            voices=self.voices,
            speakers=self.speakers,
            language=self.language,
            loudness=self.loudness,
            models=tuple(self.models),
            timings=tuple(self.timings),
            failures=tuple(self.failures),
            notes=tuple(note for note in dict.fromkeys(self.notes) if note),
        )

    async def _mix_and_hear(self, media: MediaInfo, sound: Artefact, stems: Mapping[str, Artefact]) -> _Spoken:
        """What the task asks for of remix and transcript; what was said, as far as it was heard."""
        wants = self.request.task
        remixes = wants in (Task.REMIX, Task.ALL)
        follows = remixes and self._follows_turns()

        def remix(spoken: _Spoken) -> Awaitable[None]:
            return self._part("mix", lambda: self._mix(media, sound, stems, spoken))

        speech = (
            self._part("transcribe", lambda: self._transcribe(media, sound, stems))
            if follows or wants in (Task.TRANSCRIBE, Task.ALL) or (remixes and self.request.soft_subtitles)
            else None
        )
        if not follows:
            return await run_branches(remix({}) if remixes else None, speech) or {}
        spoken = await run_branches(None, speech) or {}
        await remix(spoken)
        return spoken

    def _follows_turns(self) -> bool:
        ducks = self.request.ducking is not None and self.request.task is Task.ALL
        dubs = self.dub is not None and needs_turns(self.request, self.dub.name)
        return bool(self.request.speaker_gains) or ducks or dubs

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

    async def _mix(self, media: MediaInfo, sound: Artefact, stems: Mapping[str, Artefact], spoken: _Spoken) -> None:
        """The final mix; what does not change with its options is measured once, in a stage of its own."""
        measured = await self._stage("measure", {"original": sound, **stems}, {})
        self.loudness.update(_convert(measured.facts["loudness"], dict[str, Loudness]))
        inputs = {"source": self.source, "sound": sound, **stems}
        if self.dub is not None and "vocals" in stems:
            inputs["dub"] = await self._dub(media, stems["vocals"], self.dub, spoken)
        inputs |= {"transcript": spoken["transcript"]} if self._follows_turns() and "transcript" in spoken else {}
        params = mix_params(self.request, media, self.loudness, dub=self.dub is not None)
        output = await self._stage("mix", inputs, params)
        self.loudness.update(_convert(output.facts["loudness"], dict[str, Loudness]))
        self.artefacts.extend(output.artefacts[name] for name in sorted(output.artefacts))

    async def _dub(self, media: MediaInfo, vocals: Artefact, dub: Artefact, spoken: _Spoken) -> Artefact:
        """The voice track that stands in for the vocals."""
        inputs = {"vocals": vocals, "dub": dub}
        if needs_turns(self.request, dub.name) and "transcript" in spoken:
            inputs["transcript"] = spoken["transcript"]
        params = dub_params(self.request, media, dub, max_size=self.limits.max_size)
        made = (await self._stage("dub", inputs, params)).artefacts
        if in_pieces(dub.name):
            self.artefacts.append(replace(made["dub.flac"], name="stems/dub.flac"))
        self.artefacts.extend(made[name] for name in sorted(made) if name != "dub.flac")
        return made["dub.flac"]

    async def _compare(self, media: MediaInfo, stems: Mapping[str, Artefact], spoken: _Spoken) -> None:
        """How a dub that is one whole track fits the turns, where these are known."""
        if self.speakers and (inputs := compare_inputs(self.dub, stems, spoken, self.artefacts)) is not None:
            params: dict[str, JsonValue] = {"name": inputs["dub"].name, "audio_start": media.audio.start}
            output = await self._stage("compare", inputs, params)
            self.artefacts.extend(output.artefacts[name] for name in sorted(output.artefacts))

    async def _join(self, media: MediaInfo, spoken: _Spoken) -> None:
        """The video of the final mix, when both the mix and the words are there."""
        final = [artefact for artefact in self.artefacts if artefact.name == "final.m4a"]
        if not final or media.video is None:
            return
        inputs = {"source": self.source, "sound": final[0]}
        inputs |= {"subtitles": spoken["subtitles"]} if self.request.soft_subtitles and "subtitles" in spoken else {}
        language = container_code(self.request.language or (self.language if self.speakers else None))
        params: dict[str, JsonValue] = {"audio_start": media.audio.start, "language": language}
        output = await self._stage("join", inputs, params)
        self.artefacts.extend(output.artefacts[name] for name in sorted(output.artefacts))

    async def _transcribe(self, media: MediaInfo, sound: Artefact, stems: Mapping[str, Artefact]) -> _Spoken:
        """Transcript and voices; words are heard in the whole mix, speakers where `speech.front_end` says."""
        voices = (await self._stage("listen", {"sound": stems.get("vocals", sound)}, {})).artefacts["speech.flac"]
        mixed = (await self._stage("listen", {"sound": sound}, {})).artefacts["speech.flac"]
        hearing = {"speech": mixed, "vocals": voices} if "vocals" in stems else {"speech": mixed}
        who = (await self._first("diarize", hearing, ways_to_diarize(self.request))).artefacts["diarization.json"]
        heard = await self._first("transcribe", {"speech": mixed, "diarization": who}, ways_to_transcribe(self.request))
        joined = await self._stage(
            "align",
            {"diarization": who, "recognition": heard.artefacts["recognition.json"]},
            {"duration": media.duration, "audio_start": media.audio.start},
        )
        spoken = {"transcript": joined.artefacts["transcript.json"], "voices": joined.artefacts["voices.json"]}
        self.speakers = _convert(joined.facts["speakers"], tuple[Speaker, ...])
        self.language = _convert(joined.facts["language"], str)
        if not self.speakers:
            self.notes.append("No speech was found, so the transcript is empty.")
        known = await self._part("voices", lambda: self._know_voices(media, voices, spoken["voices"])) or {}
        names, missed = choose_names(known, self.request.names, self.speakers)
        self.notes += missed
        style = {} if self.request.subtitles is None else {"style": msgspec.to_builtins(self.request.subtitles)}
        subtitles = await self._stage("subtitles", spoken, {**({"names": names} if names else {}), **style})
        if names:
            self.speakers = _convert(subtitles.facts["speakers"], tuple[Speaker, ...])
        written = {"transcript.json": spoken["transcript"], **subtitles.artefacts}
        spoken["transcript"] = written["transcript.json"]
        self.artefacts.extend(written[name] for name in sorted(written))
        return {**spoken, "subtitles": subtitles.artefacts["transcript.srt"]} if self.speakers else spoken

    async def _know_voices(self, media: MediaInfo, speech: Artefact, heard: Artefact) -> dict[str, str]:
        """Keep a vector of each speaker; the names of those whom the request's voice-book knows, by id."""
        if not self.speakers:
            return {}
        model = PRESETS[self.request.preset].embedding
        params = {"embedding": model, "weights": model_digest(model), "audio_start": media.audio.start}
        output = await self._stage("voices", {"speech": speech, "voices": heard}, params)
        self.voices = output.artefacts["voices-embeddings.json"]
        if self.request.voice_book is None:
            return {}
        found = await self._stage("identify", {"embeddings": self.voices, "book": self.request.voice_book}, {})
        return _convert(found.facts["names"], dict[str, str])

    async def _report(self, media: MediaInfo, sound: Artefact, stems: Mapping[str, Artefact], spoken: _Spoken) -> None:
        params: dict[str, JsonValue] = {"audio_start": media.audio.start}
        said = {name: spoken[name] for name in ("transcript", "voices") if name in spoken}
        output = await self._stage("report", {"sound": sound, **stems, **said}, params)
        self.artefacts.append(output.artefacts["report.png"])

    async def _first(self, stage: str, inputs: Mapping[str, Artefact], ways: Sequence[Way]) -> StageOutput:
        """The output of the first way that can be gone; what stopped those before it is told beside the rest."""
        *better, last = ways
        for way in better:
            output = await self._part(stage, partial(self._stage, stage, inputs, way.params))
            if output is not None:
                self.notes.append(way.reason)
                return output
        self.notes.append(last.reason)
        return await self._stage(stage, inputs, last.params)

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
            self.failures.append(failure if failure.stage else msgspec.structs.replace(failure, stage=name))
            return None


def _convert(value: object, kind: type[T] | Any) -> T:  # noqa: ANN401 - tuple[X, ...] is no type
    return msgspec.convert(value, type=kind)
