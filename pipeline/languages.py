"""The spoken languages: one row each, the codes of containers and recognisers, names, and how each is written.

The languages are those of multilingual Whisper (Radford et al. 2022). Names and codes are written out because
looking them up in a library takes 1.6 s and 300 MB in each process; a test compares them with that library.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Language:
    """A spoken language."""

    code: str
    """The recogniser's code: ISO 639-1, or 639-3 where there is none."""
    iso3: str
    """ISO 639-2/T, which containers use."""
    name: str
    """English name."""
    unspaced: bool = False
    """Written without spaces between words."""
    wide: bool = False
    """Letters are twice as wide as Latin ones."""
    right_to_left: bool = False
    """Written from right to left."""
    reading_speed: float | None = None
    """Characters a second for subtitles; None: as for English."""


LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        language.code: language
        for language in (
            Language("en", "eng", "English"),
            Language("zh", "zho", "Chinese", unspaced=True, wide=True, reading_speed=9.0),
            Language("de", "deu", "German"),
            Language("es", "spa", "Spanish"),
            Language("ru", "rus", "Russian"),
            Language("ko", "kor", "Korean", wide=True, reading_speed=12.0),
            Language("fr", "fra", "French"),
            Language("ja", "jpn", "Japanese", unspaced=True, wide=True, reading_speed=4.0),
            Language("pt", "por", "Portuguese"),
            Language("tr", "tur", "Turkish"),
            Language("pl", "pol", "Polish"),
            Language("ca", "cat", "Catalan"),
            Language("nl", "nld", "Dutch"),
            Language("ar", "ara", "Arabic", right_to_left=True),
            Language("sv", "swe", "Swedish"),
            Language("it", "ita", "Italian"),
            Language("id", "ind", "Indonesian"),
            Language("hi", "hin", "Hindi"),
            Language("fi", "fin", "Finnish"),
            Language("vi", "vie", "Vietnamese"),
            Language("iw", "heb", "Hebrew", right_to_left=True),
            Language("uk", "ukr", "Ukrainian"),
            Language("el", "ell", "Greek"),
            Language("ms", "msa", "Malay"),
            Language("cs", "ces", "Czech"),
            Language("ro", "ron", "Romanian"),
            Language("da", "dan", "Danish"),
            Language("hu", "hun", "Hungarian"),
            Language("ta", "tam", "Tamil"),
            Language("no", "nor", "Norwegian"),
            Language("th", "tha", "Thai", unspaced=True),
            Language("ur", "urd", "Urdu", right_to_left=True),
            Language("hr", "hrv", "Croatian"),
            Language("bg", "bul", "Bulgarian"),
            Language("lt", "lit", "Lithuanian"),
            Language("la", "lat", "Latin"),
            Language("mi", "mri", "Maori"),
            Language("ml", "mal", "Malayalam"),
            Language("cy", "cym", "Welsh"),
            Language("sk", "slk", "Slovak"),
            Language("te", "tel", "Telugu"),
            Language("fa", "fas", "Persian", right_to_left=True),
            Language("lv", "lav", "Latvian"),
            Language("bn", "ben", "Bengali"),
            Language("sr", "srp", "Serbian"),
            Language("az", "aze", "Azerbaijani"),
            Language("sl", "slv", "Slovenian"),
            Language("kn", "kan", "Kannada"),
            Language("et", "est", "Estonian"),
            Language("mk", "mkd", "Macedonian"),
            Language("br", "bre", "Breton"),
            Language("eu", "eus", "Basque"),
            Language("is", "isl", "Icelandic"),
            Language("hy", "hye", "Armenian"),
            Language("ne", "nep", "Nepali"),
            Language("mn", "mon", "Mongolian"),
            Language("bs", "bos", "Bosnian"),
            Language("kk", "kaz", "Kazakh"),
            Language("sq", "sqi", "Albanian"),
            Language("sw", "swa", "Swahili"),
            Language("gl", "glg", "Galician"),
            Language("mr", "mar", "Marathi"),
            Language("pa", "pan", "Punjabi"),
            Language("si", "sin", "Sinhala"),
            Language("km", "khm", "Khmer", unspaced=True),
            Language("sn", "sna", "Shona"),
            Language("yo", "yor", "Yoruba"),
            Language("so", "som", "Somali"),
            Language("af", "afr", "Afrikaans"),
            Language("oc", "oci", "Occitan"),
            Language("ka", "kat", "Georgian"),
            Language("be", "bel", "Belarusian"),
            Language("tg", "tgk", "Tajik"),
            Language("sd", "snd", "Sindhi", right_to_left=True),
            Language("gu", "guj", "Gujarati"),
            Language("am", "amh", "Amharic"),
            Language("yi", "yid", "Yiddish", right_to_left=True),
            Language("lo", "lao", "Lao", unspaced=True),
            Language("uz", "uzb", "Uzbek"),
            Language("fo", "fao", "Faroese"),
            Language("ht", "hat", "Haitian"),
            Language("ps", "pus", "Pashto", right_to_left=True),
            Language("tk", "tuk", "Turkmen"),
            Language("nn", "nno", "Nynorsk"),
            Language("mt", "mlt", "Maltese"),
            Language("sa", "san", "Sanskrit"),
            Language("lb", "ltz", "Luxembourgish"),
            Language("my", "mya", "Burmese", unspaced=True),
            Language("bo", "bod", "Tibetan", unspaced=True),
            Language("tl", "tgl", "Tagalog"),
            Language("mg", "mlg", "Malagasy"),
            Language("as", "asm", "Assamese"),
            Language("tt", "tat", "Tatar"),
            Language("haw", "haw", "Hawaiian"),
            Language("ln", "lin", "Lingala"),
            Language("ha", "hau", "Hausa"),
            Language("ba", "bak", "Bashkir"),
            Language("jw", "jav", "Javanese"),
            Language("su", "sun", "Sundanese"),
        )
    }
)
"""By code, the languages that a person may ask for."""
_CANTONESE = Language("yue", "yue", "Cantonese", unspaced=True, wide=True, reading_speed=9.0)
"""May stand in a transcript that is brought for export; no recogniser here knows it."""
_WRITTEN = (*LANGUAGES.values(), _CANTONESE)
UNSPACED = frozenset(language.code for language in _WRITTEN if language.unspaced)
"""Codes of languages written without spaces between words."""
WIDE = frozenset(language.code for language in _WRITTEN if language.wide)
"""Codes of languages whose letters are twice as wide as Latin ones; a narrow letter counts as half a character."""
RIGHT_TO_LEFT = frozenset(language.code for language in _WRITTEN if language.right_to_left) | {"he"}
"""Codes of languages written from right to left; Hebrew has two."""
READING_SPEEDS: Mapping[str, float] = MappingProxyType(
    {language.code: language.reading_speed for language in _WRITTEN if language.reading_speed is not None}
)
"""Characters of subtitles a second, by code, for languages that differ from English."""

MIXTURES: Mapping[str, tuple[str, ...]] = MappingProxyType({"zh-en": ("zh", "en")})
"""Languages that change from word to word, the main one first."""
SUGGESTED = ("en", "zh", "zh-en", "de", "es", "fr", "ja", "ko", "pt", "ru", "it", "nl", "pl", "tr", "ar", "hi")
"""Languages and mixtures to offer before anything is typed."""


def reads_right_to_left(text: str, language: str) -> bool:
    """Tell whether a line reads from right to left: by its language, unless all of its letters are of the other kind.

    A name in Latin letters does not turn an Arabic sentence, nor an Arabic name an English one.
    """
    kinds = [unicodedata.bidirectional(sign) for sign in text]
    leftward, rightward = any(kind in ("R", "AL") for kind in kinds), "L" in kinds
    return leftward if leftward != rightward else language in RIGHT_TO_LEFT


def main_language(code: str | None) -> str | None:
    """Return the language itself, or the main one of a mixture."""
    return MIXTURES.get(code, (code,))[0] if code else None


def language_name(code: str) -> str:
    """Return the English name of a language or a mixture; the code itself where there is none."""
    parts = MIXTURES.get(code, (code,))
    return " and ".join(LANGUAGES[part].name if part in LANGUAGES else part for part in parts)


def container_code(code: str | None) -> str:
    """Return the ISO 639-2 code of a language, or of the main one of a mixture; empty where there is none."""
    language = LANGUAGES.get(main_language(code) or "")
    return language.iso3 if language else ""
