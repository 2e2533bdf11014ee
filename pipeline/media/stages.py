"""The stages that deal with the clip itself: probe, extract, listen."""

import logging
from typing import cast

import msgspec

from pipeline.audio import io as sound
from pipeline.audio.levels import measure_levels
from pipeline.catalog import MAX_DURATION, MAX_SIZE
from pipeline.errors import FFmpegError, MediaError
from pipeline.graph.stage import StageContext, StageMetadata
from pipeline.media.channel_folding import find_passage
from pipeline.media.extract import extract_master, extract_mono
from pipeline.media.mux import container_for, mux
from pipeline.media.probe import check_duration, check_size, probe
from pipeline.media.speech_downmix import Hearing, choose_hearing
from pipeline.types import JsonValue

_LOG = logging.getLogger(__name__)
SPEECH_RATE = 16_000
"""Hz, what speech models hear."""


def probe_stage(work: StageContext) -> StageMetadata:
    """Refuse what cannot be worked on and describe the rest; facts are a `MediaInfo` and `notes`."""
    source = work.inputs["source"]
    check_size(source, _number(work.params.get("max_size", MAX_SIZE)))
    clip = probe(source, work.report)
    check_duration(clip.media.duration, _number(work.params.get("max_duration", MAX_DURATION)))
    work.report(1.0)
    return {**cast("StageMetadata", msgspec.to_builtins(clip.media)), "notes": [*clip.notes]}


def extract_stage(work: StageContext) -> StageMetadata:
    """The sound of the clip as `master.flac`, or as `audio.wav` when `mono` is asked."""
    source = work.inputs["source"]
    clip = probe(source)
    if work.params["mono"]:
        target = work.out / "audio.wav"
        extract_mono(source, clip, target, work.report)
    else:
        target = work.out / "master.flac"
        extract_master(source, clip, target, work.report)
    made = sound.info(target)
    if not made.frames:
        target.unlink()
        raise MediaError("The clip holds no sound that can be read.", hint="Send the file again.")
    note = "" if work.params["mono"] else find_passage(clip.media.audio.layout, clip.speakers).note
    notes: list[JsonValue] = [*clip.notes, *((note,) if note else ())]
    work.report(1.0)
    return {
        "sample_rate": made.sample_rate,
        "channels": made.channels,
        "layout": sound.layout(target).name,
        "duration": made.duration,
        "notes": notes,
    }


def listen_stage(work: StageContext) -> StageMetadata:
    """What speech models hear: `speech.flac`, 16 kHz, mono, 16 bit, as long as the sound.

    Facts: `duration`, and for more than two channels `notes` that say which were listened to.
    """
    source = work.inputs["sound"]
    of = sound.info(source)
    layout = sound.layout(source)
    heard = Hearing(weights=layout.dialogue_weights)
    if of.channels > 2:
        heard = choose_hearing(layout, measure_levels(source, lambda done: work.report(0.5 * done, "Listening")))
    begun = 0.5 if of.channels > 2 else 0.0
    read = 0

    def blocks() -> sound.Blocks:
        nonlocal read
        for block in sound.read_blocks(source):
            work.report(begun + (1 - begun) * read / max(1, of.frames), "Listening")
            read += len(block)
            yield sound.mix_to_mono(block, heard.weights)

    with sound.SoundWriter(work.out / "speech.flac", sample_rate=SPEECH_RATE, channels=1, subtype="PCM_16") as writer:
        for block in sound.resample_blocks(blocks(), of.sample_rate, SPEECH_RATE, channels=1):
            writer.write(block)
    work.report(1.0)
    duration = writer.frames / SPEECH_RATE
    return {"duration": duration, "notes": [heard.note]} if heard.note else {"duration": duration}


def join_stage(work: StageContext) -> StageMetadata:
    """The final video: the picture of `source` with `sound`, an m4a, and on request with `subtitles`, an SRT.

    Writes `final.mp4` or `final.mkv`; a picture that cannot be kept leaves a note, since the sound is there all
    the same. Params: `audio_start`, seconds on the clip's clock, and `language` (ISO 639-2, "" where unknown).
    """
    clip = probe(work.inputs["source"])
    suffix = "mp4"
    try:
        suffix = container_for(clip)
        notes = mux(
            work.inputs["source"],
            clip,
            work.inputs["sound"],
            work.out / f"final.{suffix}",
            audio_start=_number(work.params["audio_start"]),
            language=str(work.params["language"]),
            subtitles=work.inputs.get("subtitles"),
            report=work.report,
        )
    except (FFmpegError, MediaError) as error:
        _LOG.warning("no final.%s: %s %s", suffix, error.message, error.detail)
        (work.out / f"final.{suffix}").unlink(missing_ok=True)
        notes = (f"There is no final video: {error.message}",)
    work.report(1.0)
    return {"notes": [*notes]}


def _number(value: JsonValue) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise TypeError(f"expected a number, not {value!r}")
