"""Which sound track of a clip is heard, and what people are told about the others.

A person may choose by number. Otherwise it is the one that the container puts first, unless it cannot be read or is
digitally silent and another one is not.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream

from pipeline.errors import MediaError, ValidationError
from pipeline.media.containers import container as containers
from pipeline.media.containers.packet_clock import read_packets
from pipeline.media.ffmpeg import SOUND_DECODERS
from pipeline.types import SoundTrack, TextReference

MAX_TITLE_CHARS: Final = 60
_NO_SOUND: Final = TextReference(key="tool-no-sound")
_MAX_LISTED_TRACKS: Final = 12
"""Tracks that a sentence lists."""
_SEEKS: Final = 64
"""Places, evenly spaced, at which a track is heard before all of it is."""
_SECONDS_PER_PLACE: Final = 1.0
_PACKETS_PER_PLACE: Final = 400
"""Packets that are read at a place at most, of all tracks."""
_MAX_DECODED_PACKETS: Final = 40_000
"""Packets that are decoded at most to find the first sound of a track; 14 minutes of AAC, if no two are the same."""
_LOSSLESS_DECODERS: Final = frozenset({"flac", "alac", "wavpack", "tta"})
"""Their packets are numbered, so that no two are equal; but one with any sound is larger than a silent one."""
_MAX_SILENT_PACKETS: Final = 10_000
"""Different silent packets that are remembered."""
_MAX_SILENT_RANGE: Final = 2.0**-15
"""Between the least and the greatest sample of silence; codecs with dither stay below one step of 16 bits."""
_MAX_SILENT_OFFSET: Final = 2.0**-11
"""A-law has no zero: its silence is a constant of 8 steps of 16 bits."""
_IMPAIRED: Final = Disposition.hearing_impaired | Disposition.visual_impaired | Disposition.comment
_GENERIC_HANDLER: Final = re.compile(r"handler|media|bento|gpac|mainconcept", re.IGNORECASE)
"""Names of tracks that programs write by themselves."""


class _Heard(StrEnum):
    SOUND = "sound"
    SILENCE = "silence"
    NOTHING = "nothing"
    """Nothing could be decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenTrack:
    """The sound track that is heard, and all that there are."""

    number: int
    tracks: tuple[SoundTrack, ...]


def list_sound_tracks(container: InputContainer) -> tuple[SoundTrack, ...]:
    """List the sound tracks in the order of the file."""
    names = containers.codec_names(container)
    return tuple(
        _describe(number, stream, names[stream.index]) for number, stream in enumerate(container.streams.audio, start=1)
    )


def choose_track(path: Path, container: InputContainer, wanted: int | None = None) -> ChosenTrack:
    """Choose the sound track that is heard.

    Args:
        path: The clip.
        container: The same, opened; only its header is used.
        wanted: The number a person chose; None: the first one that can be read and is not digitally silent.

    Raises:
        MediaError: There is no sound track, or none that can be read.
        ValidationError: The track that was chosen does not exist or cannot be read.
    """
    tracks = list_sound_tracks(container)
    if not tracks:
        raise MediaError("The file has no sound track.", hint="Send a clip with sound.", text=_NO_SOUND)
    if wanted is not None:
        return ChosenTrack(number=_check_choice(wanted, tracks), tracks=tracks)
    order = [number for number in _by_preference(container) if tracks[number - 1].readable]
    if not order:
        if any(track.codec in containers.PROTECTED_CODECS for track in tracks):
            raise containers.protected_error()
        codecs = ", ".join(dict.fromkeys(track.codec for track in tracks))
        raise MediaError(f"The sound is in a format that cannot be read ({codecs}).")
    if len(order) == 1:
        return ChosenTrack(number=order[0], tracks=tracks)
    number, silent = _first_heard(path, order)
    return ChosenTrack(number=number, tracks=tuple(replace(track, silent=track.number in silent) for track in tracks))


def describe_choice(number: int, tracks: Sequence[SoundTrack], *, choosable: bool = True) -> str:
    """Say which of several sound tracks was heard and, where that is possible, how to choose another.

    For a single track the text is empty.
    """
    if len(tracks) < 2:
        return ""
    others = [track for track in tracks if track.number != number]
    heard = f"Sound track {number} of {len(tracks)} was heard ({_words(tracks[number - 1])})."
    listed = f"The {'other is' if len(others) == 1 else 'others are'} {_enumerate(others)}."
    choice = next((track.number for track in others if track.readable), None)
    if choice is None or not choosable:
        return f"{heard} {listed}"
    return f"{heard} {listed} Choose another with the option track, such as --track {choice}."


def _check_choice(wanted: int, tracks: Sequence[SoundTrack]) -> int:
    hint = f"{'There is' if len(tracks) == 1 else 'There are'} {_enumerate(tracks)}."
    if not 1 <= wanted <= len(tracks):
        raise ValidationError(f"The clip has no sound track {wanted}.", hint=hint)
    if not tracks[wanted - 1].readable:
        raise ValidationError(f"Sound track {wanted} cannot be read ({tracks[wanted - 1].codec}).", hint=hint)
    return wanted


def _enumerate(tracks: Sequence[SoundTrack]) -> str:
    listed = [f"{track.number} ({_words(track)})" for track in tracks[:_MAX_LISTED_TRACKS]]
    return ", ".join([*listed, *(["and more"] if len(tracks) > len(listed) else [])])


def _words(track: SoundTrack) -> str:
    """Describe a track in a few words, such as `aac, stereo, eng, Mic`."""
    channels = {0: "", 1: "mono", 2: "stereo"}.get(track.channels, f"{track.channels} channels")
    state = "" if track.readable else "cannot be read"
    parts = (track.codec, channels, track.language, track.title, state, "silent" if track.silent else "")
    return ", ".join(part for part in parts if part)


def _describe(number: int, stream: AudioStream, codec: str) -> SoundTrack:
    known = stream.codec_context is not None  # pyright: ignore[reportUnnecessaryComparison] - None for an unknown codec
    tag = containers.codec_tag(stream)
    codec = tag if tag in containers.PROTECTED_CODECS else codec
    tags = containers.stream_tags(stream)
    handler = tags.get("handler_name", "")
    title = tags.get("title") or ("" if _GENERIC_HANDLER.search(handler) else handler)
    language = tags.get("language", "")
    return SoundTrack(
        number=number,
        codec=codec,
        channels=stream.codec_context.channels if known else 0,
        language="" if language == "und" else _printable(language),
        title=_printable(title),
        readable=known and codec not in containers.PROTECTED_CODECS and stream.codec_context.name in SOUND_DECODERS,
    )


def _printable(text: str) -> str:
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:MAX_TITLE_CHARS]


def _by_preference(container: InputContainer) -> list[int]:
    """Sort the numbers of the sound tracks: libav's choice, then those that are played by default, comments last."""
    best = container.streams.best("audio")

    def rank(numbered: tuple[int, AudioStream]) -> tuple[bool, bool, bool, int]:
        number, stream = numbered
        chosen = best is not None and stream.index == best.index
        return not chosen, bool(stream.disposition & _IMPAIRED), not stream.disposition & Disposition.default, number

    return [number for number, _ in sorted(enumerate(container.streams.audio, start=1), key=rank)]


def _first_heard(path: Path, order: Sequence[int]) -> tuple[int, frozenset[int]]:
    """Find the first track with any sound, and the silent ones before it."""
    heard = dict[int, _Heard]()
    for number in order:
        heard[number] = _hear_places(path, number)
        if heard[number] is _Heard.SOUND:
            break
    for number in [number for number, what in heard.items() if what is not _Heard.SOUND]:
        heard[number] = _hear_all(path, number)
        if heard[number] is _Heard.SOUND:
            break
    ranks = [_Heard.SOUND, _Heard.SILENCE, _Heard.NOTHING]
    chosen = min(heard, key=lambda number: ranks.index(heard[number]))
    return chosen, frozenset(number for number, what in heard.items() if what is _Heard.SILENCE)


@dataclass(slots=True)
class _Listener:
    """Decodes packets of one track and tells whether anything was heard."""

    stream: AudioStream
    decoded: int = 0
    seconds: float = 0.0
    heard: _Heard = _Heard.NOTHING
    _silent: set[bytes | int] = field(default_factory=set[bytes | int])

    def take(self, packet: "Packet[Stream]") -> None:
        """Decode a packet, unless one like it was silent."""
        content = bytes(packet) if self.stream.codec_context.name not in _LOSSLESS_DECODERS else packet.size
        if content in self._silent:
            return
        self.decoded += 1
        frames = _decode(self.stream, packet)
        self.seconds += sum(frame.samples / (frame.sample_rate or 1) for frame in frames)
        if any(not _is_silent(frame) for frame in frames):
            self.heard = _Heard.SOUND
        elif frames:
            self.heard = _Heard.SILENCE
            if len(self._silent) < _MAX_SILENT_PACKETS:
                self._silent.add(content)


def _hear_places(path: Path, number: int) -> _Heard:
    """Hear a track at its beginning and at places all over it."""
    with containers.open_container(path) as container:
        listener = _Listener(_only(container, number))
        length = (container.duration or 0) / av.time_base
        begin = (container.start_time or 0) / av.time_base
        for place in range(_SEEKS):
            if place:
                if length <= 0:
                    break
                if not _seek(container, begin + place * length / _SEEKS):
                    continue
                listener.stream.codec_context.flush_buffers()
            _hear_place(container, listener)
            if listener.heard is _Heard.SOUND:
                break
        return listener.heard


def _hear_place(container: InputContainer, listener: _Listener) -> None:
    until = listener.seconds + _SECONDS_PER_PLACE
    for count, packet in enumerate(_packets(container, listener.stream), start=1):
        listener.take(packet)
        if listener.heard is _Heard.SOUND or listener.seconds >= until or count >= _PACKETS_PER_PLACE:
            return


def _hear_all(path: Path, number: int) -> _Heard:
    """Hear a track from its beginning to the first sound."""
    with containers.open_container(path) as container:
        listener = _Listener(_only(container, number))
        for packet in _packets(container, listener.stream):
            listener.take(packet)
            if listener.heard is _Heard.SOUND or listener.decoded >= _MAX_DECODED_PACKETS:
                break
        return listener.heard


def _only(container: InputContainer, number: int) -> AudioStream:
    """Let libav leave out all streams but one sound track."""
    wanted = container.streams.audio[number - 1]
    for stream in container.streams:
        if stream.index != wanted.index:
            stream.discard = Discard.all
    return wanted


def _seek(container: InputContainer, seconds: float) -> bool:
    try:
        container.seek(int(seconds * av.time_base))
    except av.error.FFmpegError:
        return False
    return True


def _packets(container: InputContainer, stream: AudioStream) -> "Iterable[Packet[Stream]]":
    """Read what can be read of a track."""
    try:
        yield from (packet for packet in read_packets(container, stream) if packet.size)
    except av.error.FFmpegError:
        return


def _decode(stream: AudioStream, packet: "Packet[Stream]") -> list[AudioFrame]:
    try:
        return list(stream.decode(packet))  # pyright: ignore[reportUnknownMemberType] - Packet is generic
    except av.error.FFmpegError:
        return []


def _is_silent(frame: AudioFrame) -> bool:
    samples = frame.to_ndarray()
    if not samples.size:
        return True
    middle, scale = 0.0, 1.0
    if samples.dtype.kind == "u":
        middle, scale = 128.0, 128.0
    elif samples.dtype.kind == "i":
        scale = 2.0 ** (8 * samples.dtype.itemsize - 1)
    channels = samples if frame.format.is_planar else samples.reshape(-1, len(frame.layout.channels)).T
    least, greatest = channels.min(axis=1) / scale, channels.max(axis=1) / scale
    offset = max(abs(float(greatest.max()) - middle / scale), abs(float(least.min()) - middle / scale))
    return float((greatest - least).max()) < _MAX_SILENT_RANGE and offset <= _MAX_SILENT_OFFSET
