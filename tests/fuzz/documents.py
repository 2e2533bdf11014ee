"""Documents as people may send or change them: transcripts, edits, voice-books, manifests."""

import json
import random
from typing import Any

from tests.fuzz.inputs import HostileInput
from tests.fuzz.mutators import flip_bits, truncate

MAX_CHANGES = 3
MAX_REPEATED = 2000
_TEXTS = (
    *("", " ", "\0", "\u202egnp.exe", "\ud800", "a" * 5000, "e\u0301" * 300, "\U0001f600" * 50, "\r\n\u2028[00:00]"),
    *(
        "</font><b>",
        "{\\an8}{\\p1}m 0 0",
        "<v Anna>",
        "-->",
        "`*_#|~>",
        "=cmd|' /C calc'!A0",
        "../../etc/passwd",
        "%n%s",
    ),
    *("\x1b]0;title\x07", "NaN", '"item []:', 'text = "a"', "\t\t", "@everyone <@1>", "S1", "\ufeff", "1\n\n2\n00:00"),
)
_NUMBERS = (
    0,
    -1,
    -0.0,
    1e-9,
    0.1 + 0.2,
    1e308,
    -1e308,
    1e400,
    2**31,
    2**63,
    2**64,
    -(2**63),
    10**30,
    359999.9999,
    360000,
)
_OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": None}, "NaN")


def make_transcript(rng: random.Random) -> HostileInput:
    """Make a transcript with the voices beside it, and new names for speakers."""
    transcript, voices = _transcript(rng), _voices()
    names = {rng.choice(("S1", "S2", "Anna", "", "\0")): rng.choice(_TEXTS) for _ in range(rng.choice((0, 0, 1, 2)))}
    content, made = _spoil(transcript, rng)
    beside, made_beside = _spoil(voices, rng) if rng.random() < 0.3 else (_encode(voices), "whole")
    names = {key: name.encode(errors="replace").decode() for key, name in names.items()}
    return HostileInput(
        kind="transcript",
        name="transcript.json",
        content=content,
        made=f"{made}; voices {made_beside}",
        beside={"voices.json": beside, "transcript.rttm": _rttm(rng)},
        names=names,
    )


def make_edits(rng: random.Random) -> HostileInput:
    """Make a file of edits, and the transcript and voices that they are of."""
    transcript = _transcript_of(3, "en")
    operations = [_operation(transcript["turns"], rng) for _ in range(rng.choice((0, 1, 2, 8)))]
    content, made = _spoil({"version": 1, "duration": transcript["duration"], "operations": operations}, rng)
    beside = {"transcript.json": _encode(transcript), "voices.json": WHOLE_VOICES}
    return HostileInput(kind="edits", name="edits.json", content=content, made=made, beside=beside)


def make_voice_book(rng: random.Random) -> HostileInput:
    """Make a voice-book, and the voices of a clip that are looked for in it."""
    content, made = _spoil(_book(rng), rng)
    return HostileInput(
        kind="voice-book", name="voices.json", content=content, made=made, beside={"heard.json": _encode(_book(rng))}
    )


def make_manifest(rng: random.Random, sound: bytes) -> HostileInput:
    """Make a `dub.json` and the files beside it."""
    files = ("a.wav", "b.wav", "turn-003.wav")
    entries: list[Any] = [{"file": "a.wav", "turn": 1}, {"file": "b.wav", "speaker": "Anna"}]
    entries.append({"file": "turn-003.wav", "start": 0.2})
    hostile = (
        "../neighbour/clip.wav",
        "/etc/passwd",
        "a.wav\0",
        "./a.wav",
        "out",
        "dub.json",
        "a" * 300,
        "sub/../a.wav",
    )
    for _ in range(rng.choice((0, 1, 2))):
        entries.append(
            {"file": rng.choice(hostile), rng.choice(("turn", "speaker", "start")): rng.choice((2, 5, "B", 0.5))}
        )
    content, made = _spoil(entries, rng)
    return HostileInput(
        kind="manifest", name="dub.json", content=content, made=made, beside=dict.fromkeys(files, sound)
    )


def _transcript(rng: random.Random) -> dict[str, Any]:
    return _transcript_of(rng.choice((0, 1, 3, 12)), rng.choice(("en", "zh", "")))


def _transcript_of(count: int, language: str) -> dict[str, Any]:
    turns: list[Any] = []
    for number in range(count):
        start = number * 0.9
        words = [
            {"start": start + 0.2 * at, "end": start + 0.2 * at + 0.2, "text": text, "confidence": 0.9}
            for at, text in enumerate(("Hello,", "world", "你好", "there."))
        ]
        spoken = " ".join(word["text"] for word in words)
        turns.append(
            {
                "start": start,
                "end": start + 0.8,
                "speaker": f"S{1 + number % 2}",
                "text": spoken,
                "overlap": False,
                "words": words,
            }
        )
    speakers = [{"id": "S1", "name": "Anna"}, {"id": "S2", "name": "Speaker 2"}]
    return {"language": language, "duration": 12.0, "speakers": speakers, "turns": turns}


def _operation(turns: list[Any], rng: random.Random) -> dict[str, Any]:
    """Make an operation on a line, most of which fit as long as no other has changed it."""
    number = rng.randrange(len(turns))
    seen, after = (_seen(turns, place % len(turns)) for place in (number, number + 1))
    text = rng.choice(_TEXTS).encode(errors="replace").decode()
    turn = {**turns[number], "text": "Hello,", "words": turns[number]["words"][:1]}
    return rng.choice(
        (
            {"op": "set_words", "seen": seen, "words": ["Oh,", text]},
            {"op": "give", "seen": seen, "first": rng.choice((0, 1, 9)), "speaker": "S2"},
            {"op": "give", "seen": seen, "speaker": "S3", "name": text},
            {"op": "split", "seen": seen, "at": rng.choice((1, 2, 4, -1))},
            {"op": "merge", "seen": seen, "second": after},
            {"op": "delete", "seen": seen},
            {"op": "add", "speaker": "S1", "start": 8.0, "end": rng.choice(_NUMBERS), "words": ["Well.", text]},
            {"op": "rename", "speaker": "S1", "name": text},
            {"op": "replace", "gone": [seen], "put": [{"line": seen["line"], "after": None, "turn": turn}]},
        )
    )


def _seen(turns: list[Any], number: int) -> dict[str, Any]:
    """Describe a line as an edit names it."""
    turn = turns[number]
    words = [[word["start"], word["end"], word["text"]] for word in turn["words"]]
    return {"line": f"L{number + 1}", "speaker": turn["speaker"], "words": words}


def _voices() -> dict[str, Any]:
    segments = [{"start": 0.0, "end": 0.8, "speaker": "S1"}, {"start": 0.7, "end": 1.5, "speaker": "S2"}]
    return {"speakers": ["S1", "S2"], "segments": segments, "exclusive": segments}


def _rttm(rng: random.Random) -> bytes:
    line = "SPEAKER clip 1 {} {} <NA> <NA> {} <NA> <NA>\n"
    values = ("0.000", "1.5", "-1", "nan", "inf", "1e999", "x", "")
    return "".join(
        line.format(rng.choice(values), rng.choice(values), rng.choice(("Anna", "S1", "Speaker_2", "?")))
        for _ in range(3)
    ).encode()


def _book(rng: random.Random) -> dict[str, Any]:
    return _book_of(rng.choice((1, 4, 192, 192)))


def _book_of(size: int) -> dict[str, Any]:
    voices = [
        {"name": name, "vector": [0.0] * place + [1.0] + [0.0] * (size - place - 1), "seconds": 12.5}
        for place, name in enumerate(("Anna", "Bo")[:size])
    ]
    return {"version": 1, "model": "toy", "digest": "", "voices": voices}


def _spoil(document: Any, rng: random.Random) -> tuple[bytes, str]:
    """Change a document in its values, its shape or its bytes."""
    made: list[str] = []
    for _ in range(rng.randint(0, MAX_CHANGES)):
        change = rng.choice((_replace, _replace, _replace, _repeat, _drop))
        document = change(document, rng)
        made.append(change.__name__.strip("_"))
    content = _encode(document)
    for spoil in (flip_bits, truncate, _deepen, _say_twice):
        if rng.random() < 0.08:
            content = spoil(content, rng)
            made.append(spoil.__name__.strip("_"))
    return content, ", ".join(made) or "whole"


def _encode(document: Any) -> bytes:
    """Write JSON, with lone surrogates and with what is no JSON: `NaN`, `Infinity`."""
    return json.dumps(document).encode()


def _deepen(content: bytes, rng: random.Random) -> bytes:
    depth = rng.choice((50, 2000, 100_000))
    return rng.choice(
        (b"[" * depth + content, b'{"a":' * depth, content[:-1] + b',"x":' + b"[" * depth + b"]" * depth + b"}")
    )


def _say_twice(content: bytes, rng: random.Random) -> bytes:
    return content + rng.choice((b"\0", content, b"\n", b"\xef\xbb\xbf"))


def _replace(document: Any, rng: random.Random) -> Any:
    value = rng.choice(rng.choice((_TEXTS, _NUMBERS, _OTHERS)))
    return _change_at(document, rng, lambda part: [value] if rng.random() < 0.05 else value)


def _repeat(document: Any, rng: random.Random) -> Any:
    times = rng.choice((2, 2, 50, MAX_REPEATED))
    return _change_at(
        document, rng, lambda part: part * times if isinstance(part, list | str) and len(part) < 50 else part
    )


def _drop(document: Any, rng: random.Random) -> Any:
    def drop(part: Any) -> Any:
        if isinstance(part, list) and part:
            return part[1:]
        if isinstance(part, dict) and part:
            gone = rng.choice(sorted(part))
            return {key: value for key, value in part.items() if key != gone}
        return part

    return _change_at(document, rng, drop)


def _change_at(part: Any, rng: random.Random, change: Any) -> Any:
    """Change a value somewhere in a document."""
    if isinstance(part, dict) and part and rng.random() < 0.85:
        key = rng.choice(sorted(part))
        return {**part, key: _change_at(part[key], rng, change)}
    if isinstance(part, list) and part and rng.random() < 0.85:
        at = rng.randrange(len(part))
        return [*part[:at], _change_at(part[at], rng, change), *part[at + 1 :]]
    return change(part)


WHOLE_TRANSCRIPT = _encode(_transcript_of(3, "en"))
"""What a dub is placed by."""
WHOLE_VOICES = _encode(_voices())
WHOLE_BOOK = _encode(_book_of(192))
