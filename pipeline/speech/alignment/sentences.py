"""Ends of sentences, which a full stop tells only where it is no part of an abbreviation."""

import re
import unicodedata
from typing import Final

SENTENCE_ENDS: Final = frozenset(".!?…。！？｡।॥؟۔։።။។།")  # noqa: RUF001 - full stops of many scripts
CLOSING_MARKS: Final = "\"'”’»)]）】」』›"  # noqa: RUF001
UNCERTAIN: Final = "(?)"
"""Stands behind a word that may have been misheard; it ends no sentence."""
OPENING_MARKS: Final = "\"'“‘«([（【「『‹¿¡"  # noqa: RUF001


def _list(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BINDING: Final = (
    _list("mr mrs ms mx dr prof st sr sra srta dra rev hon gen col capt cpt lt sgt sen rep gov pres mt mme mlle mgr")
    | _list("hr frl dipl ing sig dott avv")
    | _list("vs cf approx fig figs vol ed eds pp nr art abs kap str tel pág núm")
    | _list("e.g i.e eg ie viz z.b d.h bzw ca vgl sog ggf evtl inkl zzgl u.a i.d.r p.ej p.ex t.ex bl.a")
)
"""Abbreviations, without the last full stop, that belong to what follows."""
_TRAILING: Final = _list("etc jr inc ltd corp llc bros dept est usw usf am pm ph.d") | _list("т.д т.п")
"""Abbreviations that may well be a sentence's last word, as may all with full stops inside."""
_NUMBERING: Final = _list("no nos p ch sec n")
"""Words that are abbreviations only before a number."""
_STARTERS: Final = (
    _list("the they we he she it i i'm i've and but so this that these those there you what when then who why how")
    | _list("in on at if my our his her their its as after before now well yes no oh")
    | _list("die der das wir sie er es und aber ich dann wenn")
    | _list("le la les il elle nous vous et mais el los las y pero")
)
"""Words with which a sentence begins more often than a name."""
_MONTHS: Final = _list("januar jänner februar märz april mai juni juli august september oktober november dezember")
"""Of languages that write dates as `3. Mai`."""
_DOTTED: Final = re.compile(r"[^\W\d_]{1,3}(?:\.[^\W\d_]{1,3})+")
"""Letters with full stops between them, such as U.S"""
_ORDINAL: Final = re.compile(r"\d{1,2}")


def ends_sentence(text: str, following: str = "") -> bool:
    """Tell whether a word closes its sentence.

    Args:
        text: The word with its punctuation.
        following: The next word of the same speaker; empty where there is none.
    """
    bare = text.removesuffix(UNCERTAIN).rstrip(CLOSING_MARKS)
    if bare[-1:] not in SENTENCE_ENDS:
        return False
    after = following.lstrip(OPENING_MARKS)
    if bare[-1] != "." or not after:
        return True
    if after[0].islower() or binds_next(text, following):
        return False
    word = bare[:-1].lstrip(OPENING_MARKS)
    if word.casefold() in _TRAILING or _DOTTED.fullmatch(word):
        return not after[0].isdigit() and after.rstrip(".,!?:;" + CLOSING_MARKS).casefold() in _STARTERS
    return True


def binds_next(text: str, following: str) -> bool:
    """Tell whether a word is an abbreviation or an initial that must not be parted from the next word."""
    text = text.removesuffix(UNCERTAIN)
    if not text.endswith(".") or not following:
        return False
    word = text[:-1].lstrip(OPENING_MARKS)
    folded = word.casefold()
    if folded in _BINDING or (folded in _NUMBERING and following[0].isdigit()):
        return True
    if len(word) == 1 and word.isalpha():
        # "So did I." ends; "J. Smith" does not, nor does the Arabic letter that stands for a title.
        return (word.isupper() and word != "I") or unicodedata.bidirectional(word) == "AL"
    return _ORDINAL.fullmatch(word) is not None and following.rstrip(".,!?").casefold() in _MONTHS
