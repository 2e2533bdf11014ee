"""The split_speakers stage: the vocals shared out to the tracks of those who speak."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np

from pipeline.audio import io as audio_io
from pipeline.graph.stage import NoParams, ProgressCallback, StageContext
from pipeline.mix.gain_envelope import GainEnvelope, gain_envelope
from pipeline.mix.speech_activity import fade_points, hop_powers
from pipeline.separation.stem_files import LSB_24_BIT, atomic_folder
from pipeline.speaker_stems.contracts import SplitSpeakersInputs, SplitSpeakersOutput
from pipeline.speaker_stems.shares import FADE_SECONDS, HOP_SECONDS, Levels, Stretch, cumulative_steps, share_out
from pipeline.types import Diarization, SharedStretch, SpeakerShares

NOBODY = "Nobody was found to speak, so there is no track for a speaker."
SHARES_FILE = "speaker-stems.json"
MAX_WRITERS_AT_ONCE = 4


def split_speakers_stage(
    context: StageContext, inputs: SplitSpeakersInputs[Path], params: NoParams
) -> SplitSpeakersOutput[Path]:
    """Write a track for each speaker who is heard; they add up to the vocals, sample for sample.

    Raises:
        MediaError: The vocals cannot be read.
        AudioProcessingError: The tracks cannot be written.
    """
    voices = msgspec.json.decode(inputs.voices.read_bytes(), type=Diarization)
    vocals = audio_io.info(inputs.vocals)
    stretches = _share_out(voices, inputs.vocals, vocals)
    if not stretches:
        return SplitSpeakersOutput(notes=(NOBODY,))
    heard = sorted({speaker for each in stretches for speaker in each.speakers})
    with atomic_folder(context.out) as folder:
        paths = [folder / f"speaker-{speaker + 1}.flac" for speaker in heard]
        _write(stretches, inputs.vocals, vocals, dict(zip(heard, paths, strict=True)), context.report)
        shares = _describe(stretches, voices.speakers, vocals.sample_rate)
        (folder / SHARES_FILE).write_bytes(msgspec.json.encode(shares))
    return SplitSpeakersOutput(
        stems=tuple(context.out / path.name for path in paths),
        speakers=tuple(voices.speakers[speaker] for speaker in heard),
        shares=context.out / SHARES_FILE,
        notes=_tell_overlaps(stretches, vocals.sample_rate),
    )


def split_block(block: audio_io.Samples, shares: Sequence[float | audio_io.Samples]) -> Iterator[audio_io.Samples]:
    """Split a block of 24-bit values into parts of 24-bit values that add up to it exactly.

    Each part lies between silence and the whole, so none clips, and one without a share is silent.

    Args:
        block: Shape (frames, channels).
        shares: Of each part and all parts before it together, 0 to 1, rising to 1 with the last one.
    """
    whole, silence = block / LSB_24_BIT, np.zeros_like(block)
    before, done = silence, 0.0
    for share in shares:
        if isinstance(share, float) and share == done:
            yield silence
            continue
        upto = np.rint(whole * np.float32(share) if isinstance(share, float) else whole * share)
        yield (upto - before) * LSB_24_BIT
        before, done = upto, share if isinstance(share, float) else None


def _share_out(voices: Diarization, path: Path, vocals: audio_io.SoundInfo) -> list[Stretch]:
    places = {speaker: place for place, speaker in enumerate(voices.speakers)}
    rate = vocals.sample_rate
    spans = [(places[each.speaker], each.start * rate, each.end * rate) for each in voices.segments]
    if not spans or not vocals.frames:
        return []
    hop = max(1, round(HOP_SECONDS * rate))
    return share_out(spans, vocals.frames, rate, Levels.of(hop_powers(path, vocals.frames, hop), hop))


def _write(
    stretches: Sequence[Stretch],
    path: Path,
    vocals: audio_io.SoundInfo,
    tracks: dict[int, Path],
    report: ProgressCallback,
) -> None:
    """Write the tracks side by side, block by block."""
    envelopes = [_envelope(stretches, speaker, vocals.sample_rate) for speaker in tracks]
    layout = audio_io.read_layout(path)
    done = 0
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                audio_io.SoundWriter(track, sample_rate=vocals.sample_rate, channels=vocals.channels, layout=layout)
            )
            for track in tracks.values()
        ]
        # FLAC takes the most time.
        pool = stack.enter_context(ThreadPoolExecutor(MAX_WRITERS_AT_ONCE, thread_name_prefix="tracks"))
        for block in audio_io.read_blocks(path):
            shares = [envelope.at(done, len(block)) for envelope in envelopes]
            list(pool.map(audio_io.SoundWriter.write, writers, split_block(block, shares)))
            done += len(block)
            report(done / vocals.frames)


def _envelope(stretches: Sequence[Stretch], speaker: int, sample_rate: int) -> GainEnvelope:
    steps = cumulative_steps(stretches, speaker)
    return gain_envelope(fade_points(steps, FADE_SECONDS * sample_rate), decibels=False)


def _describe(stretches: Sequence[Stretch], speakers: Sequence[str], sample_rate: int) -> SpeakerShares:
    return SpeakerShares(
        fade=FADE_SECONDS,
        stretches=tuple(
            SharedStretch(
                start=round(each.start / sample_rate, 6),
                end=round(each.end / sample_rate, 6),
                speakers=tuple(speakers[place] for place in each.speakers),
            )
            for each in stretches
        ),
    )


def _tell_overlaps(stretches: Sequence[Stretch], sample_rate: int) -> tuple[str, ...]:
    seconds = sum(each.end - each.start for each in stretches if len(each.speakers) > 1) / sample_rate
    if not seconds:
        return ()
    return (
        f"For {seconds:.1f} s several people speak at once. Their voices cannot be parted there, so each of their "
        f"tracks has an equal share of the sound; {SHARES_FILE} lists when.",
    )
