"""The buttons, the menu and the forms below a result: what they do, and for whom."""

import io
import re
from collections.abc import Callable
from typing import Any

import discord
import numpy
import pytest
import simcord
import soundfile

from bot.client import StemcordClient
from bot.components.modals import SubmittedModal
from bot.components.naming.forms import submitted_names
from bot.database.deletion import DataDeletion
from bot.database.engine import Database
from bot.database.transcript_edits import TranscriptEdits, written_revision
from bot.messages.formatting import escape
from pipeline.edits.operations import RenameSpeaker
from pipeline.errors import TranscriptionError
from pipeline.mix.presets import MixPreset
from pipeline.types import SpeakerStem, Task
from tests.bot.world import PlayedWorker, card_text, discord_message, make_result, until, walk
from worker.protocol import Job

CLIP = ("talk.mp4", b"a clip of some length")
TRANSCRIPT = (
    b'{"language":"en","duration":61.4,"speakers":[{"id":"A","name":"Speaker 1"},{"id":"B","name":"Speaker 2"}],'
    b'"turns":[{"start":0.5,"end":2.0,"speaker":"A","text":"Hello @everyone [x](https://evil.example)","overlap":false,'
    b'"words":[]},{"start":2.0,"end":3.5,"speaker":"B","text":"Good evening","overlap":false,"words":[]}]}'
)


def make_sound() -> bytes:
    data = io.BytesIO()
    soundfile.write(data, numpy.zeros(4 * 8000, dtype="float32"), 8000, format="FLAC")
    return data.getvalue()


FILES = {"stems/vocals.flac": make_sound(), "transcript.json": TRANSCRIPT, "transcript.srt": b"1\n", "report.png": b"p"}


class Place:
    """A result in a channel, and those who may press its buttons or not."""

    def __init__(
        self, env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
    ) -> None:
        self.env = env
        self.channel = channel
        self.alice = alice
        self.played = played
        self.result: simcord.InteractionResult

    async def bring(self, files: dict[str, bytes] = FILES, **changes: Any) -> "Place":
        self.result = await self.alice.slash(self.channel, "process", clip=CLIP)
        await self.played.finish(await self.played.take(), files, **changes)
        await until(self.env, lambda: bool(discord_message(self.result).attachments))
        await self.played.wait_for_confirmation()
        return self

    @property
    def message(self) -> discord.Message:
        return discord_message(self.result)

    async def press(self, label: str, who: simcord.MemberActor | None = None) -> simcord.InteractionResult:
        return await (who or self.alice).click(self.message, label=label)

    async def newest(self) -> Job:
        return (await self.played.queue.jobs())[-1].job


@pytest.fixture
def place(env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker) -> Place:
    return Place(env, channel, alice, played)


def labels(message: Any) -> list[str]:
    items = walk(message.components)
    return [str(item.get("label", item.get("placeholder"))) for item in items if item["type"] in (2, 3)]


def menu_of(message: Any, action: str) -> str:
    """The custom id of a menu."""
    ids = (str(item.get("custom_id")) for item in walk(message.components))
    return next(key for key in ids if key.startswith(f"stemcord:{action}:"))


def answer_of(result: simcord.InteractionResult) -> Any:
    """The private answer."""
    answers = [*result.followups, *([] if result.response is None else [result.response])]
    assert answers
    assert all(answer.ephemeral for answer in answers)
    return answers[0]


async def test_result_has_the_buttons_that_make_sense(place: Place) -> None:
    await place.bring()
    assert place.result.response is not None
    assert labels(place.result.response) == [
        "Rebalance",
        "Rename speakers",
        "Fix a line",
        "A track per speaker",
        "Dub",
        "Thread",
        "Get the transcript as …",
        "Listen to …",
        "More …",
    ]


async def test_result_without_words_or_stems_has_none_of_theirs(place: Place) -> None:
    await place.bring({"report.png": b"p"})
    assert place.result.response is not None
    assert labels(place.result.response) == ["More …"]


async def test_rebalance_mixes_again_from_the_same_clip(place: Place) -> None:
    await place.bring()
    shown = await place.press("Rebalance")
    assert shown.modal is not None
    done = await place.alice.submit_modal(shown, {"mix": ["podcast"], "voice": "-3 dB", "background": "0.25"})
    job = await place.newest()
    first = (await place.played.queue.jobs())[0].job
    assert job.id != first.id
    assert job.source == first.source
    assert (job.request.task, job.request.mix) == (Task.ALL, MixPreset.PODCAST)
    assert job.request.voice == pytest.approx(10 ** (-3 / 20))
    assert job.request.background == 0.25
    assert done.response is not None
    assert not done.response.ephemeral
    assert job.reply_to is not None
    assert job.reply_to.message_id == str(done.response.id)


async def test_rebalance_has_a_fader_for_each_part(place: Place) -> None:
    await place.bring({"stems/vocals.flac": b"v", "stems/music.flac": b"m", "report.png": b"p"})
    shown = await place.press("Rebalance")
    assert shown.modal is not None
    names = re.findall(r"'custom_id': '(\w+)'", str(shown.modal["components"]))
    assert names == ["mix", "voice", "music", "sfx", "ambient"]


@pytest.mark.parametrize("value", ["loud", "9", "-", "nan", "1e99 dB"])
async def test_fader_that_is_no_loudness(place: Place, value: str) -> None:
    await place.bring()
    shown = await place.press("Rebalance")
    done = await place.alice.submit_modal(shown, {"mix": ["none"], "voice": value})
    assert answer_of(done).content.startswith(f"{escape(value)} is not a volume.")
    assert len(await place.played.queue.jobs()) == 1


async def test_rename_brings_an_excerpt_of_each_speaker_then_the_new_names(place: Place) -> None:
    await place.bring()
    pressed = await place.press("Rename speakers")
    private = answer_of(pressed)
    assert [file.filename for file in private.attachments] == ["speaker-1.ogg", "speaker-2.ogg"]
    assert labels(private) == ["This is me", "Name …", "This is me", "Name …", "Type the names"]

    shown = await place.alice.click(private.message, label="Type the names")
    assert shown.modal is not None
    assert "Good evening" in str(shown.modal)
    await place.alice.submit_modal(shown, {"speaker-0": "Ann", "speaker-1": "Bob"})
    job = await place.newest()
    assert job.request.names == {"A": "Ann", "B": "Bob"}
    assert job.reply_to is not None
    assert job.reply_to.message_id == str(place.message.id)
    assert card_text(answer_of(pressed)).startswith("Renamed. The message shows the new names.")


async def test_each_speaker_gets_a_track_in_the_same_message(place: Place, database: Database) -> None:
    await place.bring()
    edit = RenameSpeaker(speaker="A", name="Eve")
    await TranscriptEdits(database).save((await place.newest()).id, [edit], by=str(place.alice.id), base=0)
    pressed = await place.press("A track per speaker")
    job = await place.newest()
    assert job.request.wants_speaker_stems
    assert job.request.mix_edits is True, "they go by the corrections"
    assert (job.replaces, job.reply_to and job.reply_to.message_id) == (True, str(place.message.id))
    assert answer_of(pressed).content.startswith("Each speaker gets a track.")


async def test_tracks_keep_the_names_that_are_still_being_written_and_are_made_once(place: Place) -> None:
    await place.bring()
    private = answer_of(await place.press("Rename speakers"))
    shown = await place.alice.click(private.message, label="Type the names")
    await place.alice.submit_modal(shown, {"speaker-0": "Ann", "speaker-1": "Bob"})
    await place.press("A track per speaker")
    job = await place.newest()
    assert job.request.wants_speaker_stems
    assert job.request.names == {"A": "Ann", "B": "Bob"}
    pressed = await place.press("A track per speaker")
    assert (await place.newest()).id == job.id
    assert answer_of(pressed).content.startswith("Each speaker gets a track.")


async def test_who_has_a_track_gets_no_other(place: Place) -> None:
    stems = (SpeakerStem(speaker="A", file="stems/speaker-1.flac"),)
    await place.bring({**FILES, "stems/speaker-1.flac": make_sound()}, speaker_stems=stems)
    assert place.result.response is not None
    assert "A track per speaker" not in labels(place.result.response)
    parts = [option for item in walk(place.message.components) for option in item.get("options", ())]
    assert ("Speaker 1", "speaker-1") in [(option["label"], option["value"]) for option in parts]


async def test_new_names_come_with_all_corrections(place: Place, database: Database) -> None:
    await place.bring()
    edit = RenameSpeaker(speaker="A", name="Eve")
    await TranscriptEdits(database).save((await place.newest()).id, [edit], by=str(place.alice.id), base=0)
    private = answer_of(await place.press("Rename speakers"))
    shown = await place.alice.click(private.message, label="Type the names")
    await place.alice.submit_modal(shown, {"speaker-0": "Ann", "speaker-1": "Bob"})
    request = (await place.newest()).request
    assert request.names["B"] == "Bob"
    assert written_revision(request) == 1


def seen_in(message: discord.Message) -> object:
    return message.content, [file.filename for file in message.attachments], message.embeds


async def test_a_result_stays_while_it_is_written_again_and_when_that_fails(place: Place) -> None:
    await place.bring()
    before = seen_in(place.message)
    private = answer_of(await place.press("Rename speakers"))
    shown = await place.alice.click(private.message, label="Type the names")
    await place.alice.submit_modal(shown, {"speaker-0": "Ann", "speaker-1": "Bob"})
    job = await place.newest()
    assert job.replaces is True
    lease = await place.played.take()
    await place.played.report(lease, "subtitles", 0.5)
    await place.played.fail(lease, TranscriptionError("The disk is full.", hint="Free some."))
    await place.played.wait_for_confirmation()
    assert (
        place.message.content,
        [file.filename for file in place.message.attachments],
        place.message.embeds,
    ) == before


async def test_voices_that_were_not_kept_cost_only_the_excerpts(place: Place) -> None:
    await place.bring({**FILES, "stems/vocals.flac": b"no sound"})
    private = answer_of(await place.press("Rename speakers"))
    assert private.attachments == []
    assert labels(private) == ["This is me", "Name …", "This is me", "Name …", "Type the names"]


async def test_subtitles_come_in_the_format_that_was_chosen(place: Place) -> None:
    await place.bring()
    chosen = await place.alice.select(place.message, ["srt"], custom_id=menu_of(place.message, "subtitles"))
    private = answer_of(chosen)
    assert [file.filename for file in private.attachments] == ["transcript.srt"]
    assert private.content == "Here it is."


async def test_dub_takes_a_new_voice_track(place: Place) -> None:
    await place.bring()
    shown = await place.press("Dub")
    await place.alice.submit_modal(shown, {"dub": ("voice.wav", b"new voice")})
    job = await place.newest()
    assert job.dub is not None
    assert await place.played.store.read(job.dub, max_bytes=100) == b"new voice"
    assert job.request.task is Task.ALL


async def test_dub_that_is_no_sound_is_refused(place: Place) -> None:
    await place.bring()
    shown = await place.press("Dub")
    done = await place.alice.submit_modal(shown, {"dub": ("voice.txt", b"words")})
    assert answer_of(done).content.startswith("voice.txt is not a video or sound file.")
    assert len(await place.played.queue.jobs()) == 1


async def test_thread_gets_the_transcript_with_nothing_smuggled_in(place: Place) -> None:
    await place.bring()
    pressed = await place.press("Thread")
    private = answer_of(pressed)
    assert private.content.startswith("The transcript is in <#")
    sent = next(
        body
        for entry in reversed(place.env.http_requests)
        if entry.method == "POST" and "/messages" in entry.path and (body := entry.json) is not None
    )
    assert "**Speaker 2** Good evening" in sent["content"]
    assert "@everyone" not in sent["content"]
    assert "](https://" not in sent["content"]
    assert sent["allowed_mentions"] == {"parse": []}


@pytest.mark.parametrize("label", ["Rebalance", "Fix a line", "Dub", "Thread"])
async def test_stranger_is_refused_in_private(place: Place, label: str) -> None:
    await place.bring()
    bob = place.env.guild.add_member(place.env.create_user("bob"))
    pressed = await place.press(label, bob)
    assert pressed.modal is None
    assert answer_of(pressed).content.startswith("Only the person who asked")


async def test_stranger_gets_no_subtitles(place: Place) -> None:
    await place.bring()
    bob = place.env.guild.add_member(place.env.create_user("bob"))
    assert answer_of(
        await bob.select(place.message, ["srt"], custom_id=menu_of(place.message, "subtitles"))
    ).content.startswith("Only the person who asked")


async def test_buttons_work_for_a_moderator_after_a_restart(
    place: Place, make_client: Callable[[], StemcordClient]
) -> None:
    await place.bring()
    role = place.env.guild.create_role("mods", permissions=discord.Permissions(manage_messages=True))
    moderator = place.env.guild.add_member(place.env.create_user("mod"), roles=[role])
    await place.env.restart_bot(make_client())
    shown = await place.press("Rebalance", moderator)
    assert shown.modal is not None
    assert (
        answer_of(
            await moderator.select(place.message, ["srt"], custom_id=menu_of(place.message, "subtitles"))
        ).attachments
        != []
    )


async def test_result_that_is_no_longer_kept(place: Place, deletion: DataDeletion) -> None:
    await place.bring()
    await place.played.queue.discard((await place.newest()).id)
    await deletion.delete_person_records(str(place.alice.id))
    assert answer_of(await place.press("Dub")).content == "This result is no longer kept. Send the clip again."


def test_name_of_a_speaker_is_one_line_of_what_can_be_seen() -> None:
    submitted = SubmittedModal(texts={"speaker-0": " An\u202ena\n B ", "speaker-1": "\u200b"}, choices={}, files=())
    assert submitted_names(submitted, make_result().speakers) == {"A": "Anna B"}


async def test_what_a_card_does_not_show_is_in_a_menu(place: Place) -> None:
    await place.bring()
    menu = menu_of(place.message, "more")
    facts = answer_of(await place.alice.select(place.message, ["facts"], custom_id=menu)).content
    assert "Route: dialogue" in facts.replace("*", "")
    assert "92 % of the clip" in facts
    stranger = place.env.guild.add_member(place.env.create_user("stig"))
    refused = answer_of(await stranger.select(place.message, ["facts"], custom_id=menu))
    assert refused.content.startswith("Only the person who asked")


async def test_notes_are_told_by_the_menu(place: Place) -> None:
    await place.bring(notes=("The clip was short.",))
    menu = menu_of(place.message, "more")
    assert (
        answer_of(await place.alice.select(place.message, ["notes"], custom_id=menu)).content == "- The clip was short."
    )
