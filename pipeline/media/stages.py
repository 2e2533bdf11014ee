"""The stages that deal with the clip itself: probe, extract, mix_down, prepare_speech, mux."""

import logging
from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.audio.levels import measure_levels
from pipeline.audio.polarity import INVERTED_NOTE
from pipeline.errors import FFmpegError, MediaError
from pipeline.graph.stage import NoParams, StageContext
from pipeline.media.containers.sound_tracks import describe_choice
from pipeline.media.containers.tags import read_chapters
from pipeline.media.contracts import (
    ExtractInputs,
    ExtractOutput,
    ExtractParams,
    MixDownInputs,
    MixDownOutput,
    MuxInputs,
    MuxOutput,
    MuxParams,
    PrepareSpeechInputs,
    PrepareSpeechOutput,
    ProbeInputs,
    ProbeOutput,
    ProbeParams,
)
from pipeline.media.mux import container_for, mux
from pipeline.media.probe import Probe, check_duration, check_size, probe, probe_any
from pipeline.media.sound.channel_folding import map_channels
from pipeline.media.sound.extract import extract_master
from pipeline.media.sound.mono import write_mono
from pipeline.media.sound.speech_downmix import ChannelSelection, select_channels

_LOG = logging.getLogger(__name__)
SPEECH_SAMPLE_RATE = 16_000
"""Hz, that of the speech models."""
BASIC_SAMPLE_RATE = 44_100
"""Hz, that of the basic route."""


def probe_stage(context: StageContext, inputs: ProbeInputs[Path], params: ProbeParams) -> ProbeOutput:
    """Refuse a clip that cannot be worked on and describe any other.

    Raises:
        MediaError: The file is no clip, is empty, or has no sound that can be decoded.
        LimitError: The clip is too large or too long.
        ValidationError: The sound track that was asked for does not exist or cannot be read.
    """
    check_size(inputs.source, params.max_size)
    read = probe if params.needs_sound else probe_any
    clip = read(inputs.source, context.report, track=params.track)
    check_duration(clip.media.duration, params.max_duration)
    context.report(1.0)
    told = describe_choice(clip.media.track, clip.media.tracks)
    return ProbeOutput(media=clip.media, notes=(*clip.notes, *((told,) if told else ())))


def extract_stage(context: StageContext, inputs: ExtractInputs[Path], params: ExtractParams) -> ExtractOutput[Path]:
    """Write the sound of the clip on the clip's clock, as `master.flac`.

    Raises:
        MediaError: Nothing of the sound can be decoded.
        FFmpegError: ffmpeg failed or took too long.
    """
    clip = probe(inputs.source, track=params.track)
    target = context.out / "master.flac"
    extracted = extract_master(inputs.source, clip, target, context.report)
    made = audio_io.info(target)
    if not made.frames:
        target.unlink()
        raise MediaError("The clip holds no sound that can be read.", hint="Send the file again.")
    note = map_channels(clip.media.audio.layout, clip.speakers).note
    context.report(1.0)
    return ExtractOutput(
        sound=target,
        sample_rate=made.sample_rate,
        channels=made.channels,
        layout=audio_io.read_layout(target).name,
        duration=made.duration,
        gain_db=extracted.gain_db,
        notes=(*clip.notes, *extracted.notes, *((note,) if note else ())),
    )


def mix_down_stage(context: StageContext, inputs: MixDownInputs[Path], params: NoParams) -> MixDownOutput[Path]:
    """Write the sound for the basic route, `audio.wav`: one channel, 44.1 kHz, 16 bit.

    Raises:
        MediaError: The sound cannot be read.
    """
    target = context.out / "audio.wav"
    weights = audio_io.read_layout(inputs.sound).dialogue_weights
    scale = 1 / max(1.0, sum(weights))
    made = write_mono(inputs.sound, target, [weight * scale for weight in weights], BASIC_SAMPLE_RATE, context.report)
    context.report(1.0)
    return MixDownOutput(sound=target, notes=(INVERTED_NOTE,) if made.inverted else ())


def prepare_speech_stage(
    context: StageContext, inputs: PrepareSpeechInputs[Path], params: NoParams
) -> PrepareSpeechOutput[Path]:
    """Write what speech models are given, `speech.flac`: 16 kHz, mono, 16 bit, as long as the sound.

    For more than two channels a note says which of them were selected.

    Raises:
        MediaError: The sound cannot be read.
    """
    source = inputs.sound
    layout = audio_io.read_layout(source)
    selection, begun = ChannelSelection(weights=layout.dialogue_weights), 0.0
    if len(layout.channels) > 2:
        begun = 0.5
        selection = select_channels(
            layout, measure_levels(source, lambda done: context.report(begun * done, "Listening"))
        )
    target = context.out / "speech.flac"
    made = write_mono(
        source,
        target,
        selection.weights,
        SPEECH_SAMPLE_RATE,
        lambda fraction, message="": context.report(begun + (1 - begun) * fraction, message),
    )
    context.report(1.0)
    return PrepareSpeechOutput(
        speech=target,
        duration=made.frames / SPEECH_SAMPLE_RATE,
        notes=tuple(note for note in (selection.note, INVERTED_NOTE if made.inverted else "") if note),
    )


def mux_stage(context: StageContext, inputs: MuxInputs[Path], params: MuxParams) -> MuxOutput[Path]:
    """Write the final video, `final.mp4` or `final.mkv`: the clip's picture with another sound.

    A picture that cannot be kept leaves a note instead of an error, since the sound is there all the same.
    """
    clip = probe(inputs.source, track=params.track)
    target = context.out / "final.mp4"
    video: Path | None = None
    try:
        target = context.out / f"final.{container_for(clip)}"
        notes = mux(
            inputs.source,
            clip,
            inputs.sound,
            target,
            language=params.language,
            subtitles=inputs.subtitles,
            chapters=() if inputs.chapters is None else read_chapters(inputs.chapters),
            report=context.report,
        )
        video = target
    except (FFmpegError, MediaError) as error:
        _LOG.warning("no %s: %s %s", target.name, error.message, error.detail)
        target.unlink(missing_ok=True)
        notes = (_missing_video_note(clip, error),)
    context.report(1.0)
    return MuxOutput(video=video, notes=notes)


def _missing_video_note(clip: Probe, error: FFmpegError | MediaError) -> str:
    """Say why there is no final video, with the codec of the picture and what to do."""
    codec = "" if clip.media.video is None else clip.media.video.codec
    cause = error.message if codec in error.message else f"The picture ({codec}) could not be kept. {error.message}"
    return f"There is no final video: {cause} {error.hint or 'Convert the clip to mp4 and try again.'}"
