"""The headers of frames: MPEG audio (ISO/IEC 11172-3, 13818-3), ADTS (13818-7), AC-3 and E-AC-3 (ETSI TS 102 366)."""

import mmap
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

HEADER_BYTES: Final = 7

_MPEG_RATES: Final = (44_100, 48_000, 32_000)
_MPEG1_KBPS: Final = (
    (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)
"""By layer."""
_MPEG2_KBPS: Final = (
    (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_ADTS_RATES: Final = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
    7_350,
)
_AC3_RATES: Final = (48_000, 44_100, 32_000)
_AC3_KBPS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_EAC3_BLOCKS: Final = (1, 2, 3, 6)


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What the header of a frame says."""

    kind: bytes
    """What is the same in all frames of a sound."""
    mark: bytes
    """The bytes that a frame of this sound begins with."""
    size: int
    """Bytes of the frame."""
    samples: int
    """Of each channel."""
    rate: int
    """Hz."""


def read_header(data: mmap.mmap, at: int) -> FrameHeader | None:
    """Read the header of a frame; None where there is none."""
    head = data[at : at + HEADER_BYTES]
    if len(head) < HEADER_BYTES:
        return None
    # MPEG audio has all in four bytes, of which there are but a few in a file.
    return _parse(head[:4] if head[0] == 0xFF and head[1] & 0x06 else head)


@lru_cache(maxsize=4096)
def _parse(head: bytes) -> FrameHeader | None:
    if head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return _parse_adts(head)
    if head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return _parse_mpeg(head)
    if head.startswith(b"\x0b\x77"):
        return _parse_eac3(head) if head[5] >> 3 > 10 else _parse_ac3(head)
    return None


def _parse_mpeg(head: bytes) -> FrameHeader | None:
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    hz = _MPEG_RATES[rate] >> (0 if version == 3 else 1 if version == 2 else 2)
    kbps = (_MPEG1_KBPS if version == 3 else _MPEG2_KBPS)[layer - 1][bits - 1]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    slot = 4 if layer == 1 else 1
    size = (samples // 8 // slot * kbps * 1000 // hz + (head[2] >> 1 & 1)) * slot
    return FrameHeader(bytes((head[1], rate)), head[:2], size, samples, hz)


def _parse_adts(head: bytes) -> FrameHeader | None:
    rate = head[2] >> 2 & 15
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if rate >= len(_ADTS_RATES) or size < HEADER_BYTES:
        return None
    samples = 1024 * (1 + (head[6] & 3))
    return FrameHeader(bytes((head[1], head[2], head[3] & 0xC0)), head[:2], size, samples, _ADTS_RATES[rate])


def _parse_ac3(head: bytes) -> FrameHeader | None:
    rate, code, version = head[4] >> 6, head[4] & 0x3F, head[5] >> 3
    if rate == 3 or code >= 2 * len(_AC3_KBPS):
        return None
    kbps = _AC3_KBPS[code >> 1]
    words = kbps * 96_000 // _AC3_RATES[rate] + (code & 1 if rate == 1 else 0)
    hz = _AC3_RATES[rate] >> max(0, version - 8)
    return FrameHeader(bytes((rate, version)), head[:2], 2 * words, 1536, hz)


def _parse_eac3(head: bytes) -> FrameHeader | None:
    rate, blocks = head[4] >> 6, head[4] >> 4 & 3
    if head[5] >> 3 != 16 or head[2] >> 3:  # only a programme of one substream is walked
        return None
    if rate == 3 and blocks == 3:
        return None
    hz = _AC3_RATES[blocks] >> 1 if rate == 3 else _AC3_RATES[rate]
    samples = 1536 if rate == 3 else 256 * _EAC3_BLOCKS[blocks]
    size = 2 * (((head[2] & 7) << 8 | head[3]) + 1)
    return FrameHeader(bytes((head[4] & 0xF0, head[5])), head[:2], size, samples, hz)
