"""The mix stage: the parts balanced, or the vocals replaced by a dub."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from pipeline.audio import io as audio_io
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.media.aac.encoder import LOSSY, coding, written_layout
from pipeline.media.loudness_meter import measure
from pipeline.mix.contracts import MixInputs, MixOutput, MixParams
from pipeline.mix.gain_envelope import Curve
from pipeline.mix.gains import KINDS, Part, check_alike, mixed, split_background
from pipeline.mix.loudness_stage import Goal, set_goal
from pipeline.mix.mastering import Master
from pipeline.mix.speech_activity import duck, find_speech, follow_speakers, turns_of
from pipeline.types import Loudness, SoundFormat, Transcript

_HALF_STEP = 0.05
"""dB by which the meter may have rounded the clip's peak down."""


@dataclass(slots=True)
class _Mix:
    """What the steps of one mix share."""

    inputs: MixInputs[Path]
    params: MixParams
    like: audio_io.SoundInfo
    transcript: Transcript | None
    notes: list[str] = field(default_factory=list[str])
    loudness: dict[str, Loudness] = field(default_factory=dict[str, Loudness])


def mix_stage(context: StageContext, inputs: MixInputs[Path], params: MixParams) -> MixOutput[Path]:
    """Write `final.m4a`, and the mix in each further format that is asked for.

    Raises:
        MixError: The stems have other sample rates or channels than the sound.
        MediaError: A sound cannot be read.
        FFmpegError: A file cannot be encoded or written.
    """
    transcript = inputs.transcript
    mix = _Mix(
        inputs=inputs,
        params=params,
        like=audio_io.info(inputs.sound),
        transcript=None if transcript is None else msgspec.json.decode(transcript.read_bytes(), type=Transcript),
    )
    others = {form: context.out / f"final.{form}" for form in params.formats}
    target = context.out / "final.m4a"
    _write(_choose_parts(mix), mix, target, others, context.report)
    context.report(1.0)
    return MixOutput(mix=target, others=tuple(others.values()), loudness=mix.loudness, notes=tuple(mix.notes))


def _choose_parts(mix: _Mix) -> list[Part]:
    """The parts with their gains; the original alone when the sound was not taken apart."""
    stems = mix.inputs.stems
    if stems.vocals is None or stems.background is None:
        mix.notes.append("The sound was not taken apart, so the final mix is the original sound.")
        if mix.params.dub:
            mix.notes.append("The dub was not used: the original voices cannot be taken out on this route.")
        return [Part(path=mix.inputs.sound, gain=1.0)]
    voice = _choose_voice(mix, stems.vocals)
    made = dict(stems)
    for name in KINDS:
        if name in mix.params.own and name not in made:
            mix.notes.append(f"There is no {name} stem, so its gain was not used.")
    ducking = _ducking(mix, stems.vocals)
    parts = [voice, *split_background(stems.background, made, mix.params.background, mix.params.own, ducking)]
    check_alike(parts, mix.like)
    return parts


def _choose_voice(mix: _Mix, vocals: Path) -> Part:
    voice = vocals
    if mix.inputs.dub is not None:
        voice = mix.inputs.dub
        mix.loudness["dub"] = measure(voice)
    if not mix.params.speaker_gains:
        return Part(path=voice, gain=mix.params.voice)
    if mix.transcript is None:
        mix.notes.append("There is no transcript, so the gains of the speakers were not used.")
        return Part(path=voice, gain=mix.params.voice)
    curve, unknown = follow_speakers(
        mix.transcript, mix.params.speaker_gains, mix.params.voice, mix.like.sample_rate, mix.params.audio_start
    )
    if unknown:
        there = ", ".join(speaker.name for speaker in mix.transcript.speakers) or "nobody"
        mix.notes.append(f"There is no speaker {', '.join(unknown)} in this clip, only {there}.")
    return Part(path=voice, gain=1.0, curves=(curve,))


def _ducking(mix: _Mix, vocals: Path) -> tuple[Curve, ...]:
    """The gain of everything behind the voice: by the turns where they are known, or else by the voice's level."""
    ducking = mix.params.ducking
    if ducking is None:
        return ()
    if mix.inputs.dub is not None:
        speech = find_speech(mix.inputs.dub, mix.loudness["dub"].integrated)
    elif mix.transcript is not None:
        speech = turns_of(mix.transcript, mix.like.sample_rate, mix.params.audio_start)
    else:
        speech = find_speech(vocals, mix.params.vocals.integrated)
    if not speech:
        mix.notes.append("No speech was found, so the background was not turned down.")
        return ()
    return (duck(speech, ducking, mix.like.sample_rate),)


def _write(
    parts: list[Part], mix: _Mix, target: Path, others: Mapping[SoundFormat, Path], report: ProgressCallback
) -> None:
    layout = audio_io.layout(mix.inputs.sound)
    for form in others:
        if written_layout(form, layout) != layout:
            mix.notes.append(f"final.{form} is stereo, since the format does not hold {layout.name}.")
    master = Master(
        premix=partial(mixed, parts, mix.like),
        like=mix.like,
        layout=layout,
        target=target,
        coding=coding(SoundFormat.M4A, layout),
        report=report,
        others={path: coding(form, layout) for form, path in others.items()},
        to_check={path: written_layout(form, layout) for form, path in others.items() if form in LOSSY},
    )
    goal = set_goal(mix.params.loudness, mix.params.original)
    if isinstance(goal, Goal):
        master.write_to_goal(goal)
    else:
        master.notes += [goal] if goal else []
        master.write_as_it_comes(_clip_peak(mix.params.original))
    mix.loudness["final"] = master.loudness
    mix.notes += master.notes


def _clip_peak(original: Loudness) -> float:
    return 0.0 if original.peak is None else 10 ** ((original.peak + _HALF_STEP) / 20)
