"""PaddleSpeech's own recognisers; addresses and md5 are those of its `resource/pretrained_models.py` (1.5.0).

Their archives are put into `<home>/checkpoints` by hand: no sha256 of them is published, and an md5
proves no maker. `pipeline.speech.ctc_weights` checks and unpacks them.
"""

from pipeline.weights.entries import Model

ENGINE = "paddlespeech-ctc"
_PLACE = "https://paddlespeech.cdn.bcebos.com/s2t"


def _model(name: str, path: str, md5: str, languages: str, good_for: str) -> Model:
    return Model(
        name=name,
        engine=ENGINE,
        environment="asr",
        licence="Apache-2.0",
        source="https://github.com/PaddlePaddle/PaddleSpeech",
        good_for=good_for,
        settings={"address": f"{_PLACE}/{path}", "md5": md5, "languages": languages},
        sample_rate=16_000,
    )


RECOGNISERS = (
    _model(
        "conformer_wenetspeech",
        "wenetspeech/asr1_conformer_wenetspeech_ckpt_0.1.1.model.tar.gz",
        "76cb19ed857e6623856b7cd7ebbfeda4",
        "zh",
        "Chinese speech of all kinds",
    ),
    _model(
        "conformer_u2pp_online_wenetspeech",
        "wenetspeech/asr1/asr1_chunk_conformer_u2pp_wenetspeech_ckpt_1.3.0.model.tar.gz",
        "62d230c1bf27731192aa9d3b8deca300",
        "zh",
        "Chinese speech of all kinds, a quicker network",
    ),
    _model(
        "conformer_talcs",
        "tal_cs/asr1/asr1_conformer_talcs_ckpt_1.4.0.model.tar.gz",
        "01962c5d0a70878fe41cacd4f61e14d1",
        "zh en",
        "Chinese with English words in it, as in lessons",
    ),
    _model(
        "transformer_librispeech",
        "librispeech/asr1/asr1_transformer_librispeech_ckpt_0.1.1.model.tar.gz",
        "2c667da24922aad391eacafe37bc1660",
        "en",
        "English read aloud",
    ),
)
