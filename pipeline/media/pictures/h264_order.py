"""The order in which H.264 pictures are shown, read from their headers (ITU-T H.264, 7.3 and 8.2.1).

Nothing of a picture is decoded: a slice header tells its picture order count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SLICE, _IDR_SLICE, _SEQUENCE, _PICTURE_SET = 1, 5, 7, 8
_HEADER_BYTES = 96
"""Of a slice are read; its count stands in the first dozen."""
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sequence:
    """What a sequence parameter set says of the headers of slices."""

    frame_num_bits: int
    count_bits: int
    """Of the picture order count's lower part; 0 where pictures are shown as they are decoded."""
    has_fields: bool
    has_planes: bool


class _Bits:
    """Reads the bits of a NAL unit without its emulation prevention bytes."""

    def __init__(self, unit: bytes) -> None:
        data = unit.replace(b"\0\0\3", b"\0\0")
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def read(self, count: int) -> int:
        """Read an unsigned number; ValueError at the end."""
        self._left -= count
        if self._left < 0:
            raise ValueError("the unit ends in its header")
        return (self._value >> self._left) & ((1 << count) - 1)

    def read_golomb(self) -> int:
        """Read an unsigned Exp-Golomb number."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)

    def read_signed(self) -> int:
        """Read a signed Exp-Golomb number."""
        code = self.read_golomb()
        return (code + 1) // 2 if code % 2 else -code // 2


class PictureOrder:
    """Numbers pictures in the order in which they are shown.

    Args:
        extradata: The parameter sets beside the stream, in either form.
    """

    def __init__(self, extradata: bytes = b"") -> None:
        self._sequences: dict[int, _Sequence] = {}
        self._sequence_of: dict[int, int] = {}
        self._coded_sequence = 0
        self._reference = (0, 0)
        self._length_bytes = (extradata[4] & 3) + 1 if extradata.startswith(b"\1") and len(extradata) > 4 else 0
        for unit in _parameter_sets(extradata):
            self._read_unit(unit)

    def read(self, packet: bytes) -> tuple[int, int]:
        """Read the next picture in the order of decoding.

        Returns:
            A key that sorts pictures in the order in which they are shown.
        """
        for unit in _units(packet, self._length_bytes):
            count = self._read_unit(unit)
            if count is not None:
                return self._coded_sequence, count
        return self._coded_sequence, self._reference[0] + self._reference[1]

    def _read_unit(self, unit: bytes) -> int | None:
        kind = unit[0] & 31 if unit else 0
        try:
            if kind == _SEQUENCE:
                number, found = _read_sequence(_Bits(unit[1:]))
                self._sequences[number] = found
            elif kind == _PICTURE_SET:
                bits = _Bits(unit[1:_HEADER_BYTES])
                self._sequence_of[bits.read_golomb()] = bits.read_golomb()
            elif kind in (_SLICE, _IDR_SLICE):
                return self._read_slice(unit, is_idr=kind == _IDR_SLICE)
        except ValueError:
            return None
        return None

    def _read_slice(self, unit: bytes, *, is_idr: bool) -> int:
        bits = _Bits(unit[1:_HEADER_BYTES])
        bits.read_golomb()
        bits.read_golomb()
        known = self._sequences.get(self._sequence_of.get(bits.read_golomb(), 0))
        if known is None:
            raise ValueError("no parameter set")
        bits.read(2 if known.has_planes else 0)
        bits.read(known.frame_num_bits)
        is_field = known.has_fields and bool(bits.read(1))
        is_bottom = is_field and bool(bits.read(1))
        if is_idr:
            bits.read_golomb()
            self._coded_sequence += not is_bottom
            self._reference = (0, 0)
        if not known.count_bits:
            count = sum(self._reference) + 1
            self._reference = (0, count)
            return count
        low, span = bits.read(known.count_bits), 1 << known.count_bits
        high, before = self._reference
        if low < before and before - low >= span // 2:
            high += span
        elif low > before and low - before > span // 2:
            high -= span
        if unit[0] & 0x60:
            self._reference = (high, low)
        return high + low


def show_order(packets: Iterable[bytes], extradata: bytes = b"") -> list[int]:
    """Number the pictures of a stream, given in the order of decoding, in the order in which they are shown."""
    order = PictureOrder(extradata)
    keys = [(*order.read(packet), index) for index, packet in enumerate(packets)]
    places = [0] * len(keys)
    for place, (_, _, index) in enumerate(sorted(keys)):
        places[index] = place
    return places


def _units(packet: bytes, length_bytes: int) -> Iterator[bytes]:
    """Part a packet into NAL units, by their lengths, or by start codes where `length_bytes` is 0."""
    at = 0 if length_bytes else packet.find(b"\0\0\1")
    while 0 <= at < len(packet):
        begin = at + (length_bytes or 3)
        length = int.from_bytes(packet[at:begin])
        after = begin + length if length_bytes else packet.find(b"\0\0\1", begin)
        yield packet[begin : after if after >= 0 else len(packet)]
        at = after


def _parameter_sets(extradata: bytes) -> Iterator[bytes]:
    """Part the parameter sets of extradata (Annex B, or ISO/IEC 14496-15, 5.3.3.1)."""
    if not extradata.startswith(b"\1"):
        yield from _units(extradata, 0)
        return
    at = 5
    for mask in (31, 255):
        count = extradata[at] & mask if at < len(extradata) else 0
        at += 1
        for _ in range(count):
            length = int.from_bytes(extradata[at : at + 2])
            yield extradata[at + 2 : at + 2 + length]
            at += 2 + length


def _read_sequence(bits: _Bits) -> tuple[int, _Sequence]:
    profile = bits.read(8)
    bits.read(16)
    number = bits.read_golomb()
    has_planes = False
    if profile in _HIGH_PROFILES:
        chroma = bits.read_golomb()
        has_planes = chroma == 3 and bool(bits.read(1))
        bits.read_golomb()
        bits.read_golomb()
        bits.read(1)
        if bits.read(1):
            _skip_scaling(bits, 12 if chroma == 3 else 8)
    frame_num_bits = bits.read_golomb() + 4
    kind = bits.read_golomb()
    count_bits = bits.read_golomb() + 4 if kind == 0 else 0
    if kind == 1:
        bits.read(1)
        for _ in range(2):
            bits.read_golomb()
        for _ in range(bits.read_golomb()):
            bits.read_golomb()
    bits.read_golomb()
    bits.read(1)
    bits.read_golomb()
    bits.read_golomb()
    has_fields = not bits.read(1)
    return number, _Sequence(
        frame_num_bits=frame_num_bits, count_bits=count_bits, has_fields=has_fields, has_planes=has_planes
    )


def _skip_scaling(bits: _Bits, lists: int) -> None:
    for index in range(lists):
        if not bits.read(1):
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.read_signed()) % 256
            last = following or last
