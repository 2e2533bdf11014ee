"""Which models hear a clip, by preset, language and what was asked for."""

import pytest

from pipeline.catalog import MODELS
from pipeline.errors import ValidationError
from pipeline.models.recognisers import RECOGNISERS
from pipeline.options import parse_request
from pipeline.speech.model_selection import (
    assign_names,
    options_to_diarize,
    options_to_transcribe,
    params_to_align,
)
from pipeline.types import ModelUse, Preset, Request, Speaker, Task


def models_of(**options: object) -> list[tuple[object, object]]:
    return [(option.params.model, option.params.language) for option in options_to_transcribe(parse_request(options))]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [("whisper-base", None)]),
        ({"language": "zh"}, [("whisper-base", "zh")]),
        ({"language": "zh-en"}, [("whisper-base", "zh")]),
        ({"preset": "studio"}, [("whisper-large-v2", None), ("whisper-base", None)]),
        ({"preset": "studio", "language": "en"}, [("whisper-large-v2", "en"), ("whisper-base", "en")]),
        ({"preset": "studio", "language": "zh"}, [("conformer_wenetspeech", "zh"), ("whisper-base", "zh")]),
        ({"preset": "studio", "language": "zh-en"}, [("conformer_talcs", "zh"), ("whisper-base", "zh")]),
        ({"recogniser": "auto", "language": "de"}, [("whisper-base", "de")]),
        ({"recogniser": "transcriber", "language": "en"}, None),
        ({"recogniser": "transformer_librispeech", "language": "en"}, [("transformer_librispeech", "en")]),
        ({"preset": "studio", "recogniser": "whisper-small"}, [("whisper-small", None)]),
        ({"recogniser": "conformer_talcs", "language": "zh-en"}, [("conformer_talcs", "zh")]),
    ],
)
def test_the_recogniser_follows_language_and_preset(
    options: dict[str, object], expected: list[tuple[object, object]] | None
) -> None:
    if expected is None:
        with pytest.raises(ValidationError, match="no recogniser called 'transcriber'") as caught:
            models_of(**options)
        assert all(name in caught.value.hint for name in RECOGNISERS)
        return
    assert models_of(**options) == expected


def test_the_result_says_why_where_there_was_a_choice() -> None:
    (only,) = options_to_transcribe(Request())
    assert only.reason == ""
    special, stand_in = options_to_transcribe(Request(preset=Preset.STUDIO, language="zh"))
    assert "conformer_wenetspeech recognised the Chinese: it was trained on" in special.reason
    assert "whisper-base, which comes with the packages" in stand_in.reason
    (asked,) = options_to_transcribe(Request(recogniser="whisper-tiny"))
    assert "as was asked" in asked.reason


@pytest.mark.parametrize(
    ("recogniser", "language", "sentence"),
    [
        ("conformer_wenetspeech", "de", "knows Chinese, and German was asked for"),
        ("conformer_wenetspeech", "zh-en", "knows Chinese, and Chinese and English was asked for"),
        ("transformer_librispeech", "zh", "knows English, and Chinese was asked for"),
        ("conformer_talcs", "ja", "knows Chinese and English, and Japanese was asked for"),
    ],
)
def test_a_language_that_the_recogniser_lacks_is_refused_beforehand(
    recogniser: str, language: str, sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence) as caught:
        parse_request({"recogniser": recogniser, "language": language})
    assert caught.value.hint == "Choose another language, or leave the recogniser to the preset."


def test_another_model_is_no_recogniser() -> None:
    with pytest.raises(ValidationError, match="spleeter"):
        parse_request({"recogniser": "spleeter-2stems"})


def test_every_recogniser_has_weights_and_tells_them_apart() -> None:
    assert {"whisper-tiny", "whisper-base", "whisper-small", "whisper-medium", "whisper-large-v2"} < {*RECOGNISERS}
    weights = [options_to_transcribe(Request(recogniser=name))[0].params.weights for name in RECOGNISERS]
    assert len({*map(str, weights)}) == len(RECOGNISERS)
    assert all(MODELS[name].environment == "asr" for name in RECOGNISERS)


def test_studio_hears_speakers_with_pyannotes_pipeline_first() -> None:
    (pocket,) = options_to_diarize(Request(min_speakers=2, max_speakers=4), background_gain=1.0)
    assert pocket.params.pipeline is None
    pretrained, pair = options_to_diarize(
        Request(preset=Preset.STUDIO, min_speakers=2, max_speakers=4), background_gain=1.0
    )
    assert pretrained.params.pipeline == "speaker-diarization-community-1"
    assert (pretrained.params.min_speakers, pretrained.params.max_speakers) == (2, 4)
    assert pair.params == pocket.params
    assert "which come with the packages" in pair.reason


def test_a_name_for_a_speaker_who_is_not_there_is_left_out_with_a_note() -> None:
    speakers = [Speaker(id="S1", name="Speaker 1"), Speaker(id="S2", name="Speaker 2")]
    names, notes = assign_names({"S1": "Anna"}, {"Speaker 2": "Ben", "S9": "Cem", "S1": "Dora"}, speakers)
    assert names == {"S1": "Dora", "Speaker 2": "Ben"}
    assert notes == ["Cem is nobody's name: there is no speaker S9 in this clip, only S1, S2."]
    assert assign_names({}, {"S1": "Anna"}, [])[1][0].endswith("only nobody.")


def test_voices_are_heard_again_where_the_embedding_told_them_apart() -> None:
    request = Request(task=Task.TRANSCRIBE, preset=Preset.POCKET, speakers=3)
    used = [ModelUse(stage="diarize", engine="", model=name, licence="", digest="") for name in ("a", "campplus-zh-en")]
    params = params_to_align(request, 5.0, used)
    assert (params.duration, params.embedding, params.speakers) == (5.0, "campplus-zh-en", 3)
    assert params.weights
    alone = params_to_align(request, 5.0, used[:1])
    assert (alone.duration, alone.embedding, alone.weights) == (5.0, None, None)
