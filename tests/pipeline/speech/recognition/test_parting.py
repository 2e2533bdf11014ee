"""A long clip is written down in parts, which are joined."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from pipeline.errors import TranscriptionError
from pipeline.graph.stage import (
    InputsT,
    OutputT,
    ParamsT,
    PartRange,
    PartsOutput,
    Stage,
    StageContext,
    StageRun,
    plan_parts,
)
from pipeline.models.loader import Models
from pipeline.speech.contracts import TRANSCRIBE, TranscribeInputs, TranscribeOutput, TranscribeParams
from pipeline.speech.recognition.contracts import (
    SURVEY_WORDS,
    JoinWordsInputs,
    JoinWordsParams,
)
from pipeline.speech.recognition.part_stages import PART_WINDOWS, join_words_stage
from pipeline.speech.recognition.parting import transcribe_in_parts
from pipeline.types import Artefact, Recognition, Word


def artefact(name: str) -> Artefact:
    return Artefact(digest=name, size=1, media_type="application/json", name=name)


INPUTS = TranscribeInputs(speech=artefact("speech"), diarization=artefact("diarization"))
PARAMS = TranscribeParams(model="whisper-base", weights="w", language="en")


def word(start: float, text: str, language: str | None = None) -> Word:
    spoken = UNSET if language is None else language
    return Word(start=start, end=start + 0.5, text=text, confidence=1.0, language=spoken)


def join(folder: Path, *parts: Recognition, language: str | None = None) -> tuple[TranscribeOutput[Path], Recognition]:
    paths = [folder / f"{number}.json" for number in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(msgspec.json.encode(part))
    (folder / "out").mkdir()
    context = StageContext(out=folder / "out", report=lambda fraction, message="": None, models=Models(folder, "cpu"))
    params = JoinWordsParams(model="whisper-base", weights="", language=language, windows=9, part_notes=("A note.",))
    output = join_words_stage(context, JoinWordsInputs(parts=tuple(paths)), params)
    return output, msgspec.json.decode(output.recognition.read_bytes(), type=Recognition)


def test_words_are_joined_and_the_language_is_that_of_most(tmp_path: Path) -> None:
    italian = Recognition(language="it", words=(word(0, "Ciao"),))
    english = Recognition(
        language="en", words=(word(1, "Hello"), word(2, "mondo", "it"), word(3, "again"), word(4, "!"))
    )
    output, joined = join(tmp_path, italian, english)
    assert joined == Recognition(
        language="en",
        words=(word(0, "Ciao", "it"), word(1, "Hello"), word(2, "mondo", "it"), word(3, "again"), word(4, "!")),
    )
    assert (output.language, output.words, output.windows) == ("en", 5, 9)
    assert output.notes == ("A note.", "Several languages are spoken: Italian, English.")
    assert [use.stage for use in output.models] == [TRANSCRIBE.name]


def test_the_language_that_was_asked_for_stays(tmp_path: Path) -> None:
    german = Recognition(language="de", words=(word(0, "Hallo"),))
    output, joined = join(tmp_path, german, Recognition(language="de", words=()), language="de")
    assert joined == german
    assert output.notes == ("A note.",)


def test_parts_without_words_have_the_language_they_sounded_like(tmp_path: Path) -> None:
    _, joined = join(tmp_path, *(Recognition(language=code, words=()) for code in ("und", "und", "en")))
    assert joined == Recognition(language="und", words=())


def test_a_damaged_part_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    context = StageContext(out=tmp_path, report=lambda fraction, message="": None, models=Models(tmp_path, "cpu"))
    params = JoinWordsParams(model="whisper-base", weights="", windows=1, part_notes=())
    with pytest.raises(TranscriptionError, match="words of a part"):
        join_words_stage(context, JoinWordsInputs(parts=(tmp_path / "bad.json",)), params)


class Recorder:
    """Runs stages by saying what they would."""

    def __init__(self, parts: tuple[PartRange, ...], surprised: tuple[int, ...] = ()) -> None:
        self.parts = parts
        self.surprised = surprised
        """First windows of the parts that say something of their own."""
        self.asked: list[Any] = []

    async def __call__(
        self, stage: Stage[InputsT, ParamsT, OutputT], inputs: InputsT, params: ParamsT
    ) -> StageRun[OutputT]:
        output: Any = PartsOutput(parts=self.parts)
        if stage is not SURVEY_WORDS:
            self.asked.append(params)
            first = self.asked[-1].part.first
            notes = ("The same note.", *(("A surprise.",) if first in self.surprised else ()))
            output = TranscribeOutput(
                recognition=artefact(f"part-{first}"), language="en", words=3, windows=7, notes=notes
            )
        return StageRun(output=output, engine_seconds=1.0)


async def test_a_short_clip_is_written_down_as_a_whole() -> None:
    assert await transcribe_in_parts(Recorder(plan_parts(5, PART_WINDOWS)), INPUTS, PARAMS) is None


async def test_a_long_clip_is_written_down_in_parts_and_joined_in_order() -> None:
    recorder = Recorder(plan_parts(20, PART_WINDOWS))
    request = await transcribe_in_parts(recorder, INPUTS, PARAMS)
    assert request is not None
    assert sum(params.share for params in recorder.asked) == pytest.approx(1.0)
    assert {(params.model, params.weights, params.language) for params in recorder.asked} == {
        ("whisper-base", "w", "en")
    }
    assert [part.name for part in request.inputs.parts] == ["part-0", "part-8", "part-16"]
    assert request.params == JoinWordsParams(
        model="whisper-base", weights="w", language="en", windows=21, part_notes=("The same note.",)
    )


@pytest.mark.parametrize(("surprised", "said"), [((8,), False), ((0, 8), True)])
async def test_a_note_is_given_once_and_where_it_is_true_of_the_clip(surprised: tuple[int, ...], *, said: bool) -> None:
    request = await transcribe_in_parts(Recorder(plan_parts(20, PART_WINDOWS), surprised), INPUTS, PARAMS)
    assert request is not None
    assert request.params.part_notes == ("The same note.", *(("A surprise.",) if said else ()))


def test_a_rest_that_is_too_small_for_a_part_goes_to_the_one_before() -> None:
    assert [part.count for part in plan_parts(17, 8, least=4)] == [8, 9]
    assert [part.count for part in plan_parts(20, 8, least=4)] == [8, 8, 4]
    assert [part.count for part in plan_parts(3, 8, least=4)] == [3]
    assert plan_parts(0, 8, least=4) == ()
