"""Names kinds of files that are not taken by their first bytes, so that people learn what is wrong with theirs."""

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

HEAD_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class _Signature:
    """Bytes that files of a kind begin with."""

    kind: str
    start: bytes
    offset: int = 0
    inside: bytes = b""
    """Further bytes, 8 after the others: the form of a RIFF or IFF file."""

    def fits(self, head: bytes) -> bool:
        """Tell whether a file begins like this one."""
        at = self.offset
        return head.startswith(self.start, at) and (not self.inside or head.startswith(self.inside, at + 8))


_PICTURES: Final = (
    _Signature("GIF", b"GIF87a"),
    _Signature("GIF", b"GIF89a"),
    _Signature("PNG picture", b"\x89PNG\r\n\x1a\n"),
    _Signature("JPEG picture", b"\xff\xd8\xff"),
    _Signature("WebP picture", b"RIFF", inside=b"WEBP"),
    _Signature("TIFF picture", b"II*\0"),
    _Signature("TIFF picture", b"MM\0*"),
    _Signature("JPEG XL picture", b"\0\0\0\x0cJXL \r\n\x87\n"),
    _Signature("Photoshop picture", b"8BPS"),
    _Signature("SVG picture", b"<svg"),
    _Signature("raw video stream", b"\0\0\x01\xb3"),
    _Signature("raw video stream", b"\0\0\0\x01\x67"),
    _Signature("raw video stream", b"\0\0\0\x01\x40\x01"),
    _Signature("raw video stream", b"YUV4MPEG2 "),
)
"""Kinds that never have sound."""
_OTHERS: Final = (
    _Signature("Windows Media (wmv, wma, asf)", bytes.fromhex("3026b2758e66cf11")),
    _Signature("RealMedia (rm, rmvb)", b".RMF"),
    _Signature("RealAudio (ra)", b".ra\xfd"),
    _Signature("MXF", bytes.fromhex("060e2b34020501010d0102")),
    _Signature("Flash (swf)", b"FWS"),
    _Signature("Flash (swf)", b"CWS"),
    _Signature("Flash (swf)", b"ZWS"),
    _Signature("DV", b"\x1f\x07\0"),
    _Signature("NUT", b"nut/multimedia container\0"),
    _Signature("Monkey's Audio (ape)", b"MAC "),
    _Signature("Musepack (mpc)", b"MPCK"),
    _Signature("Musepack (mpc)", b"MP+"),
    _Signature("TAK", b"tBaK"),
    _Signature("OptimFROG (ofr)", b"OFR "),
    _Signature("DSD (dsf)", b"DSD "),
    _Signature("DSD (dff)", b"FRM8"),
    _Signature("Creative Voice (voc)", b"Creative Voice File\x1a"),
    _Signature("8SVX (iff)", b"FORM", inside=b"8SVX"),
    _Signature("Sony OpenMG (oma)", b"ea3\x03"),
    _Signature("Sony OpenMG (oma)", b"EA3"),
    _Signature("MIDI", b"MThd"),
    _Signature("IVF", b"DKIF"),
    _Signature("Audible (aax)", b"ftypaax ", offset=4),
    _Signature("NSV", b"NSVf"),
    _Signature("SoX", b".SoX"),
    _Signature("IRCAM", b"\x64\xa3\x01\0"),
    _Signature("TrueHD (thd)", b"\xf8\x72\x6f\xba", offset=4),
    _Signature("zip", b"PK\x03\x04"),
    _Signature("rar", b"Rar!\x1a\x07"),
    _Signature("7z", b"7z\xbc\xaf\x27\x1c"),
    _Signature("gzip", b"\x1f\x8b\x08"),
    _Signature("PDF", b"%PDF-"),
)
_TAGGED: Final = MappingProxyType({b"RIFF": "wav", b"RF64": "wav", b"FORM": "aiff", b".snd": "au", b"riff": "w64"})
"""Kinds before which people's programs put a tag, though they have a place of their own for it."""
_SSND_HEADER_BYTES: Final = 8
_W64_DATA: Final = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
_W64_HEADER_BYTES: Final = 24
_DOCUMENTS: Final = (b"<!doctype html", b"<html")
_ARCHIVES: Final = frozenset({"zip", "rar", "7z", "gzip"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a kind of file is not taken and what to do, one sentence each."""

    message: str
    hint: str


def explain_refusal(path: Path) -> Refusal | None:
    """Say why a file is not taken, by its first bytes; None where they tell no kind."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    picture = next((each.kind for each in _PICTURES if each.fits(head)), None) or _bitmap(head)
    if picture is not None:
        return Refusal(f"The file is a {picture}, which has no sound.", "Send a clip with sound.")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_DOCUMENTS):
        return Refusal("The file is a web page.", "Save the video or the sound itself and send that.")
    kind = next((each.kind for each in _OTHERS if each.fits(head)), None)
    if kind in _ARCHIVES:
        return Refusal(f"The file is an archive ({kind}).", "Unpack it and send the clip itself.")
    if kind == "PDF":
        return Refusal("The file is a PDF.", "Send a video or sound file.")
    if kind is not None:
        return Refusal(f"{kind} is not taken.", "Convert it to mp4 and send that.")
    if _is_empty(head):
        return Refusal(
            "The file says that it holds no sound, as a recording that broke off does.",
            "Open it in an audio editor, save it again and send that.",
        )
    tagged = _kind_behind_tag(path, head)
    return (
        None
        if tagged is None
        else Refusal(
            f"An ID3 tag stands in front of this {tagged}, where none belongs.",
            "Save it again without tags and send that.",
        )
    )


def _is_empty(head: bytes) -> bool:
    """Tell whether an AU, AIFF or Wave64 claims to have no samples."""
    if head.startswith(b".snd"):
        return head[8:12] == bytes(4)
    if head.startswith(b"FORM"):
        at = head.find(b"SSND")
        return at >= 0 and int.from_bytes(head[at + 4 : at + 8], "big") <= _SSND_HEADER_BYTES
    at = head.find(_W64_DATA) if head.startswith(b"riff") else -1
    return at >= 0 and int.from_bytes(head[at + 16 : at + 24], "little") <= _W64_HEADER_BYTES


def _kind_behind_tag(path: Path, head: bytes) -> str | None:
    """Name what stands behind an ID3 tag (ID3v2, section 3.1)."""
    if not head.startswith(b"ID3"):
        return None
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    with path.open("rb") as file:
        file.seek(10 + size)
        behind = file.read(4)
    return _TAGGED.get(behind)


def _bitmap(head: bytes) -> str | None:
    """Name a BMP, whose two letters alone are not enough to tell it: its header's size is looked at as well."""
    known = head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124)
    return "BMP picture" if known else None
