from dataclasses import replace

from bot import discord_limits
from bot.components.custom_ids import Action
from bot.i18n.translator import Translator
from bot.messages import embeds
from bot.messages.job_progress import JobProgress, RunningJobs
from pipeline.types import Artefact, DraftLine, Failure, Progress, RouteName, Speaker, Transcript, Turn
from tests.bot.world import make_result
from worker.protocol import Event, Progressed, Started

JOB = "0" * 32
ENGLISH = Translator("en")
CHINESE = Translator("zh-CN")


def shown(*events: Event) -> str:
    view = JobProgress()
    for event in events:
        view = view.apply(event)
    return embeds.progress_embed(ENGLISH, "talk.mp4", JOB, view).embed.description or ""


def progressed(stage: str, fraction: float) -> Progressed:
    return Progressed(progress=Progress(stage=stage, fraction=fraction))


def fields(card: embeds.EmbedMessage) -> dict[str | None, str | None]:
    return {field.name: field.value for field in card.embed.fields}


def test_what_is_heard_so_far_is_shown_and_stays() -> None:
    lines = (DraftLine(start=0.4, text="Good *evening*."), DraftLine(start=62.0, text="@everyone, goodbye."))
    view = JobProgress()
    for progress in (
        Progress(stage="transcribe", fraction=0.2, draft=lines[:1]),
        Progress(stage="transcribe", fraction=0.4, draft=lines),
        Progress(stage="transcribe", fraction=0.5),
    ):
        view = view.apply(Progressed(progress=progress))
    card = embeds.progress_embed(ENGLISH, "talk.mp4", JOB, view)
    assert fields(card)["So far, before the speakers are told apart"] == (
        "0:00 Good \\*evening\\*.\n1:02 @\u200beveryone, goodbye."
    )


def test_a_job_that_runs_has_a_page() -> None:
    waiting, begun = JobProgress(position=0), JobProgress(attempt=1)
    shown = [embeds.progress_embed(ENGLISH, "x", JOB, view, pages=True).buttons for view in (waiting, begun)]
    assert shown == [None, embeds.ResultButtons(job_id=JOB, actions=(Action.PAGE,))]
    assert embeds.progress_embed(ENGLISH, "x", JOB, begun).buttons is None


def test_running_jobs_are_forgotten_when_they_end() -> None:
    running = RunningJobs()
    first, second = (Artefact(name=name, digest=name, size=1, media_type="audio/flac") for name in ("a", "b"))
    for files in ((first,), (first, second)):
        running.apply(JOB, Progressed(progress=Progress(stage="separate", fraction=1.0, files=files)))
    progress = running.get(JOB)
    assert progress is not None
    assert progress.files == (first, second)
    running.end(JOB)
    assert running.get(JOB) is None


def test_place_in_the_queue() -> None:
    texts = [
        embeds.progress_embed(ENGLISH, "x", JOB, JobProgress(position=position)).embed.description
        for position in (0, 1, 5)
    ]
    assert texts == [
        "Waiting: next in the queue.",
        "Waiting: one clip is ahead.",
        "Waiting: 5 clips are ahead.",
    ]


def test_stages_are_listed_in_the_order_they_began() -> None:
    text = shown(
        Started(attempt=1, worker="w"),
        progressed("probe", 1.0),
        progressed("mix", 0.25),
        progressed("prepare_speech", 0.5),
    )
    assert text == "✓ Reading the clip\n▰▰▰▱▱▱▱▱▱▱▱▱  25 % Mixing\n▰▰▰▰▰▰▱▱▱▱▱▱  50 % Preparing the speech"


def test_the_time_left_is_told_where_it_is_known() -> None:
    half = Progressed(progress=Progress(stage="mix", fraction=0.5, remaining=83.4))
    assert shown(half) == "▰▰▰▰▰▰▱▱▱▱▱▱  50 % Mixing, about 1:23 left"
    assert shown(half, progressed("mix", 0.75)) == "▰▰▰▰▰▰▰▰▰▱▱▱  75 % Mixing"


def test_lost_worker_is_named() -> None:
    assert shown(Started(attempt=2, worker="w")).startswith("The worker stopped; attempt 2")


def test_only_a_job_under_way_can_be_cancelled() -> None:
    assert embeds.progress_embed(ENGLISH, "x", JOB, JobProgress()).cancel_job_id == JOB
    for card in (
        embeds.receiving_embed(ENGLISH, "x"),
        embeds.cancelled_embed(ENGLISH, "x"),
        embeds.failed_embed(ENGLISH, "x", "1"),
    ):
        assert card.cancel_job_id is None


def test_result_says_who_asked_and_why_the_route() -> None:
    card = embeds.result_embed(
        ENGLISH, "talk.mp4", "42", make_result(), picture="report.png", left_out=["vocals.flac (12.0 MB)"]
    )
    assert card.embed.description == "Separated for <@42>"
    assert fields(card) == {
        "Length": "1:01",
        "Speakers": "2: Speaker 1, Speaker 2",
        "Language": "English",
        "Loudness": "-20.0 → -16.2 LUFS",
        "Route": "**dialogue** (deepfilternet3): Speech is heard in 92 % of the clip.",
        "Too large to post here": "vocals.flac (12.0 MB)",
        "Full-size files": (
            "Use /share to post them where larger files are allowed, or ask the people who run this bot."
        ),
    }
    assert card.embed.image.url == "attachment://report.png"


def test_files_that_came_smaller_are_on_the_page_in_full() -> None:
    replaced = ["vocals.flac (210.0 MB) → vocals.opus"]
    card = embeds.result_embed(ENGLISH, "talk.mp4", "42", make_result(), replaced=replaced, pages=True)
    fields = {field.name: field.value for field in card.embed.fields}
    assert (fields["Smaller copy here"] or "").replace("\\", "") == "vocals.flac (210.0 MB) → vocals.opus"
    assert "“Open page”" in (fields["Full-size files"] or "")


def test_route_that_was_asked_for() -> None:
    result = make_result()
    route = replace(result.route, name=RouteName.CINEMATIC, asked=True)
    card = embeds.result_embed(ENGLISH, "x", "42", replace(result, route=route))
    assert fields(card)["Route"] == "**cinematic** (deepfilternet3): chosen by <@42>"


def test_failed_part_changes_the_colour_and_is_named() -> None:
    failure = Failure(type="MixError", message="It **broke**.", hint="", stage="mix")
    card = embeds.result_embed(ENGLISH, "x", "42", replace(make_result(), failures=(failure,)))
    assert card.embed.colour == embeds.COLOUR_PARTIAL
    assert fields(card)["Failed"] == r"Mixing: It \*\*broke\*\*."


def test_failed_part_is_told_in_the_readers_language_with_the_pipelines_words() -> None:
    failures = (
        Failure(type="TranscriptionError", message="It *broke*.", hint="", stage="transcribe"),
        Failure(type="ModelMissingError", message="No room in /srv/secret.", hint="", stage="diarize"),
    )
    card = embeds.result_embed(CHINESE, "x", "42", replace(make_result(), failures=failures))
    assert fields(card)["失败的部分"] == (
        "识别文字: 文字识别失败。（It \\*broke\\*.）\n区分说话人: 这个机器人上所需的模型还没有准备好。"  # noqa: RUF001
    )


def test_long_talk_fits() -> None:
    turns = tuple(
        Turn(start=float(i), end=i + 1.0, speaker="A", text="word " * 60, overlap=False, words=()) for i in range(99)
    )
    transcript = Transcript(language="en", duration=99.0, speakers=(Speaker(id="A", name="*" * 300),), turns=turns)
    result = replace(make_result(), notes=("note " * 400,) * 9)
    card = embeds.result_embed(ENGLISH, "n" * 999, "42", result, transcript=transcript, left_out=["f" * 200] * 40)
    assert len(card.embed) <= discord_limits.MAX_EMBED_TOTAL_CHARS
    assert len(card.embed.title or "") <= discord_limits.MAX_EMBED_TITLE_CHARS
    assert all(len(value or "") <= discord_limits.MAX_EMBED_FIELD_CHARS for value in fields(card).values())


def test_names_are_shown_as_typed() -> None:
    result = replace(make_result(), speakers=(Speaker(id="A", name="[x](https://evil.example) @here"),))
    assert fields(embeds.result_embed(ENGLISH, "x", "42", result))["Speakers"] == (
        "1: \\[x\\](https\\://evil.example) @\u200bhere"
    )
