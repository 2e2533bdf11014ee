"""Other words in the soft subtitles of a video, with picture and sound as they were."""

from pathlib import Path

import pytest

from pipeline.errors import MediaError
from pipeline.media.subtitle_track import replace_subtitles
from tests.pipeline.media.subtitled_video import described, make_subtitled, packets_of, words_in

OLD = "1\n00:00:00,200 --> 00:00:00,600\nSpeaker 1: Hello storm.\n"
NEW = "1\n00:00:00,200 --> 00:00:00,500\nAnn: Halló\n\n2\n00:00:00,500 --> 00:00:00,900\nBen: <i>coast</i> & more\n"


@pytest.mark.parametrize("name", ["final.mp4", "final.mkv"])
def test_only_the_words_are_others(name: str, tmp_path: Path) -> None:
    (tmp_path / "old.srt").write_text(OLD)
    (tmp_path / "new.srt").write_text(NEW)
    video = make_subtitled(tmp_path / "job", name, tmp_path / "old.srt")
    before = video.read_bytes()
    starts: list[float] = []

    def note(found: object) -> bool:
        assert isinstance(found, list)
        starts.extend(found)
        return True

    assert replace_subtitles(video, tmp_path / "new.srt", tmp_path / name, is_ours=note)
    assert starts == [0.2]
    assert video.read_bytes() == before
    assert packets_of(tmp_path / name) == packets_of(video)
    assert described(tmp_path / name) == described(video)
    new = words_in(tmp_path / name, 0, tmp_path)
    assert "Ann: Halló" in new
    assert "00:00:00,500 --> 00:00:00,900" in new
    assert "storm" not in new
    assert words_in(tmp_path / name, 1, tmp_path) == words_in(video, 1, tmp_path)


@pytest.mark.parametrize("name", ["final.mp4", "final.mkv"])
def test_words_that_the_clip_had_itself_stay(name: str, tmp_path: Path) -> None:
    (tmp_path / "new.srt").write_text(NEW)
    video = make_subtitled(tmp_path / "job", name, None)
    starts: list[float] = []

    def is_ours(found: object) -> bool:
        assert isinstance(found, list)
        starts.extend(found)
        return False

    assert not replace_subtitles(video, tmp_path / "new.srt", tmp_path / name, is_ours=is_ours)
    assert starts == [0.333]
    assert not (tmp_path / name).exists()


def test_a_video_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "final.mp4").write_bytes(b"no video")
    (tmp_path / "new.srt").write_text(NEW)
    with pytest.raises(MediaError):
        replace_subtitles(tmp_path / "final.mp4", tmp_path / "new.srt", tmp_path / "b.mp4", is_ours=lambda _: True)
