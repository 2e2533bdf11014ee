"""The apply_glossary stage: terms in place of the words that a recogniser wrote for them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.export.stage import write_json
from pipeline.export.transcripts import read_transcript
from pipeline.graph.stage import StageContext
from pipeline.speech.alignment.text import join_words
from pipeline.speech.glossary.contracts import ApplyGlossaryInputs, ApplyGlossaryOutput, ApplyGlossaryParams
from pipeline.speech.glossary.matching import Glossary, Match, ordinary_words
from pipeline.speech.glossary.spelling import find_place
from pipeline.types import Turn, Word

MAX_SHOWN = 20
"""Terms that a note lists."""


def apply_glossary_stage(
    context: StageContext, inputs: ApplyGlossaryInputs[Path], params: ApplyGlossaryParams
) -> ApplyGlossaryOutput[Path]:
    """Put terms and people in place of what sounds like them; a note says which, and each word what was heard.

    Raises:
        ValidationError: The transcript cannot be read.
    """
    glossary = Glossary(params.terms, params.people)
    transcript = read_transcript(inputs.transcript)
    ordinary = ordinary_words(word for turn in transcript.turns for word in turn.words)
    turns: list[Turn] = []
    replaced: list[str] = []
    for number, turn in enumerate(transcript.turns):
        context.report(number / len(transcript.turns), "Applying the glossary")
        matches = glossary.find(turn.words, transcript.language, ordinary)
        terms = {
            match: _term_word(turn.words[match.first : match.past], match, transcript.language) for match in matches
        }
        turns.append(_with_terms(turn, terms, transcript.language) if terms else turn)
        replaced += [_tell(turn.words[match.first : match.past], match, transcript.language) for match in matches]
    path = context.out / "transcript.json"
    write_json(replace(transcript, turns=tuple(turns)), path)
    return ApplyGlossaryOutput(transcript=path, replaced=len(replaced), notes=tuple(_note(replaced)))


def _note(replaced: list[str]) -> Iterator[str]:
    if replaced:
        more = f" and {len(replaced) - MAX_SHOWN} more" if len(replaced) > MAX_SHOWN else ""
        yield f"The glossary put in: {', '.join(replaced[:MAX_SHOWN])}{more}."


def _tell(words: tuple[Word, ...], match: Match, language: str) -> str:
    return f"{match.term} ({find_place(words, match.term, language).heard})"


def _with_terms(turn: Turn, terms: Mapping[Match, Word], language: str) -> Turn:
    words: list[Word] = []
    at = 0
    for match, word in terms.items():
        words += turn.words[at : match.first]
        words.append(word)
        at = match.past
    words += turn.words[at:]
    return replace(turn, words=tuple(words), text=join_words((word.text for word in words), language))


def _term_word(words: tuple[Word, ...], match: Match, language: str) -> Word:
    """Make one word of a run, with what stands around the term; what was heard is kept as it was written."""
    place = find_place(words, match.term, language)
    return Word(
        start=min(word.start for word in words),
        end=max(word.end for word in words),
        text=f"{place.before}{match.term}{place.after}",
        confidence=match.likeness,
        heard=join_words((word.text for word in words), language),
    )
