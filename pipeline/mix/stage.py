"""The mix stage: the parts balanced, or the vocals replaced by a dub, as sound and as video."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import msgspec
import numpy as np

from pipeline import media, sound
from pipeline.errors import FFmpegError, MediaError
from pipeline.mix.balance import Part, add, check_alike, overall_gain, read_aligned
from pipeline.mix.loudness import Meter, decibels
from pipeline.stages import Facts, Report, Work
from pipeline.types import JsonValue, Loudness

_LOG = logging.getLogger(__name__)


class _Params(msgspec.Struct, frozen=True, kw_only=True):
    voice: float
    background: float
    video: bool
    dub: bool
    audio_start: float


@dataclass(slots=True)
class _Mix:
    """What the steps of one mix share."""

    params: _Params
    like: sound.SoundInfo
    folder: Path
    notes: list[str] = field(default_factory=list[str])
    loudness: dict[str, Loudness] = field(default_factory=dict[str, Loudness])


def mix_stage(work: Work) -> Facts:
    """Write `final.m4a` and, for a clip with a picture that an mp4 can hold, `final.mp4`.

    Facts: `loudness` of the original, the final mix and the parts before their gains, and `notes`.
    """
    original = work.inputs["sound"]
    like = sound.info(original)
    with tempfile.TemporaryDirectory(prefix="mix-") as folder:
        mix = _Mix(msgspec.convert(dict(work.params), _Params), like, Path(folder))
        parts = _choose_parts(work, mix)
        final = mix.folder / "final.flac" if parts else original
        gain = _measure(original, parts, mix, _share(work.report, 0.0, 0.3))
        if parts:
            _write(parts, gain, final, mix, _share(work.report, 0.3, 0.5))
        media.encode_aac(final, work.out / "final.m4a", duration=like.duration, report=_share(work.report, 0.5, 0.9))
    if mix.params.video:
        _join_picture(work, mix, _share(work.report, 0.9, 1.0))
    work.report(1.0)
    return {"loudness": cast("JsonValue", msgspec.to_builtins(mix.loudness)), "notes": [*mix.notes]}


def _choose_parts(work: Work, mix: _Mix) -> dict[str, Part]:
    """The parts by name; none when the sound was not taken apart and is passed on as it is."""
    if "vocals" not in work.inputs or "background" not in work.inputs:
        mix.notes.append("The sound was not taken apart, so the final mix is the original sound.")
        if mix.params.dub:
            mix.notes.append("The dub was not used: the original voices cannot be taken out on this route.")
        return {}
    parts = {
        "vocals": Part(path=work.inputs["vocals"], gain=mix.params.voice),
        "background": Part(path=work.inputs["background"], gain=mix.params.background),
    }
    if mix.params.dub:
        dub = mix.folder / "dub.flac"
        _prepare_dub(work.inputs["dub"], dub, mix, _share(work.report, 0.0, 0.1))
        parts["dub"] = replace(parts["vocals"], path=dub)
        parts["vocals"] = replace(parts["vocals"], gain=0.0)
    check_alike(list(parts.values()), mix.like)
    return parts


def _prepare_dub(source: Path, target: Path, mix: _Mix, report: Report) -> None:
    """The dub at the rate and channels of the clip; the mix pads or cuts it."""
    try:
        clip = media.probe(source)
        media.convert(source, clip, target, sample_rate=mix.like.sample_rate, channels=mix.like.channels, report=report)
    except MediaError as error:
        raise MediaError(
            "The dub is no sound file that can be read.",
            mend="Send the dub as wav, mp3 or m4a.",
            detail=f"{error.message} {error.detail}",
        ) from error
    missing = mix.like.duration - sound.info(target).duration
    if missing > 0.1:
        mix.notes.append(f"The dub is {missing:.1f} s shorter than the clip; the rest has no voice.")
    elif missing < -0.1:
        mix.notes.append(f"The dub is {-missing:.1f} s longer than the clip and was cut.")


def _measure(original: Path, parts: dict[str, Part], mix: _Mix, report: Report) -> float:
    """Measure the clip and its parts in one pass; gives the gain of the whole mix."""
    meters = {name: Meter(mix.like.sample_rate, mix.like.channels) for name in ("original", *parts)}
    clip_peak = mix_peak = 0.0
    done = 0
    for blocks in read_aligned([original, *(part.path for part in parts.values())], mix.like):
        report(done / mix.like.frames, "Measuring")
        for meter, block in zip(meters.values(), blocks, strict=True):
            meter.add(block)
        clip_peak = max(clip_peak, _peak(blocks[0]))
        if parts:
            mix_peak = max(mix_peak, _peak(add(blocks[1:], list(parts.values()))))
        done += len(blocks[0])
    mix.loudness.update({name: meter.read() for name, meter in meters.items()})
    gain = overall_gain(mix_peak, clip_peak)
    if gain < 1:
        mix.notes.append(
            f"The whole mix was turned down by {-(decibels(gain) or 0.0):.1f} dB so that it is not clipped."
        )
    if not parts:
        mix.loudness["final"] = mix.loudness["original"]
    return gain


def _write(parts: dict[str, Part], gain: float, target: Path, mix: _Mix, report: Report) -> None:
    heard = [part for part in parts.values() if part.gain] or [parts["background"]]
    scaled = [replace(part, gain=part.gain * gain) for part in heard]
    meter = Meter(mix.like.sample_rate, mix.like.channels)
    with sound.SoundWriter(target, sample_rate=mix.like.sample_rate, channels=mix.like.channels) as writer:
        for block in _mixed(scaled, mix.like):
            report(writer.frames / mix.like.frames, "Mixing")
            meter.add(block)
            writer.write(block)
    mix.loudness["final"] = meter.read()


def _mixed(parts: Sequence[Part], like: sound.SoundInfo) -> sound.Blocks:
    for blocks in read_aligned([part.path for part in parts], like):
        yield add(blocks, parts)


def _join_picture(work: Work, mix: _Mix, report: Report) -> None:
    """Write `final.mp4`; a picture that cannot be kept leaves a note, since the sound is there all the same."""
    source = work.inputs["source"]
    target = work.out / "final.mp4"
    try:
        clip = media.probe(source)
        media.mux(source, clip, work.out / "final.m4a", target, audio_start=mix.params.audio_start, report=report)
    except (FFmpegError, MediaError) as error:
        _LOG.warning("no final.mp4: %s %s", error.message, error.detail)
        target.unlink(missing_ok=True)
        mix.notes.append(f"There is no final.mp4: {error.message}")


def _peak(block: sound.Samples) -> float:
    return float(np.abs(block).max()) if len(block) else 0.0


def _share(report: Report, start: float, end: float) -> Report:
    """A report whose 0 to 1 is the stretch from `start` to `end` of another."""

    def tell(fraction: float, message: str = "") -> None:
        report(start + (end - start) * fraction, message)

    return tell
