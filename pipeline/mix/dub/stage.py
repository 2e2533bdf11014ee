"""The dub stage: a replacement voice, whole or as a zip of clips, as one voice track for the mix."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from pipeline.audio import io as audio_io
from pipeline.audio.channels import Layout
from pipeline.audio.intervals import Interval, overlap, subtract
from pipeline.audio.true_peak import highest_sample
from pipeline.errors import LimitError, MediaError
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.media.containers.sound_tracks import describe_choice
from pipeline.media.probe import probe
from pipeline.media.sound.extract import convert
from pipeline.media.sound.loudness_meter import measure
from pipeline.mix.contracts import DubInputs, DubOutput, DubParams
from pipeline.mix.dub.edges import LineCut, split_track
from pipeline.mix.dub.line_fitting import DubClip, LineFit, LineFitter, is_clipped
from pipeline.mix.dub.manifest import unpack
from pipeline.mix.dub.plan import DubPlan, plan_dub, turn_slots
from pipeline.mix.dub.render import (
    MAX_TURN_EXTENSION_SECONDS,
    VOCALS_FADE_SECONDS,
    muting_envelope,
    render,
    replaced_intervals,
)
from pipeline.mix.dub.report import describe_worst, write_report
from pipeline.mix.speech_activity import find_speech
from pipeline.types import Transcript

MAX_EXCESS_SECONDS = 60.0
"""Seconds by which a piece may be longer than the clip; of a whole track no more is decoded."""
_MAX_LINES_SECONDS = 600.0
"""Seconds that all files of a zip may last together, beside ..."""
_MAX_LINES_LENGTHS = 20
"""... so many times the clip: a track for each speaker."""
_LENGTH_TOLERANCE_SECONDS = 0.1
"""Seconds by which a whole track may differ from the clip without a word."""


@dataclass(slots=True, kw_only=True)
class _Dub:
    """What the steps of one dub share."""

    params: DubParams
    vocals: Path
    clip_info: audio_io.SoundInfo
    layout: Layout
    folder: Path
    transcript: Transcript | None
    report: ProgressCallback
    notes: list[str] = field(default_factory=list[str])
    seconds: float = 0.0
    """What all files of it last."""
    fits: list[LineFit] = field(default_factory=list[LineFit])
    placed: list[DubClip] = field(default_factory=list[DubClip])


def dub_stage(context: StageContext, inputs: DubInputs[Path], params: DubParams) -> DubOutput[Path]:
    """Write `dub.flac`, the voice track; for a zip of clips `dub-report.json` and `dub-report.txt` too.

    The track has the sample rate, channels and length of the vocals.

    Raises:
        ValidationError: The zip, its manifest or its names cannot be understood.
        LimitError: The zip or one of its files is too large.
        MediaError: A sound of the dub cannot be read.
        MixError: The dub needs turns and there is no transcript.
    """
    reports: tuple[Path, ...] = ()
    target = context.out / "dub.flac"
    with tempfile.TemporaryDirectory(prefix="dub-") as folder:
        dub = _Dub(
            params=params,
            vocals=inputs.vocals,
            clip_info=audio_io.info(inputs.vocals),
            layout=audio_io.read_layout(inputs.vocals),
            folder=Path(folder),
            transcript=_read_transcript(inputs.transcript),
            report=context.report,
        )
        parts = _place_files(inputs.dub, dub) if params.zipped else _place_whole(inputs.dub, dub)
        _write(parts, dub, target)
        if dub.fits:
            reports = write_report(dub.fits, dub.notes, params.stretch, context.out)
            dub.notes.append(describe_worst(dub.fits))
    context.report(1.0)
    return DubOutput(track=target, reports=reports, lines=len(dub.placed), notes=tuple(dub.notes))


def _place_whole(source: Path, dub: _Dub) -> list[Interval] | None:
    """Place a whole track from the first sample on; return where the vocals are muted, None for everywhere."""
    track = dub.folder / "whole.flac"
    given = _convert(source, "The dub", track, dub)
    info = audio_io.info(track)
    length = max(info.duration, given) if given > _longest(dub) else info.duration
    _note_flaws(track, length - dub.clip_info.duration, dub)
    dub.placed.append(DubClip(path=track, start=0, frames=info.frames))
    if not dub.params.keep_vocals:
        return None
    if dub.transcript is None:
        dub.notes.append("There is no transcript, so none of the original vocals were kept beside the dub.")
        return None
    slots = turn_slots(dub.transcript)
    return _replaced_with_speech([(slot.start, slot.end or slot.start) for slot in slots], [], dub)


def _note_flaws(track: Path, excess: float, dub: _Dub) -> None:
    if excess < -_LENGTH_TOLERANCE_SECONDS:
        dub.notes.append(f"The dub is {-excess:.1f} s shorter than the clip; the rest has no voice.")
    elif excess > _LENGTH_TOLERANCE_SECONDS:
        dub.notes.append(f"The dub is {excess:.1f} s longer than the clip and was cut.")
    loudness = measure(track)
    if loudness.peak is None or loudness.peak < -60:
        dub.notes.append("The dub is silent.")
    elif any(is_clipped(block) for block in audio_io.read_blocks(track)):
        dub.notes.append("The dub is clipped in its file; that cannot be mended here.")


def _place_files(bundle: Path, dub: _Dub) -> list[Interval] | None:
    files = unpack(bundle, dub.folder, max_size=dub.params.max_size)
    found = plan_dub(files, dub.transcript)
    jobs = list[tuple[str, Path, LineCut]]()
    total = len(found.lines) + len(found.tracks)
    for number, (file, slot) in enumerate(found.lines):
        dub.report(0.4 * number / total, "Reading the dub")
        jobs.append((file.name, _convert_file(file.path, file.name, dub), LineCut(slot=slot)))
    for number, (file, slots) in enumerate(found.tracks, start=len(found.lines)):
        dub.report(0.4 * number / total, "Reading the dub")
        track = _convert_file(file.path, file.name, dub)
        cuts, notes = split_track(file.name, track, slots, dub.clip_info.duration)
        dub.notes += notes
        jobs += [(file.name, track, cut) for cut in cuts]
    fitter = LineFitter(vocals=dub.vocals, layout=dub.layout, folder=dub.folder, stretch=dub.params.stretch)
    for number, (name, track, cut) in enumerate(jobs):
        dub.report(0.4 + 0.4 * number / len(jobs), "Fitting the lines")
        fit, placed = fitter.fit(name, track, cut, number)
        dub.fits.append(fit)
        dub.placed += [] if placed is None else [placed]
    _note_overruns(dub)
    return _muted_intervals(found, dub)


def _muted_intervals(found: DubPlan, dub: _Dub) -> list[Interval]:
    """Return where the original vocals are muted, in seconds."""
    kept = [(slot.start, slot.end or slot.start) for slot in found.kept]
    if not dub.params.keep_vocals:
        return subtract([(0.0, dub.clip_info.duration)], kept)
    turns = [(fit.slot.start, fit.slot.end) for fit in dub.fits if fit.slot.end is not None]
    between = [(fit.slot.start, fit.end) for fit in dub.fits if fit.slot.end is None]
    for fit in dub.fits:
        end = fit.slot.end
        shared = 0.0 if end is None else sum(max(0.0, overlap((fit.slot.start, end), other)) for other in kept)
        if shared > _LENGTH_TOLERANCE_SECONDS:
            fit.notes.append(f"the original is heard for {shared:.1f} s, where a speaker without a dub speaks too")
    return [*_replaced_with_speech(turns, kept, dub), *between]


def _replaced_with_speech(turns: Sequence[Interval], kept: Sequence[Interval], dub: _Dub) -> list[Interval]:
    rate = dub.clip_info.sample_rate
    speech = find_speech(dub.vocals, measure(dub.vocals).integrated)
    speech_seconds = [(start / rate, end / rate) for start, end in speech]
    return replaced_intervals(turns, kept, speech_seconds, MAX_TURN_EXTENSION_SECONDS)


def _note_overruns(dub: _Dub) -> None:
    """Note which lines go on into the next line of their speaker or past the end of the clip."""
    following = sorted((fit for fit in dub.fits if fit.start is not None), key=lambda fit: fit.slot.start)
    for index, fit in enumerate(following):
        after = next((other for other in following[index + 1 :] if other.slot.speaker == fit.slot.speaker), None)
        into = 0.0 if after is None or after.start is None else fit.end - after.start
        if into > 0.01:
            fit.notes.append(f"goes on {into:.2f} s into the next line of {fit.slot.speaker or 'the dub'}")
        beyond = fit.end - dub.clip_info.duration
        if beyond > 0.01:
            fit.notes.append(f"is cut: it goes on {beyond:.2f} s after the end of the clip")
            dub.notes.append(f"{fit.file} goes on {beyond:.2f} s after the end of the clip and is cut there.")


def _write(parts: list[Interval] | None, dub: _Dub, target: Path) -> None:
    rate = dub.clip_info.sample_rate
    vocals = None
    if parts is not None:
        vocals = (
            dub.vocals,
            muting_envelope([(start * rate, end * rate) for start, end in parts], VOCALS_FADE_SECONDS * rate),
        )
    dub.report(0.8, "Writing the dub")
    peak = max((highest_sample(block) for block in render(dub.placed, vocals, dub.clip_info)), default=0.0)
    if peak > 1.0:
        dub.notes.append("The dub was turned down a little as a whole, so that lines that overlap are not clipped.")
    written = 0
    with audio_io.SoundWriter(target, sample_rate=rate, channels=dub.clip_info.channels, layout=dub.layout) as writer:
        for block in render(dub.placed, vocals, dub.clip_info, 1.0 / max(1.0, peak)):
            dub.report(0.85 + 0.15 * written / max(1, dub.clip_info.frames), "Writing the dub")
            writer.write(block)
            written += len(block)


def _convert_file(path: Path, name: str, dub: _Dub) -> Path:
    target = path.with_suffix(".flac")
    _convert(path, name, target, dub)
    path.unlink()
    return target


def _longest(dub: _Dub) -> float:
    return dub.clip_info.duration + MAX_EXCESS_SECONDS


def _convert(source: Path, name: str, target: Path, dub: _Dub) -> float:
    """Convert a file of the dub to the rate and channels of the clip, and return the seconds that it has.

    What goes on long after the clip is not decoded.
    """
    try:
        clip = probe(source)
        longest = _longest(dub)
        if told := describe_choice(clip.media.track, clip.media.tracks, choosable=False):
            dub.notes.append(f"{name}: {told}")
        if dub.params.zipped and clip.media.duration > longest:
            raise LimitError(f"{name} lasts longer than the clip.", hint="Send a shorter file.")
        dub.seconds += clip.media.duration
        if dub.params.zipped and dub.seconds > _MAX_LINES_SECONDS + _MAX_LINES_LENGTHS * dub.clip_info.duration:
            raise LimitError("The files of the dub last much longer than the clip.", hint="Send shorter files.")
        convert(
            source,
            clip,
            target,
            sample_rate=dub.clip_info.sample_rate,
            channels=dub.clip_info.channels,
            layout=dub.layout,
            end=longest if clip.media.duration > longest else None,
        )
    except MediaError as error:
        raise MediaError(
            f"{name} is no sound file that can be read.",
            hint="Send the dub as wav, mp3 or m4a, or as a zip of such files.",
            detail=f"{error.message} {error.detail}",
        ) from error
    return clip.media.duration


def _read_transcript(path: Path | None) -> Transcript | None:
    return None if path is None else msgspec.json.decode(path.read_bytes(), type=Transcript)
