"""The languages that multilingual Whisper knows (Radford et al. 2022), ISO 639 codes and English names."""

from collections.abc import Mapping
from types import MappingProxyType

_TABLE = (  # noqa: SIM905 - a list of 200 strings would be a page long
    "en english zh chinese de german es spanish ru russian ko korean fr french ja japanese pt portuguese "
    "tr turkish pl polish ca catalan nl dutch ar arabic sv swedish it italian id indonesian hi hindi "
    "fi finnish vi vietnamese iw hebrew uk ukrainian el greek ms malay cs czech ro romanian da danish "
    "hu hungarian ta tamil no norwegian th thai ur urdu hr croatian bg bulgarian lt lithuanian la latin "
    "mi maori ml malayalam cy welsh sk slovak te telugu fa persian lv latvian bn bengali sr serbian "
    "az azerbaijani sl slovenian kn kannada et estonian mk macedonian br breton eu basque is icelandic "
    "hy armenian ne nepali mn mongolian bs bosnian kk kazakh sq albanian sw swahili gl galician mr marathi "
    "pa punjabi si sinhala km khmer sn shona yo yoruba so somali af afrikaans oc occitan ka georgian "
    "be belarusian tg tajik sd sindhi gu gujarati am amharic yi yiddish lo lao uz uzbek fo faroese "
    "ht haitian ps pashto tk turkmen nn nynorsk mt maltese sa sanskrit lb luxembourgish my burmese "
    "bo tibetan tl tagalog mg malagasy as assamese tt tatar haw hawaiian ln lingala ha hausa ba bashkir "
    "jw javanese su sundanese"
).split()

_THREE_LETTERS = (  # noqa: SIM905 - likewise
    "eng zho deu spa rus kor fra jpn por tur pol cat nld ara swe ita ind hin fin vie heb ukr ell msa ces ron dan hun "
    "tam nor tha urd hrv bul lit lat mri mal cym slk tel fas lav ben srp aze slv kan est mkd bre eus isl hye nep mon "
    "bos kaz sqi swa glg mar pan sin khm sna yor som afr oci kat bel tgk snd guj amh yid lao uzb fao hat pus tuk nno "
    "mlt san ltz mya bod tgl mlg asm tat haw lin hau bak jav sun"
).split()

LANGUAGES: Mapping[str, str] = MappingProxyType(
    {code: name.capitalize() for code, name in zip(_TABLE[::2], _TABLE[1::2], strict=True)}
)
"""Code to English name."""
THREE_LETTERS: Mapping[str, str] = MappingProxyType(dict(zip(LANGUAGES, _THREE_LETTERS, strict=True)))
"""Code to that of ISO 639-2/T, which containers use."""

MIXTURES: Mapping[str, tuple[str, ...]] = MappingProxyType({"zh-en": ("zh", "en")})
"""Languages that change from word to word, the main one first."""


def main_language(code: str | None) -> str | None:
    """The language itself, or the main one of a mixture."""
    return MIXTURES.get(code, (code,))[0] if code else None


def language_name(code: str) -> str:
    """The English name of a language or a mixture; the code itself where there is none."""
    return " and ".join(LANGUAGES.get(part, part) for part in MIXTURES.get(code, (code,)))


def container_code(code: str | None) -> str:
    """The code of a language, or of the main one of a mixture, in a container; empty where there is none."""
    return THREE_LETTERS.get(main_language(code) or "", "")
