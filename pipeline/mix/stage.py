"""The mix stage: the stems with their gains, or a dub in place of the vocals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from pipeline.audio import io as audio_io
from pipeline.graph.stage import ProgressCallback, StageContext
from pipeline.media.sound.encoding import LOSSY_FORMATS, encoder_arguments, written_layout
from pipeline.media.sound.loudness_meter import measure
from pipeline.mix.contracts import MixInputs, MixOutput, MixParams
from pipeline.mix.gain_envelope import GainEnvelope
from pipeline.mix.gains import BACKGROUND_STEMS, Track, background_tracks, check_same_format, mix_blocks
from pipeline.mix.loudness_stage import LoudnessGoal, loudness_goal
from pipeline.mix.mastering import Master
from pipeline.mix.speech_activity import ducking_envelope, find_speech, speaker_envelope, turn_intervals
from pipeline.types import Loudness, SoundFormat, Transcript

_METER_ROUNDING_DB = 0.05
"""dB by which the meter may have rounded the clip's peak down."""


@dataclass(slots=True)
class _Mix:
    """What the steps of one mix share."""

    inputs: MixInputs[Path]
    params: MixParams
    clip_info: audio_io.SoundInfo
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
        clip_info=audio_io.info(inputs.sound),
        transcript=None if transcript is None else msgspec.json.decode(transcript.read_bytes(), type=Transcript),
    )
    others = {form: context.out / f"final.{form}" for form in params.formats}
    target = context.out / "final.m4a"
    _write(_choose_tracks(mix), mix, target, others, context.report)
    context.report(1.0)
    return MixOutput(mix=target, others=tuple(others.values()), loudness=mix.loudness, notes=tuple(mix.notes))


def _choose_tracks(mix: _Mix) -> list[Track]:
    """Choose the tracks with their gains; the original alone when the sound was not taken apart."""
    stems = mix.inputs.stems
    if stems.vocals is None or stems.background is None:
        mix.notes.append("The sound was not taken apart, so the final mix is the original sound.")
        if mix.params.dub:
            mix.notes.append("The dub was not used: the original voices cannot be taken out on this route.")
        return [Track(path=mix.inputs.sound, gain=1.0)]
    voice = _choose_voice(mix, stems.vocals)
    made = dict(stems)
    for name in BACKGROUND_STEMS:
        if name in mix.params.stem_gains and name not in made:
            mix.notes.append(f"There is no {name} stem, so its gain was not used.")
    ducking = _ducking(mix, stems.vocals)
    tracks = [voice, *background_tracks(stems.background, made, mix.params.background, mix.params.stem_gains, ducking)]
    check_same_format(tracks, mix.clip_info)
    return tracks


def _choose_voice(mix: _Mix, vocals: Path) -> Track:
    voice = vocals
    if mix.inputs.dub is not None:
        voice = mix.inputs.dub
        mix.loudness["dub"] = measure(voice)
    if not mix.params.speaker_gains:
        return Track(path=voice, gain=mix.params.voice)
    if mix.transcript is None:
        mix.notes.append("There is no transcript, so the gains of the speakers were not used.")
        return Track(path=voice, gain=mix.params.voice)
    curve, unknown = speaker_envelope(
        mix.transcript, mix.params.speaker_gains, mix.params.voice, mix.clip_info.sample_rate
    )
    if unknown:
        there = ", ".join(speaker.name for speaker in mix.transcript.speakers) or "nobody"
        mix.notes.append(f"There is no speaker {', '.join(unknown)} in this clip, only {there}.")
    return Track(path=voice, gain=1.0, envelopes=(curve,))


def _ducking(mix: _Mix, vocals: Path) -> tuple[GainEnvelope, ...]:
    """Build the gain of the background: by the turns where they are known, or else by the voice's level."""
    ducking = mix.params.ducking
    if ducking is None:
        return ()
    if mix.inputs.dub is not None:
        loudness = mix.loudness["dub"].integrated
        speech = find_speech(mix.inputs.dub, loudness, whole=loudness)
    elif mix.transcript is not None:
        speech = turn_intervals(mix.transcript, mix.clip_info.sample_rate)
    else:
        speech = find_speech(vocals, mix.params.vocals.integrated, whole=mix.params.original.integrated)
    if not speech:
        mix.notes.append("No speech was found, so the background was not turned down.")
        return ()
    return (ducking_envelope(speech, ducking, mix.clip_info.sample_rate),)


def _write(
    tracks: list[Track], mix: _Mix, target: Path, others: Mapping[SoundFormat, Path], report: ProgressCallback
) -> None:
    layout = audio_io.read_layout(mix.inputs.sound)
    for form in others:
        if written_layout(form, layout) != layout:
            mix.notes.append(f"final.{form} is stereo, since the format does not hold {layout.name}.")
    master = Master(
        premix=partial(mix_blocks, tracks, mix.clip_info),
        clip_info=mix.clip_info,
        layout=layout,
        target=target,
        encoding=encoder_arguments(SoundFormat.M4A, layout),
        report=report,
        further_outputs={path: encoder_arguments(form, layout) for form, path in others.items()},
        lossy_outputs={path: written_layout(form, layout) for form, path in others.items() if form in LOSSY_FORMATS},
    )
    goal = loudness_goal(mix.params.loudness, mix.params.original)
    if isinstance(goal, LoudnessGoal):
        master.write_to_goal(goal)
    else:
        master.notes += [goal] if goal else []
        master.write_below_ceiling(_clip_peak(mix.params.original))
    mix.loudness["final"] = master.loudness
    mix.notes += master.notes


def _clip_peak(original: Loudness) -> float:
    return 0.0 if original.peak is None else 10 ** ((original.peak + _METER_ROUNDING_DB) / 20)
