"""The editor of transcripts, without a page."""

import msgspec

from pipeline.edits.operations import Edit
from tests.bot.web.edited_page import MEND, TALK, TO_NEW, Edited
from tests.bot.web.edited_page import edited as edited
from tests.bot.web.test_stored_source import ALICE

CHANGES = [msgspec.convert(edit, Edit) for edit in (MEND, TO_NEW)]


async def test_the_edits_between_two_revisions_are_taken_back(edited: Edited) -> None:
    editor, record = edited.transcripts.editor, await edited.record()
    for base, change in enumerate(CHANGES):
        await editor.change(record, [change], by=ALICE, base=base)
    back = await editor.undo(record, 0, 2, by=ALICE)
    assert back.saved == 3
    assert back.state.transcript == TALK
