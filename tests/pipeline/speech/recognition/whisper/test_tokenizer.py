"""Byte-level BPE: text to ids and back."""

import json
from pathlib import Path

import pytest

from pipeline.models.loader import Models
from pipeline.speech.recognition.whisper.tokenizer import WhisperTokenizer, _byte_letters


@pytest.fixture
def tokenizer() -> WhisperTokenizer:
    letters = list(_byte_letters().values())
    merges = [("Ġ", "a"), ("a", "b"), ("Ġa", "b"), ("c", "c")]
    vocabulary = {text: number for number, text in enumerate([*letters, *("".join(pair) for pair in merges)])}
    return WhisperTokenizer({**vocabulary, "<|endoftext|>": len(vocabulary)}, merges)


@pytest.mark.parametrize("text", ["", "ab", " ab ab", "cc c", "Grüße", "你好 ab", "it's  42%\n", "😀"])
def test_text_comes_back(tokenizer: WhisperTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text).input_ids) == text


def test_pairs_of_lowest_rank_are_joined_first(tokenizer: WhisperTokenizer) -> None:
    texts = [tokenizer.decode(number) for number in tokenizer.encode(" abb ccc").input_ids]
    assert texts == [" ab", "b", " ", "cc", "c"]


def test_special_tokens_follow_the_vocabulary_and_timestamps_vanish(tokenizer: WhisperTokenizer) -> None:
    size = len(tokenizer)
    assert tokenizer.add_special_tokens({"additional_special_tokens": ["<|en|>", "<|nospeech|>"]}) == 2
    assert tokenizer.encode("<|nospeech|>").input_ids == [size + 1]
    assert tokenizer.additional_special_tokens_ids == [size, size + 1]
    assert tokenizer.all_special_ids == [size - 1, size, size + 1]
    assert tokenizer.decode([*tokenizer.encode("ab").input_ids, size + 2, size + 50]) == "ab"


def test_a_broken_character_is_shown_as_such(tokenizer: WhisperTokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode("好").input_ids[:2]) == "\ufffd"


@pytest.mark.asr
def test_ids_are_those_of_the_published_model(tmp_path: Path) -> None:
    from pipeline.speech.compat.paddlespeech import load_paddlespeech
    from pipeline.speech.recognition.whisper.weights import ensure_converted

    models = Models(tmp_path, "cpu")
    folder = ensure_converted(tmp_path, models=models)
    tokenizer = load_paddlespeech().tokenizer.get_tokenizer(
        True, resource_path=str(folder), language="en", task="transcribe"
    )
    assert tokenizer.sot_sequence == (50258, 50259, 50359)
    assert (tokenizer.eot, tokenizer.no_speech, tokenizer.timestamp_begin) == (50257, 50362, 50364)
    assert tokenizer.encode("Hello world, it's 2026.").input_ids == [15947, 1002, 11, 309, 311, 945, 10880, 13]
    config = json.loads(models.files("whisper-base")["config"].read_text())
    marks = {tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm, tokenizer.no_speech, 50358, 50359}
    assert {*tokenizer.non_speech_tokens, *marks} == set(config["suppress_ids"])
    assert list(tokenizer.all_language_tokens) == config["lang_ids"]
