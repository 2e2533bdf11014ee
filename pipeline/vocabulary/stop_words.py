"""Words that say nothing about a subject."""

from typing import Final

from pipeline.vocabulary.stemming import fold

_ENGLISH: Final = """
a about after again all also am an and any are aren't as at be been before being but by can can't could couldn't did
didn't do does doesn't doing don't down each for from had hadn't has hasn't have haven't having he he'd he'll he's her
here hers herself him himself his how i i'd i'll i'm i've if in into is isn't it it'd it'll it's its itself just let's
me mine more most my myself no nor not of off on once only or other our ours ourselves out over own she she'd she'll
she's should shouldn't so some such than that that's the their theirs them themselves then there there's these they
they'd they'll they're they've this those through to too under until up us very was wasn't we we'd we'll we're we've
were weren't what what's when where which while who whom why will with won't would wouldn't yes you you'd you'll you're
you've your yours yourself yourselves
oh uh um er hmm yeah ok okay well like really going gonna got get know think mean thing things want right
"""
STOP_WORDS: Final = frozenset(fold(word) for word in _ENGLISH.split())
"""English words without apostrophes: with what grammar needs, what people say while they think."""
STOP_LETTERS: Final = frozenset(
    "的了吗呢吧啊嘛呀哦嗯是在和与就都也还很这那个们我你他她它着过把被给让对从到说はがをにのでともへやかねよ"
)
"""Letters of Chinese and Japanese that stand for grammar; a pair with one of them says little."""


def is_stop_term(term: str, word: str) -> bool:
    """Tell whether a term says nothing about a subject.

    Args:
        term: The text of a `Term`.
        word: Its word.

    """
    return word in STOP_WORDS or any(letter in STOP_LETTERS for letter in term)
