"""What unlucky and hostile people do to a transcript on its page."""

import pytest

from tests.bot.web.edited_page import Edited


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("edits", b'{"base":0,"edits":["\xff"]}', id="edits that are no text"),
        pytest.param("names", b'{"S1":"\xff"}', id="names that are no text"),
        pytest.param("back", b"[" * 60_000, id="a deep list"),
        pytest.param("edits", b'{"base":1e999,"edits":[]}', id="an endless number"),
        pytest.param("edits", b'{"base":NaN,"edits":[]}', id="no number"),
    ],
)
async def test_bytes_that_nobody_can_read_are_refused(edited: Edited, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await edited.browser.post(f"{edited.page}/{path}", data=body, headers=headers)
    assert answer.status == 400
