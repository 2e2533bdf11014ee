from pathlib import Path

from worker.store.private_home import close_home


def test_a_home_is_closed(tmp_path: Path) -> None:
    for home in (tmp_path / "deep" / "new", tmp_path / "open"):
        if home.name == "open":
            home.mkdir(mode=0o755)
        close_home(home)
        assert home.stat().st_mode & 0o777 == 0o700


def test_folders_for_all_stay_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    close_home(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o777
    close_home(Path("/dev/null/home"))
    assert not Path("/dev/null/home").exists()
