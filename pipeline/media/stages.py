"""The stages that deal with the clip itself: probe, extract, prepare_speech, mux."""

import logging
from collections.abc import Sequence
from pathlib import Path

from pipeline.audio import io as audio_io
from pipeline.audio.levels import measure_levels
from pipeline.audio.polarity import Polarity, PolarityMeter, mix_heard
from pipeline.errors import FFmpegError, MediaError
from pipeline.graph.stage import NoParams, StageContext
from pipeline.media.channel_folding import map_channels
from pipeline.media.contracts import (
    ExtractInputs,
    ExtractOutput,
    ExtractParams,
    MuxInputs,
    MuxOutput,
    MuxParams,
    PrepareSpeechInputs,
    PrepareSpeechOutput,
    ProbeInputs,
    ProbeOutput,
    ProbeParams,
)
from pipeline.media.extract import extract_master
from pipeline.media.mono_sound import extract_heard
from pipeline.media.mux import container_for, mux
from pipeline.media.probe import Probe, check_duration, check_size, probe
from pipeline.media.sound_tracks import describe_choice
from pipeline.media.speech_downmix import ChannelSelection, select_channels

_LOG = logging.getLogger(__name__)
SPEECH_SAMPLE_RATE = 16_000
"""Hz, that of the speech models."""
INVERTED_NOTE = "A channel is inverted against the other one; where both are heard as one, it is turned round."


def probe_stage(context: StageContext, inputs: ProbeInputs[Path], params: ProbeParams) -> ProbeOutput:
    """Refuse a clip that cannot be worked on and describe any other.

    Raises:
        MediaError: The file is no clip, is empty, or has no sound that can be decoded.
        LimitError: The clip is too large or too long.
        ValidationError: The sound track that was asked for does not exist or cannot be read.
    """
    check_size(inputs.source, params.max_size)
    clip = probe(inputs.source, context.report, track=params.track)
    check_duration(clip.media.duration, params.max_duration)
    context.report(1.0)
    told = describe_choice(clip.media.track, clip.media.tracks)
    return ProbeOutput(media=clip.media, notes=(*clip.notes, *((told,) if told else ())))


def extract_stage(context: StageContext, inputs: ExtractInputs[Path], params: ExtractParams) -> ExtractOutput[Path]:
    """Write the sound of the clip, as `master.flac`, or as `audio.wav` when one channel is asked for.

    Raises:
        MediaError: Nothing of the sound can be decoded.
        FFmpegError: ffmpeg failed or took too long.
    """
    clip = probe(inputs.source, track=params.track)
    target = context.out / ("audio.wav" if params.mono else "master.flac")
    inverted = False
    if params.mono:
        inverted = extract_heard(inputs.source, clip, target, context.report)
    else:
        extract_master(inputs.source, clip, target, context.report)
    made = audio_io.info(target)
    if not made.frames:
        target.unlink()
        raise MediaError("The clip holds no sound that can be read.", hint="Send the file again.")
    note = "" if params.mono else map_channels(clip.media.audio.layout, clip.speakers).note
    context.report(1.0)
    return ExtractOutput(
        sound=target,
        sample_rate=made.sample_rate,
        channels=made.channels,
        layout=audio_io.read_layout(target).name,
        duration=made.duration,
        notes=(*clip.notes, *((note,) if note else ()), *((INVERTED_NOTE,) if inverted else ())),
    )


def prepare_speech_stage(
    context: StageContext, inputs: PrepareSpeechInputs[Path], params: NoParams
) -> PrepareSpeechOutput[Path]:
    """Write what speech models are given, `speech.flac`: 16 kHz, mono, 16 bit, as long as the sound.

    For more than two channels a note says which of them were selected.

    Raises:
        MediaError: The sound cannot be read.
    """
    source = inputs.sound
    info, layout = audio_io.info(source), audio_io.read_layout(source)
    selection, begun = ChannelSelection(weights=layout.dialogue_weights), 0.0
    if info.channels > 2:
        begun = 0.5
        selection = select_channels(
            layout, measure_levels(source, lambda done: context.report(begun * done, "Listening"))
        )
    target = context.out / "speech.flac"

    def write(meter: PolarityMeter | None, polarity: Polarity | None) -> int:
        blocks = _read_mono(context, source, selection.weights, meter, polarity, begun)
        with audio_io.SoundWriter(target, sample_rate=SPEECH_SAMPLE_RATE, channels=1, subtype="PCM_16") as writer:
            for block in audio_io.resample_blocks(blocks, info.sample_rate, SPEECH_SAMPLE_RATE, channels=1):
                writer.write(block)
        return writer.frames

    meter = PolarityMeter(layout, info.sample_rate)
    frames = write(meter, None)
    polarity = meter.find()
    if polarity is not None:
        frames = write(None, polarity)
    context.report(1.0)
    return PrepareSpeechOutput(
        speech=target,
        duration=frames / SPEECH_SAMPLE_RATE,
        notes=tuple(note for note in (selection.note, INVERTED_NOTE if polarity is not None else "") if note),
    )


def _read_mono(
    context: StageContext,
    source: Path,
    weights: Sequence[float],
    meter: PolarityMeter | None,
    polarity: Polarity | None,
    begun: float,
) -> audio_io.Blocks:
    """Read a sound as one channel; the meter hears all channels."""
    read, frames = 0, max(1, audio_io.info(source).frames)
    for block in audio_io.read_blocks(source):
        context.report(begun + (1 - begun) * read / frames, "Listening")
        if meter is not None:
            meter.add(block)
        yield mix_heard(block, weights, polarity, read)
        read += len(block)


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
            audio_start=params.audio_start,
            language=params.language,
            subtitles=inputs.subtitles,
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
