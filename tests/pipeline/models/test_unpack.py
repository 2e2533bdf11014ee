import tarfile
from pathlib import Path

import pytest

from pipeline.models.unpack import extract


@pytest.mark.parametrize("filters", [True, False])
def test_nothing_is_unpacked_outside_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filters: bool
) -> None:
    """Before CPython 3.11.4 there are no filters."""
    if not filters:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    (tmp_path / "archive").mkdir()
    (tmp_path / "word").write_text("word")
    for name in ("good", "../bad"):
        with tarfile.open(tmp_path / "a.tar", "w") as packed:
            packed.add(tmp_path / "word", arcname=name)
        with tarfile.open(tmp_path / "a.tar") as packed:
            if name == "good":
                extract(packed, tmp_path / "archive")
            else:
                with pytest.raises(tarfile.TarError):
                    extract(packed, tmp_path / "archive")
    assert [path.name for path in (tmp_path / "archive").iterdir()] == ["good"]
    assert not (tmp_path / "bad").exists()
