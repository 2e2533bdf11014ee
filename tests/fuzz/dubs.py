"""Zips of dubs: bombs, names that lead elsewhere, links, lies about sizes, and whole ones that are damaged."""

import io
import lzma
import random
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence

from tests.fuzz.inputs import HostileInput
from tests.fuzz.mutators import mutate
from tests.fuzz.references import Bait

EPOCH = (1980, 1, 1, 0, 0, 0)
LINK_MODE = 0o120777 << 16
BOMB_BYTES = 64_000_000
_SOUNDS = ("pcm.wav", "mp3.mp3", "vorbis.ogg", "amr.amr", "mulaw.au")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_CENTRAL, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"


def make_dub_zip(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> HostileInput:
    """Make a zip of one of the kinds; some are damaged further."""
    maker = rng.choices(_MAKERS, _WEIGHTS)[0]
    content = maker(bait, seeds, rng)
    made = maker.__name__.strip("_")
    if rng.random() < 0.3:
        content, changes = mutate(content, rng, (content,))
        made += f", {changes}"
    return HostileInput(kind="dub zip", name="dub.zip", content=content, made=made)


def pack(members: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED, attributes: int = 0) -> bytes:
    """Pack members, also several of one name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr, info.compress_type = attributes, method
            # zipfile warns of a name that is there already.
            archive.NameToInfo.clear()
            archive.writestr(info, content)
    return file.getvalue()


def claim_lzma_dictionary(content: bytes, size: int) -> bytes:
    """Have each LZMA member claim a dictionary of a size, which a decoder needs as memory."""
    changed = bytearray(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            name_bytes, extra_bytes = struct.unpack_from("<HH", content, info.header_offset + 26)
            body = info.header_offset + 30 + name_bytes + extra_bytes
            # Version and size of the properties, then lc/lp/pb, then the dictionary.
            struct.pack_into("<I", changed, body + 5, size)
    return bytes(changed)


def _pieces(seeds: Mapping[str, bytes], rng: random.Random) -> list[tuple[str, bytes]]:
    names = rng.sample(
        ("turn-001.wav", "turn-2.wav", "Anna.wav", "speaker-2.wav", "turn-003.mp3"), rng.choice((1, 1, 2))
    )
    return [(name, seeds[rng.choice(_SOUNDS)]) for name in names]


def _whole(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    return pack(_pieces(seeds, rng), rng.choice(_METHODS))


def _damaged(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    """Damage the structures of the zip itself: flags, methods, sizes, offsets."""
    content = bytearray(pack(_pieces(seeds, rng), rng.choice(_METHODS)))
    places = [at for mark in (_CENTRAL, _LOCAL, b"PK\x05\x06") for at in _all(content, mark)]
    for _ in range(rng.choice((1, 2, 5))):
        at = rng.choice(places) + rng.randrange(4, 46)
        width = rng.choice((1, 2, 4))
        number = rng.choice((0, 1, 8, 99, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, rng.getrandbits(32)))
        content[at : at + width] = (number & ((1 << 8 * width) - 1)).to_bytes(width, "little")
    return bytes(content)


def _damaged_piece(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    """Pack a sound that is a hostile clip of its own."""
    sound, _ = mutate(seeds[rng.choice(sorted(seeds))], rng, tuple(seeds.values()))
    return pack([(rng.choice(("turn-001.wav", "Anna.mp4", "turn-002.mkv")), sound)])


def _foreign_names(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    names = [str(bait.outside), f"../../{bait.outside.name}", f"../{bait.neighbour.parent.name}/{bait.neighbour.name}"]
    names += [
        "C:\\turn-001.wav",
        "\\\\host\\share\\a.wav",
        "turn-001.wav/../../x.wav",
        "a\0.wav",
        "piece-0",
        "piece-0.flac",
    ]
    names += [
        "whole.flac",
        "dub.flac",
        "../out/dub.flac",
        "." * 400 + ".wav",
        "x/" * 200 + "a.wav",
        "CON.wav",
        "turn-999999.wav",
    ]
    return pack([(rng.choice(names), seeds["pcm.wav"]) for _ in range(rng.choice((1, 3)))])


def _links(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    target = rng.choice((bait.outside, bait.neighbour, "/proc/self/environ"))
    return pack([("turn-001.wav", str(target).encode()), ("turn-002.wav", seeds["pcm.wav"])], attributes=LINK_MODE)


def _twice(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    name = rng.choice(("turn-001.wav", "Anna.wav", "dub.json"))
    return pack([(name, seeds["pcm.wav"]), (name, seeds["mp3.mp3"]), (name.upper(), seeds["pcm.wav"])])


def _bomb(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    """Pack zeros, in one or several layers; for a manifest, too, which is read whole."""
    size = rng.choice((3_000_000, BOMB_BYTES))
    name = rng.choice(("turn-001.wav", "dub.json"))
    content = pack([(name, bytes(size))], rng.choice(_METHODS[1:]))
    return content if rng.random() < 0.7 else pack([("turn-001.zip", content)])


def _overlapping(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    """Have many entries of the directory share one member, so that a small file unpacks to a large one."""
    content = pack([("turn-001.wav", bytes(1_000_000))])
    at = content.find(_CENTRAL)
    end = content.find(b"PK\x05\x06")
    times = rng.choice((3, 100, 1999))
    entries = b"".join(
        content[at:end].replace(b"turn-001", b"turn-%03d" % (number % 1000)) for number in range(1, times + 1)
    )
    return content[:at] + entries + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, times, times, len(entries), at, 0)


def _many(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    return pack([(f"turn-{number:04}.wav", b"") for number in range(rng.choice((300, 2001, 3000)))])


def _encrypted(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    content = bytearray(pack(_pieces(seeds, rng)))
    for mark, offset in ((_CENTRAL, 8), (_LOCAL, 6)):
        for at in _all(content, mark):
            content[at + offset] |= rng.choice((1, 0x41))
    return bytes(content)


def _greedy_lzma(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    """Claim so large a dictionary that reading a byte takes gigabytes."""
    content = pack([("turn-001.wav", seeds["pcm.wav"])], zipfile.ZIP_LZMA)
    return claim_lzma_dictionary(content, rng.choice((2**20, 2**30, 2**32 - 1, lzma.PRESET_EXTREME & 0xFFFFFFFF)))


def _manifest(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> bytes:
    """Add a manifest that names what it should not, or is none."""
    file = rng.choice(("a.wav", str(bait.outside), "../a.wav", "dub.json", "a.wav/", "", "\\ud800", "a" * 400))
    place = rng.choice(
        ('"turn": 1', '"turn": 99999999999999999999', '"start": 1e5', '"speaker": "\\u0000"', '"start": -0.0')
    )
    text = rng.choice(
        (f'[{{"file": "{file}", {place}}}]', "[" * 100_000, "{}", "[]", '[{"file": "a.wav"}]', "\xff\xfe[")
    )
    folder = rng.choice(("", "x/", "__MACOSX/", "../"))
    return pack([(f"{folder}dub.json", text.encode("latin-1")), (f"{folder}a.wav", seeds["pcm.wav"])])


def _all(content: bytes | bytearray, mark: bytes) -> list[int]:
    found: list[int] = []
    at = content.find(mark)
    while at >= 0:
        found.append(at)
        at = content.find(mark, at + 1)
    return found


Maker = Callable[[Bait, Mapping[str, bytes], random.Random], bytes]
_MAKERS: tuple[Maker, ...] = (
    *(_whole, _damaged, _damaged_piece, _foreign_names, _links, _twice, _bomb, _overlapping, _many, _encrypted),
    *(_greedy_lzma, _manifest),
)
_WEIGHTS = (2, 10, 6, 4, 3, 2, 4, 2, 1, 2, 2, 4)
