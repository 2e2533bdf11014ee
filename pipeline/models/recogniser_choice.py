"""The recognisers that a person may ask for by name, and the languages that each knows."""

from typing import Final

from pipeline.catalog import MODELS
from pipeline.errors import ValidationError
from pipeline.languages import MIXTURES, language_name
from pipeline.models.recognisers import CTC, WHISPER

RECOGNISERS: Final = tuple(name for name, model in MODELS.items() if model.engine in (CTC, WHISPER))


def check_recogniser(name: str, language: str | None) -> None:
    """Raises `ValidationError` for a recogniser that there is not, and for one that lacks the language."""
    if name not in RECOGNISERS:
        raise ValidationError(
            f"There is no recogniser called {name!r}.", hint=f"Choose one of {', '.join(RECOGNISERS)}."
        )
    if language is None or MODELS[name].engine == WHISPER:
        return
    known = str(MODELS[name].settings["languages"]).split()
    if not {*MIXTURES.get(language, (language,))} <= {*known}:
        names = " and ".join(language_name(code) for code in known)
        raise ValidationError(
            f"{name} knows {names}, and {language_name(language)} was asked for.",
            hint="Choose another language, or leave the recogniser to the preset.",
        )
