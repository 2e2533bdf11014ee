"""Changes to files: of bits and bytes, of sizes and numbers, of elements, of whole files."""

import random
from collections.abc import Callable, Sequence

from tests.fuzz.elements import Element, find_elements, fix_ogg_checksums, is_ogg

MAX_CHANGES = 4
MAX_BYTES = 400_000
HEADER_BYTES = 256
_EVIL = (0, 1, 2, 7, 8, 64, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 65536, 10**6, 2**31 - 1, 2**31, 2**32 - 1)
_EVIL_LONG = (*_EVIL, 2**32, 2**40, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
_EBML_HEAD = b"\x1aE\xdf\xa3"

Change = Callable[[bytes, random.Random], bytes]


def mutate(data: bytes, rng: random.Random, others: Sequence[bytes]) -> tuple[bytes, str]:
    """Change a file in one to four ways.

    Args:
        data: The file.
        rng: Decides.
        others: Files that it may be spliced with.

    Returns:
        The file, and the names of the changes.
    """
    made: list[str] = []
    for _ in range(rng.randint(1, MAX_CHANGES)):
        change = rng.choices(_CHANGES, _WEIGHTS)[0]
        data = _splice(data, rng.choice(others), rng) if change is None else change(data, rng)
        made.append("splice" if change is None else change.__name__)
        data = data[:MAX_BYTES] or b"\0"
    if is_ogg(data) and rng.random() < 0.9:
        data = fix_ogg_checksums(data)
    return data, ", ".join(made)


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    """Flip some bits anywhere, mostly near the beginning."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 40))):
        at = rng.randrange(len(changed)) if rng.random() < 0.5 else rng.randrange(min(len(changed), HEADER_BYTES))
        changed[at] ^= 1 << rng.randrange(8)
    return bytes(changed)


def fill_run(data: bytes, rng: random.Random) -> bytes:
    """Overwrite a run of bytes with one value, or with chance."""
    at, length = rng.randrange(len(data)), rng.choice((1, 4, 16, 64, 1000))
    run = bytes([rng.choice((0, 255, 0x41))]) * length if rng.random() < 0.6 else rng.randbytes(length)
    return data[:at] + run + data[at + length :]


def insert_run(data: bytes, rng: random.Random) -> bytes:
    """Put bytes in, so that all that follows moves."""
    at = rng.randrange(len(data))
    return data[:at] + rng.randbytes(rng.choice((1, 3, 8, 500))) + data[at:]


def cut_out(data: bytes, rng: random.Random) -> bytes:
    """Take bytes out."""
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.choice((1, 3, 8, 188, 2000)) :]


def truncate(data: bytes, rng: random.Random) -> bytes:
    """Cut the end off."""
    return data[: rng.randrange(1, len(data) + 1)]


def claim_number(data: bytes, rng: random.Random) -> bytes:
    """Write a huge, a zero or an odd number into a header: rates, channels, lengths, dimensions, counts."""
    heads = [each for each in find_elements(data) if 0 < each.end - each.body <= HEADER_BYTES]
    if heads and rng.random() < 0.9:
        head = rng.choice(heads)
        start, end = head.body, head.end
    else:
        start, end = 0, min(len(data), HEADER_BYTES)
    width = rng.choice((1, 2, 2, 3, 4, 4, 4, 8))
    at = start + rng.randrange(max(1, end - start))
    at -= at % 2 if rng.random() < 0.7 else 0
    number = rng.choice(_EVIL_LONG) & ((1 << 8 * width) - 1)
    changed = bytearray(data)
    changed[at : at + width] = number.to_bytes(width, rng.choice(("big", "little")))
    return bytes(changed)


def change_size(data: bytes, rng: random.Random) -> bytes:
    """Change what an element says of its own size: more, less, nothing, unknown."""
    element = _pick(data, rng)
    if element is None or not element.size_bytes:
        return claim_number(data, rng)
    width, ebml = element.size_bytes, data.startswith(_EBML_HEAD)
    old = int.from_bytes(data[element.size_at : element.size_at + width], "big" if element.big_endian else "little")
    new = rng.choice((0, 1, 4, 7, 8, old + 1, old - 1, old + 8, old * 2, old // 2, 2**31 - 1, 2**32 - 1, 2**63, -1))
    if ebml:
        # All ones: the size is unknown.
        new = (new & ((1 << 7 * width) - 1)) | 1 << 7 * width
    changed = bytearray(data)
    field = (new & ((1 << 8 * width) - 1)).to_bytes(width, "big" if element.big_endian else "little")
    changed[element.size_at : element.size_at + width] = field
    return bytes(changed)


def repeat_element(data: bytes, rng: random.Random) -> bytes:
    """Put an element there several times."""
    element = _pick(data, rng)
    if element is None:
        return fill_run(data, rng)
    part = data[element.start : element.end]
    times = min(rng.choice((1, 2, 10, 300)), MAX_BYTES // max(1, len(part)))
    return data[: element.end] + part * times + data[element.end :]


def remove_element(data: bytes, rng: random.Random) -> bytes:
    """Leave an element out."""
    element = _pick(data, rng)
    return cut_out(data, rng) if element is None else data[: element.start] + data[element.end :]


def move_element(data: bytes, rng: random.Random) -> bytes:
    """Put an element in another place, maybe inside of itself."""
    element, other = _pick(data, rng), _pick(data, rng)
    if element is None or other is None:
        return fill_run(data, rng)
    part = data[element.start : element.end]
    rest = data[: element.start] + data[element.end :]
    at = min(rng.choice((other.start, other.body, other.end)), len(rest))
    return rest[:at] + part + rest[at:]


def nest_element(data: bytes, rng: random.Random) -> bytes:
    """Put an element into many of its own kind, each with the size of all that is in it or an unknown one."""
    element = _pick(data, rng)
    if element is None or element.size_bytes < 2:
        return repeat_element(data, rng)
    head, part = data[element.start : element.body], data[element.start : element.end]
    at, width = element.size_at - element.start, element.size_bytes
    order, ebml = "big" if element.big_endian else "little", data.startswith(_EBML_HEAD)
    whole, unknown = data.startswith(b"riff") or (not ebml and at == 0), rng.random() < 0.3
    for _ in range(min(rng.choice((3, 40, 1000)), (MAX_BYTES - len(data)) // max(1, len(head)))):
        size = len(part) + (len(head) if whole else 0)
        if ebml:
            size = ((1 << 7 * width) - 1 if unknown else size & ((1 << 7 * width) - 1)) | 1 << 7 * width
        field = (size & ((1 << 8 * width) - 1)).to_bytes(width, order)
        part = head[:at] + field + head[at + width :] + part
    return data[: element.start] + part + data[element.end :]


def shuffle_elements(data: bytes, rng: random.Random) -> bytes:
    """Bring the elements beside each other into another order."""
    flat: list[Element] = []
    for each in find_elements(data):
        if not flat or each.start >= flat[-1].end:
            flat.append(each)
    if len(flat) < 2:
        return move_element(data, rng)
    parts = [data[each.start : each.end] for each in flat]
    rng.shuffle(parts)
    return data[: flat[0].start] + b"".join(parts) + data[flat[-1].end :]


def double_file(data: bytes, rng: random.Random) -> bytes:
    """Put the file behind itself, as recordings that were put together."""
    return data * rng.choice((2, 3, 8))


def _splice(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Begin as one file and go on as another."""
    return data[: rng.randrange(1, len(data) + 1)] + other[rng.randrange(len(other)) :]


def _pick(data: bytes, rng: random.Random) -> Element | None:
    found = find_elements(data)
    return rng.choice(found) if found else None


_CHANGES: tuple[Change | None, ...] = (
    *(flip_bits, fill_run, insert_run, cut_out, truncate, claim_number, change_size),
    *(repeat_element, remove_element, move_element, nest_element, shuffle_elements, double_file, None),
)
_WEIGHTS = (5, 3, 2, 2, 2, 12, 8, 4, 3, 3, 2, 1, 1, 2)
