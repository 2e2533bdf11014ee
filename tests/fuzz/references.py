"""Files that name other files and addresses: what a demuxer that follows them would open."""

import random
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.elements import find_elements
from tests.fuzz.inputs import HostileInput
from tests.fuzz.mutators import mutate


@dataclass(frozen=True, slots=True, kw_only=True)
class Bait:
    """What nobody may reach."""

    outside: Path
    """A clip outside of the scratch folder."""
    neighbour: Path
    """A clip of somebody else inside of it."""
    port: int
    """Where connections are counted."""
    socket: Path
    """Likewise, a local socket."""


def targets(bait: Bait) -> tuple[str, ...]:
    """List names for the baits, in the ways that ffmpeg knows."""
    web = f"127.0.0.1:{bait.port}"
    files = [str(bait.outside), str(bait.neighbour), f"../{bait.neighbour.parent.name}/{bait.neighbour.name}"]
    files += [f"../../../../outside/{bait.outside.name}", "/proc/self/environ", "/etc/passwd"]
    ways = (
        "{}",
        "file:{}",
        "file://{}",
        "subfile,,start,0,end,0,,:{}",
        "concat:{}|{}",
        "crypto:{}",
        "cache:{}",
        "async:{}",
    )
    named = [way.replace("{}", file) for file in files for way in ways]
    return (
        *named,
        *(f"{scheme}://{web}/clip.wav" for scheme in ("http", "https", "tcp", "udp", "rtmp", "rtsp", "ftp", "gopher")),
        *(
            f"unix:{bait.socket}",
            f"tls://{web}",
            f"hls+http://{web}/a.m3u8",
            f"tee:{bait.outside}",
            "data:audio/wav;base64,",
        ),
    )


def make_reference(bait: Bait, seeds: Mapping[str, bytes], rng: random.Random) -> HostileInput:
    """Make a file that names a bait."""
    target = rng.choice(targets(bait))
    maker = rng.choice(_MAKERS)
    suffix, content = maker(target, seeds, rng)
    made = f"{maker.__name__}: {target}"
    if rng.random() < 0.4:
        content, changes = mutate(content, rng, tuple(seeds.values()))
        made += f", {changes}"
    if rng.random() < 0.5:
        suffix = rng.choice((".mp4", ".mov", ".mkv", ".m4a", ".wav", ".ts", ".mp3", "", suffix))
    if rng.random() < 0.05:
        # Names that are patterns, lists or addresses to some demuxers.
        suffix = rng.choice((".%03d.wav", ".m3u8", ".sdp", ".ffconcat", ".mp4?a=b", ".concat"))
    return HostileInput(kind="reference", name=f"clip{suffix}", content=content, made=made)


def name_data_in_mp4(target: str, seeds: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    """Say in `dref` that the samples lie in another file: `url `, `urn ` or an alias of the classic Mac OS."""
    name = rng.choice(("h264.mp4", "tracks.mp4", "pcm.mov", "alac.m4a", "h263.3gp"))
    data = seeds[name]
    path = target.encode()
    kind = rng.choice((b"url ", b"urn ", b"alis", b"alis"))
    body = bytes(4) + (_alias(path, rng) if kind == b"alis" else path + b"\0")
    entry = struct.pack(">I", len(body) + 8) + kind + body
    dref = struct.pack(">I", len(entry) + 16) + b"dref" + struct.pack(">II", 0, 1) + entry
    return Path(name).suffix, _replace_boxes(data, b"dref", dref)


def _alias(path: bytes, rng: random.Random) -> bytes:
    """Write an alias record as libavformat's mov demuxer reads it: volume, folder, then the path as an extra."""
    name = path.rpartition(b"/")[2][:63]
    record = bytearray(150)
    # The path begins with the volume, which is taken off it.
    volume = rng.choice((b"", b"", b"Macintosh HD"))
    path = volume + path
    record[10] = len(volume)
    record[11 : 11 + len(volume)] = volume
    record[50] = len(name)
    record[51 : 51 + len(name)] = name
    levels = rng.choice((0, 1, 2, 5))
    struct.pack_into(">hh", record, 130, levels, levels)
    extras = b""
    for number, text in ((0, path.rpartition(b"/")[0]), (2, path), (18, path), (14, _utf16(path)), (15, _utf16(path))):
        extras += struct.pack(">hH", number, len(text)) + text + bytes(len(text) % 2)
    return bytes(record) + extras + struct.pack(">hH", -1, 0)


def _utf16(path: bytes) -> bytes:
    text = path.decode().encode("utf-16-be")
    return struct.pack(">H", len(text) // 2) + text


def name_movie_in_mov(target: str, seeds: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    """Say that the movie is another one (`rmra`)."""
    path = target.encode() + b"\0"
    rdrf = b"rdrf" + bytes(4) + b"url " + struct.pack(">I", len(path)) + path
    rmda = b"rmda" + _sized(rdrf)
    content = b"moov" + _sized(b"rmra" + _sized(rmda))
    return ".mov", _sized(b"ftypqt  \0\0\0\0qt  ") + _sized(content) + (seeds["pcm.mov"] if rng.random() < 0.5 else b"")


def write_concat_script(target: str, seeds: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    head = rng.choice(("ffconcat version 1.0\n", "", "# list\n"))
    options = rng.choice(("", "option protocol_whitelist file,http,tcp\n", "stream\nexact_stream_id 0x100\n"))
    return ".ffconcat", f"{head}file '{target}'\n{options}duration 1\nfile {target}\n".encode()


def write_hls_playlist(target: str, seeds: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    key = rng.choice(("", f'#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n', f'#EXT-X-MAP:URI="{target}"\n'))
    master = f"#EXT-X-STREAM-INF:BANDWIDTH=1000\n{target}\n"
    media = f"#EXT-X-TARGETDURATION:1\n{key}#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"
    sound = f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="{target}"\n'
    text = "#EXTM3U\n" + rng.choice((media, master, sound + master, media))
    # Behind a header of another kind: the trick of the first attacks with playlists in AVI.
    prefix = rng.choice((b"", b"", b"\xef\xbb\xbf", seeds["mp3.avi"][:200] + b"GAB2\0" + text.encode()))
    return ".m3u8", prefix + text.encode()


def put_playlist_in_avi(target: str, seeds: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    """Put a playlist into the subtitle track of an AVI (GAB2), which libavformat opens as a file of its own."""
    playlist = write_hls_playlist(target, seeds, rng)[1]
    name = "a.srt".encode("utf-16-le") + b"\0\0"
    gab2 = b"GAB2\0" + struct.pack("<HI", 2, len(name)) + name + struct.pack("<HI", 4, len(playlist)) + playlist
    data = seeds["mp3.avi"]
    header = b"strh" + struct.pack("<I", 56) + b"txts" + bytes(16) + struct.pack("<II", 1, 1) + bytes(28)
    track = b"strl" + header + b"strf" + struct.pack("<I", 0)
    movi = data.find(b"movi") + 4
    chunk = b"02tx" + struct.pack("<I", len(gab2)) + gab2 + bytes(len(gab2) % 2)
    data = data[:movi] + chunk + data[movi:]
    place = data.find(b"LIST", data.find(b"hdrl") + 4)
    return ".avi", data[:place] + b"LIST" + struct.pack("<I", len(track)) + track + data[place:]


def write_session_description(target: str, seeds: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    port = target.partition("127.0.0.1:")[2].partition("/")[0] or "9"
    text = f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns={target}\nc=IN IP4 127.0.0.1\nt=0 0\na=control:{target}\n"
    return ".sdp", (text + f"m=audio {port} RTP/AVP 0\na=rtpmap:0 PCMU/8000\n").encode()


def write_text(target: str, seeds: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    """Take another kind of text that can name a file."""
    texts = {
        ".srt": f"1\n00:00:00,000 --> 00:00:01,000\n<a href='{target}'>x</a>\n",
        ".ass": f"[Script Info]\nAudio File: {target}\nVideo File: {target}\n[Fonts]\nfontname: {target}\n",
        ".vtt": f"WEBVTT\n\n00:00.000 --> 00:01.000\n{target}\n",
        ".pls": f"[playlist]\nFile1={target}\nNumberOfEntries=1\n",
        ".asx": f'<asx version="3.0"><entry><ref href="{target}"/></entry></asx>',
        ".smil": f'<smil><body><audio src="{target}"/></body></smil>',
        ".mpd": f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period>'
        f'<AdaptationSet mimeType="audio/mp4"><Representation id="0"><BaseURL>{target}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>",
        ".svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{target}"/></svg>',
        ".cue": f'FILE "{target}" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\n',
        ".ffmeta": f";FFMETADATA1\ntitle={target}\n",
        ".txt": target,
        ".vs.avs": f'WavSource("{target}")\n',
    }
    suffix = rng.choice(tuple(texts))
    return suffix, texts[suffix].encode()


def name_files_in_matroska(target: str, seeds: Mapping[str, bytes], rng: random.Random) -> tuple[str, bytes]:
    """Name files in the places that Matroska has for them: linked segments, titles, attachments."""
    data = seeds["flac.mkv"]
    path = target.encode()[:120]
    size = bytes([0x80 | len(path)])
    names = b"".join(
        id_bytes + size + path for id_bytes in (b"\x3c\x83\xab", b"\x3e\x83\xbb", b"\x73\x84", b"\x7b\xa9")
    )
    info = b"\x15\x49\xa9\x66" + struct.pack(">Q", len(names) | 1 << 56) + names
    attachment = b"\x46\x6e" + size + path + b"\x46\x60\x8aaudio/mpeg" + b"\x46\x5c\x84RIFF"
    file = b"\x61\xa7" + struct.pack(">Q", len(attachment) | 1 << 56) + attachment
    attached = b"\x19\x41\xa4\x69" + struct.pack(">Q", len(file) | 1 << 56) + file
    clusters = data.find(b"\x1f\x43\xb6\x75")
    return ".mkv", data[:clusters] + info + attached + data[clusters:]


def _sized(content: bytes) -> bytes:
    """Write a box."""
    return struct.pack(">I", len(content) + 4) + content


def _replace_boxes(data: bytes, name: bytes, box: bytes) -> bytes:
    """Put a box in place of all of its name; the boxes around them grow."""
    boxes = find_elements(data)
    for old in reversed([each for each in boxes if data[each.start + 4 : each.start + 8] == name]):
        grown = len(box) - (old.end - old.start)
        changed = bytearray(data[: old.start] + box + data[old.end :])
        for outer in boxes:
            if outer.start < old.start and outer.end >= old.end:
                size = int.from_bytes(changed[outer.start : outer.start + 4], "big") + grown
                changed[outer.start : outer.start + 4] = size.to_bytes(4, "big")
        data = bytes(changed)
    return data


Maker = Callable[[str, Mapping[str, bytes], random.Random], tuple[str, bytes]]
_MAKERS: Sequence[Maker] = (
    *(
        name_data_in_mp4,
        name_data_in_mp4,
        name_movie_in_mov,
        write_concat_script,
        write_hls_playlist,
        put_playlist_in_avi,
    ),
    *(write_session_description, write_text, name_files_in_matroska),
)
