"""The mix stage: the parts balanced, or the vocals replaced by a dub."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import msgspec

from pipeline.audio import io as sound
from pipeline.graph.stage import StageContext, StageMetadata
from pipeline.media.aac.encoder import LOSSY, coding, written_layout
from pipeline.media.loudness_meter import measure
from pipeline.mix.gain_envelope import Curve
from pipeline.mix.gains import KINDS, Part, check_alike, mixed, split_background
from pipeline.mix.loudness_stage import Goal, set_goal
from pipeline.mix.mastering import Master
from pipeline.mix.params import MixParams
from pipeline.mix.speech_activity import duck, find_speech, follow_speakers, turns_of
from pipeline.types import JsonValue, Loudness, SoundFormat, Transcript

_HALF_STEP = 0.05
"""dB by which the meter may have rounded the clip's peak down."""


@dataclass(slots=True)
class _Mix:
    """What the steps of one mix share."""

    params: MixParams
    like: sound.SoundInfo
    transcript: Transcript | None = None
    notes: list[str] = field(default_factory=list[str])
    loudness: dict[str, Loudness] = field(default_factory=dict[str, Loudness])


def mix_stage(work: StageContext) -> StageMetadata:
    """Write `final.m4a`, and the mix in each further format that is asked for.

    Facts: `loudness` of the final mix and of a dub, and `notes`.
    """
    original = work.inputs["sound"]
    mix = _Mix(msgspec.convert(dict(work.params), MixParams), sound.info(original))
    if "transcript" in work.inputs:
        mix.transcript = msgspec.json.decode(work.inputs["transcript"].read_bytes(), type=Transcript)
    parts = _choose_parts(work, mix)
    _write(parts, original, work, mix)
    work.report(1.0)
    return {"loudness": cast("JsonValue", msgspec.to_builtins(mix.loudness)), "notes": [*mix.notes]}


def _choose_parts(work: StageContext, mix: _Mix) -> list[Part]:
    """The parts with their gains; the original alone when the sound was not taken apart."""
    if "vocals" not in work.inputs or "background" not in work.inputs:
        mix.notes.append("The sound was not taken apart, so the final mix is the original sound.")
        if mix.params.dub:
            mix.notes.append("The dub was not used: the original voices cannot be taken out on this route.")
        return [Part(path=work.inputs["sound"], gain=1.0)]
    voice = _choose_voice(work, mix)
    for name in KINDS:
        if name in mix.params.own and name not in work.inputs:
            mix.notes.append(f"There is no {name} stem, so its gain was not used.")
    parts = [voice, *split_background(work.inputs, mix.params.background, mix.params.own, _ducking(work, voice, mix))]
    check_alike(parts, mix.like)
    return parts


def _choose_voice(work: StageContext, mix: _Mix) -> Part:
    voice = work.inputs["vocals"]
    if mix.params.dub:
        voice = work.inputs["dub"]
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


def _ducking(work: StageContext, voice: Part, mix: _Mix) -> tuple[Curve, ...]:
    """The gain of everything behind the voice: by the turns where they are known, or else by the vocals' level."""
    ducking = mix.params.ducking
    if ducking is None:
        return ()
    if mix.params.dub:
        speech = find_speech(voice.path, mix.loudness["dub"].integrated)
    elif mix.transcript is not None:
        speech = turns_of(mix.transcript, mix.like.sample_rate, mix.params.audio_start)
    else:
        speech = find_speech(work.inputs["vocals"], mix.params.vocals.integrated)
    if not speech:
        mix.notes.append("No speech was found, so the background was not turned down.")
        return ()
    return (duck(speech, ducking, mix.like.sample_rate),)


def _write(parts: list[Part], original: Path, work: StageContext, mix: _Mix) -> None:
    layout, forms = sound.layout(original), mix.params.formats
    folded = [form for form in forms if written_layout(form, layout) != layout]
    mix.notes += [f"final.{form} is stereo, since the format does not hold {layout.name}." for form in folded]
    master = Master(
        premix=partial(mixed, parts, mix.like),
        like=mix.like,
        layout=layout,
        target=work.out / "final.m4a",
        coding=coding(SoundFormat.M4A, layout),
        report=work.report,
        others={work.out / f"final.{form}": coding(form, layout) for form in forms},
        to_check={work.out / f"final.{form}": written_layout(form, layout) for form in forms if form in LOSSY},
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
