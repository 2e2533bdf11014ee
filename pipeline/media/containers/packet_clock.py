"""Where the packets of a container end, on a clock that goes on where that of the container starts again."""

from collections.abc import Iterator
from dataclasses import dataclass

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from pipeline.graph.stage import ProgressCallback

RESTART_S = 0.5
"""Seconds by which the decoding times of a track go back where a clock starts again."""
TAIL_S = 3.0
"""Seconds before the declared end from which packets are read."""
_MAX_STRAYS = 8
"""Packets after a leap of the stamps that may come back; it is a gap if more do not."""
_LONELY_S = 60.0
"""Seconds after all other packets from which so few at the end of a file are no sound after a gap either."""
_REPORT_INTERVAL_PACKETS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketEnds:
    """Where packets end, in seconds; 0 where there are none."""

    clip: float
    """Of all sound and picture."""
    sound: float
    """Of one sound track."""
    restarts: tuple[float, ...] = ()
    """Where the clock of a track starts again, on the clock that goes on."""
    first_byte: int | None = None
    """Where the first packet of the sound begins in the file."""
    read_bytes: int = 0
    """Where the last packet ends in the file."""
    broken: bool = False
    """Whether reading ended with an error."""
    packets: int = 0
    strays: tuple[float, ...] = ()
    """Stamps of the sound that lie far off between two that do not, and are not counted."""


def tail_ends(container: InputContainer, sound_index: int, end: float) -> PacketEnds:
    """Read the packets from shortly before a declared end (seconds) to the end of the file."""
    try:
        # A transport stream whose clock runs over has times before 0.
        container.seek(max(min(0, container.start_time or 0), int((end - TAIL_S) * av.time_base)))
    except av.error.FFmpegError:
        return PacketEnds(clip=0.0, sound=0.0, broken=True)
    return read_ends(container, sound_index)


def read_ends(container: InputContainer, sound_index: int, report: ProgressCallback | None = None) -> PacketEnds:
    """Read all packets that can be read."""
    clocks: dict[int, _TrackClock] = {}
    restarts: list[float] = []
    read_bytes, count, broken = 0, 0, False
    try:
        for count, packet in enumerate(played_packets(container), start=1):
            clock = clocks.get(packet.stream_index)
            if clock is None:
                clock = clocks[packet.stream_index] = _TrackClock(packet)
            if (restart := clock.take(packet)) is not None:
                restarts.append(restart)
            read_bytes = max(read_bytes, (packet.pos or 0) + packet.size)
            if report is not None and count % _REPORT_INTERVAL_PACKETS == 0:
                report(0.5, "Measuring the length")
    except av.error.FFmpegError:
        # What a damaged file has up to here is its sound.
        broken = True
    latest = max((clock.steady_end for clock in clocks.values()), default=0.0)
    for clock in clocks.values():
        clock.leave_lonely(latest)
    sound = clocks.get(sound_index)
    return PacketEnds(
        clip=max((clock.end for clock in clocks.values()), default=0.0),
        sound=0.0 if sound is None else sound.end,
        first_byte=None if sound is None else sound.first_byte,
        restarts=tuple(restarts),
        read_bytes=read_bytes,
        broken=broken,
        packets=count,
        strays=() if sound is None else tuple(sound.strays),
    )


def read_packets(container: InputContainer, *streams: Stream) -> "Iterator[Packet[Stream]]":
    """Read the packets of some streams."""
    try:
        yield from container.demux(list(streams))
    except IndexError:
        # At the end PyAV looks up streams that only appeared on the way, which it has no list of.
        return


def played_packets(container: InputContainer) -> "Iterator[Packet[Stream]]":
    """Read the packets of sound and picture."""
    return read_packets(container, *container.streams.audio, *container.streams.video)


def packet_start(packet: "Packet[Stream]") -> float | None:
    """Return when a packet is played, in seconds; None where the container does not say."""
    # AVI has no times at which pictures are shown; those that libav makes up are late.
    decoded_only = packet.pts is None or packet.stream.container.format.name == "avi"
    ticks = packet.dts if decoded_only else packet.pts
    return None if ticks is None else float(ticks * (packet.time_base or 0))


class _TrackClock:
    """The packets of one track, in ticks: a long file has half a million of them."""

    def __init__(self, first: "Packet[Stream]") -> None:
        stream = first.stream
        self.first_byte = first.pos
        self._base = float(stream.time_base or 0)
        self._decoded_only = stream.container.format.name == "avi"
        self._restart_ticks = RESTART_S / self._base if self._base else 0.0
        self._end = 0
        self._offset = 0
        self._decoded: int | None = None
        self._before: int | None = None
        """Where the last packet before a leap ends."""
        self._away: list[int] = []
        """When the packets since then are played."""
        self.strays: list[float] = []
        """Stamps that lie far off between two that do not, seconds."""

    @property
    def end(self) -> float:
        """Return where the last packet ends, in seconds."""
        return self._end * self._base

    @property
    def steady_end(self) -> float:
        """Return where the last packet before a leap ends that was not settled yet, in seconds."""
        return self.end if self._before is None else self._before * self._base

    def leave_lonely(self, latest: float) -> None:
        """Leave out the last packets of a file if they are long after all others, which end at `latest` seconds."""
        if self._before is not None and (min(self._away) + self._offset) * self._base > latest + _LONELY_S:
            self._leave(self._before)

    def _leave(self, end: int) -> None:
        self.strays.extend(tick * self._base for tick in self._away)
        self._end = end
        self._stay()

    def _stay(self) -> None:
        """Take the packets after a leap for what they are: a gap is in front of them."""
        self._before = None
        self._away.clear()

    def _return(self, start: int) -> bool:
        """Go back to before a leap if a packet goes on there: those between have stamps that are wrong."""
        before, slack = self._before, self._restart_ticks
        if before is None or not -slack < start + self._offset - before < 2 * slack:
            self._stay()
            return False
        self._leave(before)
        return True

    def take(self, packet: "Packet[Stream]") -> float | None:
        """Follow a packet; the time is returned where the clock starts again."""
        shown, decoded = packet.pts, packet.dts
        start = decoded if shown is None or self._decoded_only else shown
        if start is None:
            return None
        decoded = start if decoded is None else decoded
        restart = None
        if self._decoded is not None:
            if decoded < self._decoded - self._restart_ticks and not self._return(start):
                restart = self.end
                self._offset = self._end - start
            elif start + self._offset > self._end + self._restart_ticks and self._before is None:
                self._before = self._end
        if self._before is not None:
            self._away.append(start)
            if len(self._away) > _MAX_STRAYS:
                self._stay()
        self._decoded = decoded
        self._end = max(self._end, start + self._offset + _duration(packet))
        return restart


def _duration(packet: "Packet[Stream]") -> int:
    """Return the duration in ticks; libav's is of 32 bits where the end of an Ogg lies before that of its packet."""
    ticks = packet.duration or 0
    return ticks - (1 << 32) if 1 << 31 <= ticks < 1 << 32 else ticks
