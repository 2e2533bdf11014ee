"""A transcript that a person may change, as it is now."""

from dataclasses import dataclass

from bot.components.line_fixing.places import LinePlace
from bot.components.result_actions import find_result
from bot.database.models import JobRecord
from bot.exceptions import RefusedError
from bot.retry import ack_deadline
from bot.services import Interaction
from bot.transcripts.editor import TranscriptState
from pipeline.edits.lines import Line
from pipeline.graph.turns import result_follows_turns


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTranscript:
    """The transcript in the newest result of a message."""

    job_id: str
    """The job of the button that was pressed."""
    record: JobRecord
    state: TranscriptState

    @property
    def names(self) -> dict[str, str]:
        """What speakers are called, by id."""
        result = self.record.result
        speakers = (*self.state.transcript.speakers, *(() if result is None else result.speakers))
        return {speaker.id: speaker.name for speaker in speakers}

    @property
    def lines(self) -> tuple[Line, ...]:
        """Its lines as they are now."""
        return self.state.transcript.lines

    @property
    def can_be_mixed_again(self) -> bool:
        """Whether a sound goes by who speaks when, and does not know of the edits."""
        request = self.record.job.request
        follows = result_follows_turns(request, self.record.job.dub)
        return follows and self.state.revision > 0 and request.mix_edits is not True

    def place_of(self, index: int) -> LinePlace:
        """Name a line as it is now."""
        return LinePlace.of(self.state.revision, index, self.lines[index])


async def find_record(interaction: Interaction, job_id: str) -> JobRecord:
    """Find the newest result in the message of a job; raises what `find_result` raises."""
    await find_result(interaction, job_id)
    async with ack_deadline():
        record = await interaction.client.services.repository.newest_of_message(job_id)
    if record is None:
        raise RefusedError("result-gone", "result-gone-hint")
    return record


async def load_transcript(interaction: Interaction, record: JobRecord, job_id: str) -> OpenTranscript:
    """Load the transcript of a result as it is now.

    Raises:
        RefusedError: There is none.
        StoreError: It cannot be read.
        DatabaseError: The database is unavailable.

    """
    state = await interaction.client.services.transcripts.editor.state(record)
    return OpenTranscript(job_id=job_id, record=record, state=state)


async def find_line(interaction: Interaction, opened: OpenTranscript, place: LinePlace) -> int:
    """Return where a line that was listed stands now, with whatever words. Raises `RefusedError` when it is gone."""
    editor = interaction.client.services.transcripts.editor
    state = opened.state
    if place.revision != state.revision:
        state = await editor.state(opened.record, place.revision)
    seen = place.find(state.transcript)
    found = next((index for index, line in enumerate(opened.lines) if line.id == seen.id), None)
    if found is None:
        raise RefusedError("line-gone", "line-gone-hint")
    return found
