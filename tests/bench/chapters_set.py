"""Recordings whose topics are known: real texts on different subjects, one after the other, said by made-up speakers.

English texts are the documentation inside of modules of the standard library. Each module is one subject, and those of
one half are never in a recording of the other.
"""

import importlib
import inspect
import random
import re
from dataclasses import dataclass
from typing import Final

from pipeline.types import Speaker, Transcript, Turn, Word

MODULES: Final = """
argparse ast asyncio.events base64 bdb calendar cmd codecs collections concurrent.futures configparser
contextlib copy csv ctypes datetime dbm decimal difflib dis doctest email.message enum fileinput fractions
ftplib functools gettext gzip hashlib heapq html.parser http.client http.cookiejar imaplib inspect ipaddress
itertools json locale logging mailbox mimetypes multiprocessing.pool optparse os pathlib pdb pickle platform
plistlib poplib pprint profile queue random sched secrets selectors shelve shlex shutil smtplib socket
socketserver sqlite3 ssl statistics string struct subprocess tarfile tempfile textwrap threading timeit
tokenize trace traceback turtle typing unittest urllib.request uuid warnings wave weakref webbrowser
xml.dom.minidom xml.etree.ElementTree zipfile zoneinfo
"""
MIN_WORDS: Final = 420
WORDS_PER_S: Final = 2.5
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z']+")


@dataclass(frozen=True, slots=True)
class Recording:
    """A transcript, and when its topics begin."""

    transcript: Transcript
    borders: tuple[float, ...]


def texts() -> dict[str, list[str]]:
    """The words of each subject that has enough of them."""
    found: dict[str, list[str]] = {}
    for name in MODULES.split():
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        documented = [inspect.getdoc(module) or ""]
        for _, member in sorted(inspect.getmembers(module), key=lambda pair: pair[0]):
            if getattr(member, "__module__", name) not in (name, f"_{name}"):
                continue
            documented.append(inspect.getdoc(member) or "")
            if inspect.isclass(member):
                documented += [inspect.getdoc(each) or "" for each in vars(member).values() if callable(each)]
        words = [word.lower() for text in dict.fromkeys(documented) for word in _WORD.findall(text)]
        if len(words) >= MIN_WORDS:
            found[name] = words
    return found


def recordings(half: str, count: int) -> list[Recording]:
    """Recordings of five to eight topics of two to six minutes, all of one half of the subjects."""
    known = texts()
    names = sorted(known)
    random.Random(7).shuffle(names)
    names = names[::2] if half == "tune" else names[1::2]
    chance = random.Random(half)
    return [_recording(chance, known, names) for _ in range(count)]


def _recording(chance: random.Random, known: dict[str, list[str]], names: list[str]) -> Recording:
    turns: list[Turn] = []
    borders: list[float] = []
    at = 0.0
    speakers = [f"s{number}" for number in range(chance.randrange(2, 5))]
    for name in chance.sample(names, chance.randrange(5, 9)):
        if turns:
            borders.append(at)
            # People pause between topics, but not always.
            at += chance.choice((0.2, 1.0, 2.5))
        words = known[name]
        length = min(len(words), chance.randrange(300, 900))
        first = chance.randrange(len(words) - length + 1)
        said = words[first : first + length]
        while said:
            count = chance.randrange(5, 45)
            turn, at = _turn(said[:count], at, chance.choice(speakers))
            turns.append(turn)
            said = said[count:]
            at += chance.choice((0.1, 0.3, 0.3, 0.8, 2.0))
    people = tuple(Speaker(id=each, name=each) for each in speakers)
    transcript = Transcript(language="en", duration=at, speakers=people, turns=tuple(turns))
    return Recording(transcript, tuple(borders))


def _turn(texts: list[str], at: float, speaker: str) -> tuple[Turn, float]:
    words = tuple(
        Word(start=at + index / WORDS_PER_S, end=at + (index + 0.9) / WORDS_PER_S, text=text, confidence=1.0)
        for index, text in enumerate(texts)
    )
    end = at + len(texts) / WORDS_PER_S
    return Turn(start=at, end=end, speaker=speaker, text=" ".join(texts), overlap=False, words=words), end
