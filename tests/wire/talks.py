"""Results with speakers of whom people say who they are; the test plays the worker that writes their files."""

import asyncio
import io
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from pipeline.types import Artefact, Speaker, Transcript
from tests.bot.search.transcripts import transcript_of
from tests.wire.answers import id_for, private, shows
from tests.wire.light import LightStack, transcript_bytes
from tests.wire.objects import Message
from tests.wire.shapes import Json
from worker.protocol import Job

RATE = 16_000
NOTHING = "Nothing was found."


@dataclass(slots=True)
class Talk:
    """A result in a channel, whose files the test writes again as a worker would."""

    light: LightStack
    message: Message
    asker: Json
    transcript: Transcript
    voices: Artefact | None = None

    @property
    def names(self) -> list[str]:
        """What the speakers are called in the files."""
        return [speaker.name for speaker in self.transcript.speakers]

    async def listed(self, **act: Any) -> Message:
        """The private list of speakers, as somebody sees it."""
        pressed = await self.light.fake.click(id_for(self.message, "rename"), self.message, **act)
        return await shows(self.light, await private(self.light, pressed), lambda m: bool(m.buttons), 10)

    async def rewritten(self, *names: str) -> Job:
        """The files are written again by the job that the bot sends, and the message shows it."""
        job = await self.light.job(of=self.asker["id"])
        assert job.replaces is True
        speakers = tuple(
            Speaker(id=speaker.id, name=job.request.names.get(speaker.id, f"Speaker {number}"))
            for number, speaker in enumerate(self.transcript.speakers, 1)
        )
        self.transcript = replace(self.transcript, speakers=speakers)
        files = {"transcript.json": transcript_bytes(self.transcript), "transcript.txt": b"text"}
        await self.light.finish(
            await self.light.take(job), job, files, speakers=speakers, language="en", voices=self.voices
        )
        await confirmed(self.light, job)
        await shows(self.light, self.message, lambda m: all(name in m.text for name in names), 10)
        return job


async def talk(
    light: LightStack, folder: Path, *lines: str, by: Json | None = None, voices: bytes | None = None, **where: Any
) -> Talk:
    """A clip with a speaker for each line, and what describes their voices."""
    clip = folder / f"talk-{time.monotonic_ns()}.mp4"
    clip.write_bytes(b"a clip of some length")
    asker = by or await light.fake.add_person(f"asker{time.monotonic_ns()}")
    asked = await light.fake.slash("transcribe", clip=clip, by=asker, **where)
    job = await light.job(of=asked)
    spoken = transcript_of(*((f"Speaker {number}", text) for number, text in enumerate(lines, 1)))
    files = {"transcript.json": transcript_bytes(spoken), "transcript.txt": b"text", "stems/vocals.flac": tone()}
    kept = None
    if voices is not None:
        (clip.parent / "voices.json").write_bytes(voices)
        kept = await light.store.put(clip.parent / "voices.json", name="voices-embeddings.json")
    await light.finish(await light.take(job), job, files, speakers=spoken.speakers, language="en", voices=kept)
    message = await shows(light, asked.original, lambda m: bool(m.files), 20)
    await confirmed(light, job)
    return Talk(light, message, asker, spoken, kept)


async def confirmed(light: LightStack, job: Job) -> None:
    """Waits until the person of a job has the answer."""
    end = time.monotonic() + 20
    while job.id in [left.id for left in await light.queue.undelivered()]:
        assert time.monotonic() < end, light.report()
        await asyncio.sleep(0.05)


def tone() -> bytes:
    at = np.arange(10 * RATE) / RATE
    file = io.BytesIO()
    soundfile.write(file, (0.3 * np.sin(2 * np.pi * 440 * at)).astype(np.float32), RATE, format="FLAC")
    return file.getvalue()


def ids(message: Message, action: str) -> list[str]:
    """The buttons of an action, in the order of the speakers."""
    return [key for key in message.buttons if key.startswith(f"stemcord:{action}:")]


async def told(light: LightStack, message: Message, text: str) -> Message:
    return await shows(light, message, lambda m: text in m.text, 10)


async def named(of: Talk, member: Json, index: int = 0, name: str | None = None) -> Message:
    """A member is chosen for a speaker."""
    listed = await of.listed(by=of.asker)
    opened = await of.light.fake.click(ids(listed, "who")[index], listed, by=of.asker)
    fields: dict[str, Any] = {"member": [member]} | ({} if name is None else {"name": name})
    await of.light.fake.submit(opened, **fields)
    return await told(of.light, listed, "Renamed.")


async def find(light: LightStack, words: str, member: Json, wanted: bool) -> Message:
    """What is found by a member, once it is (not) so."""
    end = time.monotonic() + 15
    while True:
        asked = await light.fake.slash("find", words=words, named={"by": f"<@{member['id']}>"})
        answer = await private(light, asked)
        if (NOTHING not in answer.text and "not here" not in answer.text) == wanted:
            return answer
        assert time.monotonic() < end, f"{answer.text}\n{light.report()}"
