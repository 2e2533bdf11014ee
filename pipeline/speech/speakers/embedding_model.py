"""The voices of a clip's speakers: where each is heard alone, and what the embedding model makes of it."""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, Final, Protocol, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.audio import io as audio_io
from pipeline.errors import DiarizationError
from pipeline.graph.stage import StageContext, StageMetadata
from pipeline.models.loader import Models, model_digest
from pipeline.speech.compat.torchaudio import install
from pipeline.speech.diarization.segments import Timeline, by_speaker
from pipeline.speech.speakers.matching import Voice, VoiceBook, mean_voice
from pipeline.types import Diarization, ModelUse, SpeakerSegment

SAMPLE_RATE: Final = 16_000
MIN_SPAN_SECONDS: Final = 1.0
"""Seconds; a shorter stretch says too little about whose it is."""
MAX_SPAN_SECONDS: Final = 8.0
"""Seconds heard at a time."""
MAX_SPEAKER_SECONDS: Final = 48.0
"""Seconds heard of each speaker, of the longest stretches; more changes the vector no more."""
EDGE_SECONDS: Final = 0.1
"""Seconds at both ends of a stretch that may hold somebody else's breath."""


class SpeakerEncoder(Protocol):
    """Turns at least 0.2 s of mono sound at 16 kHz, shape (frames,), into a vector."""

    def __call__(self, samples: NDArray[np.float32], /) -> NDArray[np.float32]:
        """The vector, of any length."""
        ...


def voices_stage(work: StageContext) -> StageMetadata:
    """Write `voices-embeddings.json` from `speech` and `voices`: a vector for each speaker heard long enough.

    The voices' times are on the clip's clock, `params["audio_start"]` seconds before the sound's.
    """
    name = str(work.params["embedding"])
    heard = msgspec.json.decode(work.inputs["voices"].read_bytes(), type=Diarization)
    offset = float(cast("float", work.params.get("audio_start", 0.0)))
    work.report(0.0, "Listening to each voice")
    encode = load_speaker_encoder(work.models, name)
    found: list[Voice] = []
    for index, speaker in enumerate(heard.speakers):
        voice = embed_speaker(work.inputs["speech"], heard.segments, speaker, encode, offset=offset)
        found += [] if voice is None else [voice]
        work.report((index + 1) / len(heard.speakers), "Listening to each voice")
    book = VoiceBook(model=name, digest=model_digest(name), voices=tuple(found))
    (work.out / "voices-embeddings.json").write_bytes(msgspec.json.encode(book))
    entry = work.models.entry(name)
    use = ModelUse(stage="voices", engine=entry.engine, model=name, licence=entry.licence, digest=model_digest(name))
    return {"voices": len(found), "models": [msgspec.to_builtins(use)]}


def embed_speaker(
    path: Path, segments: Sequence[SpeakerSegment], speaker: str, encode: SpeakerEncoder, *, offset: float = 0.0
) -> Voice | None:
    """The voice of a speaker from what is heard of them alone; None where that is too little."""
    rate = audio_io.info(path).sample_rate
    if rate != SAMPLE_RATE:
        raise DiarizationError("Sound for the voice models must have 16 kHz.", detail=str(path))
    vectors: list[NDArray[np.float32]] = []
    lengths: list[float] = []
    for start, end in select_spans(alone(segments, speaker)):
        first = max(0, round((start - offset) * rate))
        samples = audio_io.read(path, start=first, frames=round((end - start) * rate))
        if len(samples) < MIN_SPAN_SECONDS * rate / 2:
            continue
        vectors.append(encode(np.ascontiguousarray(audio_io.to_mono(samples)[:, 0], np.float32)))
        lengths.append(len(samples) / rate)
    return mean_voice(speaker, vectors, lengths)


def alone(segments: Sequence[SpeakerSegment], speaker: str) -> list[tuple[float, float]]:
    """Seconds from, to in which the speaker and nobody else is heard."""
    timelines = by_speaker(segments)
    others = [timeline for name, timeline in timelines.items() if name != speaker]
    own = timelines.get(speaker, Timeline(()))
    return [span for segment in own.segments for span in _without(segment.start, segment.end, others)]


def _without(start: float, end: float, others: Iterable[Timeline]) -> list[tuple[float, float]]:
    cuts = sorted((part.start, part.end) for timeline in others for part in timeline.overlapping(start, end))
    spans: list[tuple[float, float]] = []
    for first, past in [*cuts, (end, end)]:
        if first > start:
            spans.append((start, first))
        start = max(start, past)
    return spans


def select_spans(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The longest spans, up to `MOST` seconds, without their edges and in parts of at most `LONGEST` seconds."""
    inner = [
        (start + EDGE_SECONDS, end - EDGE_SECONDS)
        for start, end in spans
        if end - start - 2 * EDGE_SECONDS >= MIN_SPAN_SECONDS
    ]
    chosen: list[tuple[float, float]] = []
    left = MAX_SPEAKER_SECONDS
    for start, past in sorted(inner, key=lambda span: span[0] - span[1]):
        end = min(past, start + left)
        if end - start < MIN_SPAN_SECONDS:
            break
        parts = ceil((end - start) / MAX_SPAN_SECONDS)
        step = (end - start) / parts
        chosen += [(start + index * step, start + (index + 1) * step) for index in range(parts)]
        left -= end - start
    return chosen


def load_speaker_encoder(models: Models, name: str) -> SpeakerEncoder:
    """The embedding model, built on first use and kept warm; raises `DiarizationError` or `ModelError`."""
    if models.entry(name).engine != "campplus":
        raise DiarizationError(
            f"Voices cannot be compared with {name}.", hint="Choose a model that `stemcord models list` names for this."
        )
    files = models.files(name)
    return models.loaded(f"voice encoder {name}", lambda: _build(files, models.device))


def _build(files: Mapping[str, Path], device: str) -> SpeakerEncoder:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    install()
    with warnings.catch_warnings():
        # pyannote.audio warns about a decoder that is not needed here.
        warnings.simplefilter("ignore")
        from pipeline.speech.speakers.campplus import CAMPPlusEmbedding

        network = CAMPPlusEmbedding(network=files["network"], checkpoint=files["checkpoint"])
    import torch

    model = cast("Any", network).eval().to(device)

    def encode(samples: NDArray[np.float32], /) -> NDArray[np.float32]:
        with cast("Any", torch).inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            vector = model(cast("Any", torch).from_numpy(samples)[None, None].to(device))
        return np.asarray(vector[0].cpu().numpy(), np.float32)

    return encode
