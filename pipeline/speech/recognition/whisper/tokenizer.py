"""Byte-level BPE of GPT-2 and Whisper, with the interface that PaddleSpeech expects of PaddleNLP's `GPTTokenizer`.

PaddleNLP takes two thirds of the time that importing PaddleSpeech takes, and only its
tokenizer is used. Ids are the vocabulary's, then special tokens, then 1501 timestamps of
20 ms each. Text is a sequence of bytes: a character may be spread over several tokens.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Self

END = "<|endoftext|>"
_SPECIAL = re.compile(r"(<\|[a-z]+\|>)")
_WORD_PATTERN = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
"""GPT-2's pattern; categories L and N are close to Python's word and digit classes."""


@lru_cache(maxsize=1)
def _byte_letters() -> Mapping[int, str]:
    """Map each byte to the printable letter that stands for it in GPT-2's vocabulary files."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + n) for n, byte in enumerate(others)}}


@dataclass(frozen=True, slots=True)
class Encoding:
    """The result type of PaddleNLP's tokenizers."""

    input_ids: list[int]


class WhisperTokenizer:
    """Text to ids and back."""

    def __init__(self, vocabulary: Mapping[str, int], merges: Iterable[tuple[str, str]]) -> None:
        self._ids = dict(vocabulary)
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._letters = _byte_letters()
        self._values = {letter: byte for byte, letter in self._letters.items()}
        self._texts = {number: text for text, number in vocabulary.items()}
        self._special = {END: vocabulary[END]}

    @classmethod
    def from_pretrained(cls, path: str) -> Self:
        """Read `vocab.json` and `merges.txt` of a folder."""
        folder = Path(path)
        vocabulary: dict[str, int] = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
        pairs = (line.split(" ") for line in lines if line and not line.startswith("#version"))
        return cls(vocabulary, ((first, second) for first, second in pairs))

    def add_special_tokens(self, tokens: Mapping[str, Sequence[str]]) -> int:
        """Append special tokens in order, and return how many are new."""
        new = [text for texts in tokens.values() for text in texts if text not in self._special]
        for text in new:
            number = len(self)
            self._special[text] = number
            self._texts[number] = text
        return len(new)

    @property
    def eos_token_id(self) -> int:
        """Id of the end of the text."""
        return self._special[END]

    @property
    def all_special_ids(self) -> list[int]:
        """End of text first, then the added tokens in their order."""
        return list(self._special.values())

    @property
    def additional_special_tokens(self) -> list[str]:
        """The added tokens."""
        return list(self._special)[1:]

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """The ids of the added tokens."""
        return self.all_special_ids[1:]

    def __len__(self) -> int:
        return len(self._texts)

    def encode(self, text: str) -> Encoding:
        """Encode a text; special tokens in it are taken as such."""
        ids: list[int] = []
        for part in _SPECIAL.split(text):
            if part in self._special:
                ids.append(self._special[part])
            else:
                ids.extend(number for word in _WORD_PATTERN.findall(part) for number in self._encode_word(word))
        return Encoding(ids)

    def decode(self, ids: int | Iterable[int]) -> str:
        """Decode ids; broken characters become U+FFFD, timestamps vanish."""
        return self.decode_bytes([ids] if isinstance(ids, int) else ids).decode("utf-8", errors="replace")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Decode ids to UTF-8 bytes."""
        texts = (self._texts.get(number, "") for number in ids)
        return b"".join(
            text.encode() if text in self._special else bytes(self._values[letter] for letter in text) for text in texts
        )

    def _encode_word(self, word: str) -> list[int]:
        """Join the pair of lowest rank until no pair is known."""
        parts = [self._letters[byte] for byte in word.encode()]
        while len(parts) > 1:
            rank, at = min((self._ranks.get(pair, len(self._ranks)), at) for at, pair in enumerate(pairwise(parts)))
            if rank == len(self._ranks):
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return [self._ids[part] for part in parts]
