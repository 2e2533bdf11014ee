"""Transcripts and edits by chance."""

from itertools import pairwise

from hypothesis import strategies as st

from pipeline.edits.lines import EditableTranscript, Line, see
from pipeline.edits.operations import (
    AddLine,
    DeleteLine,
    Edit,
    GiveWords,
    MergeLines,
    RenameSpeaker,
    SetWords,
    SplitLine,
)
from pipeline.types import Speaker, Transcript, Turn, Word

texts = st.sampled_from(
    ["the", "storm", "coast", "Good", "evening,", "so", "it", "does.", "R&B", "说", "שלום", "naïve"]
)


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    start = draw(st.integers(0, 3000)) / 100
    words: list[Word] = []
    for text in draw(st.lists(texts, min_size=1, max_size=8)):
        start += draw(st.sampled_from([0.0, 0.01, 0.2, 0.5]))
        end = start + draw(st.sampled_from([0.02, 0.1, 0.3]))
        words.append(Word(start=round(start, 3), end=round(end, 3), text=text, confidence=0.8))
        start = end
    return Turn(
        start=words[0].start,
        end=words[-1].end,
        speaker=draw(st.sampled_from(["S1", "S2"])),
        text=" ".join(word.text for word in words),
        overlap=draw(st.booleans()),
        words=tuple(words),
    )


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    said = sorted(draw(st.lists(turns(), min_size=1, max_size=6)), key=lambda turn: turn.start)
    speakers = (Speaker(id="S1", name="Alice"), Speaker(id="S2", name="Brian"))
    return Transcript(language=draw(st.sampled_from(["en", "zh"])), duration=60.0, speakers=speakers, turns=tuple(said))


@st.composite
def edits(draw: st.DrawFn, transcript: EditableTranscript) -> Edit:
    """An edit that fits, with the words of the transcript as it is."""
    lines = transcript.lines
    new = (f"S{len(transcript.speakers) + 1}", "Eve")
    speaker, name = draw(st.sampled_from([*((each.id, None) for each in transcript.speakers), new]))
    written = tuple(draw(st.lists(texts, min_size=1, max_size=8)))
    start = draw(st.integers(0, 5000)) / 100
    kinds = ["add", "rename", *(["words", "more words", "give", "delete"] if lines else [])]
    long = [line for line in lines if len(line.turn.words) > 1]
    kinds += ["split"] if long else []
    pairs = list(pairwise(lines))
    kinds += ["merge"] if pairs else []
    line: Line | None = draw(st.sampled_from(lines)) if lines else None
    match draw(st.sampled_from(kinds)), line:
        case "words", Line():
            return SetWords(seen=see(line), words=written)
        case "more words", Line():
            said = [word.text for word in line.turn.words]
            place = draw(st.integers(0, len(said)))
            return SetWords(seen=see(line), words=(*said[:place], *written[:2], *said[place:]))
        case "give", Line():
            first = draw(st.integers(0, len(line.turn.words) - 1))
            past = draw(st.integers(first + 1, len(line.turn.words)))
            return GiveWords(seen=see(line), first=first, past=past, speaker=speaker, name=name)
        case "delete", Line():
            return DeleteLine(seen=see(line))
        case "split", Line():
            chosen = draw(st.sampled_from(long))
            return SplitLine(seen=see(chosen), at=draw(st.integers(1, len(chosen.turn.words) - 1)))
        case "merge", Line():
            one, other = draw(st.sampled_from(pairs))
            return MergeLines(seen=see(one), second=see(other))
        case "rename", _:
            return RenameSpeaker(speaker=draw(st.sampled_from(transcript.speakers)).id, name="Zoë")
        case _:
            return AddLine(speaker=speaker, name=name, start=start, end=start + 2.0, words=written)
