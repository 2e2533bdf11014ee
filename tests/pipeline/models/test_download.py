"""Fetching from a hub that runs here: bytes, sockets, files and locks are real."""

import hashlib
import random
import resource
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from pipeline.catalog import MODELS, HubFile, Model
from pipeline.errors import Cancelled, ModelDigestError, ModelMissingError
from pipeline.models.checkpoints import checkpoint_path
from pipeline.models.download.client import RETRY_RESET_BYTES, RetryPolicy, download_model, ensure_downloaded
from pipeline.models.download.hub import FileUnavailableError, HubAccess, resolve_redirect
from tests.pipeline.models.hub_server import Hub, running

ROOT = Path(__file__).parents[3]
NAME = "uvr/tiny.ckpt"
SIZE = 3 * RETRY_RESET_BYTES
RETRY = RetryPolicy(connect_timeout_s=2.0, read_timeout_s=0.3, max_attempts=3, first_pause_s=0.01)
NOBODY = HubAccess()


@pytest.fixture(scope="module")
def content() -> bytes:
    return random.Random(4).randbytes(SIZE)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def hub(content: bytes):
    with running({NAME: content}) as hub:
        yield hub


class Told:
    """Keeps what was told, and may raise once a number of bytes is here."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.done: list[int] = []
        self._stop_at = stop_at

    def __call__(self, file: HubFile, done: int, total: int) -> None:
        self.done.append(done)
        if self._stop_at is not None and done >= self._stop_at:
            raise Cancelled("stopped")


def fetch(model: Model, home: Path, told: Told | None = None, access: HubAccess = NOBODY) -> Path:
    paths = download_model(model, home, told or Told(), access=access, retry=RETRY)
    return paths[NAME]


def names(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "checkpoints" / "uvr").iterdir())


def test_a_file_comes_whole_and_is_told_of(hub: Hub, content: bytes, tmp_path: Path) -> None:
    told = Told()
    path = fetch(hub.model(), tmp_path, told)
    assert path == tmp_path / "checkpoints" / "uvr" / "tiny.ckpt"
    assert path.read_bytes() == content
    assert names(tmp_path) == ["tiny.ckpt"]
    assert told.done == sorted(told.done)
    assert (told.done[0], told.done[-1]) == (0, SIZE)
    assert fetch(hub.model(), tmp_path) == path
    assert len(hub.asked) == 1, "what is here is verified, not fetched again"


def test_a_broken_connection_is_gone_on_with(hub: Hub, content: bytes, tmp_path: Path) -> None:
    hub.break_after = [SIZE // 2]
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert [asked.range for asked in hub.asked] == [None, f"bytes={SIZE // 2}-"]
    assert hub.asked[1].if_range == '"one"'
    assert hub.sent == SIZE, "nothing is sent twice"


def test_a_hub_that_brings_something_each_time_is_asked_on(hub: Hub, content: bytes, tmp_path: Path) -> None:
    """Three tries are for those in a row that bring next to nothing."""
    hub.break_after = [RETRY_RESET_BYTES, 0, RETRY_RESET_BYTES, 0]
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert len(hub.asked) == 5


def test_a_cancel_leaves_what_came_and_the_next_run_goes_on(hub: Hub, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        fetch(hub.model(), tmp_path, Told(stop_at=RETRY_RESET_BYTES))
    part = tmp_path / "checkpoints" / "uvr" / "tiny.ckpt.part"
    here = part.stat().st_size
    assert part.read_bytes() == content[:here]
    assert RETRY_RESET_BYTES <= here < SIZE
    hub.asked.clear()
    told = Told()
    assert fetch(hub.model(), tmp_path, told).read_bytes() == content
    assert [asked.range for asked in hub.asked] == [f"bytes={here}-"]
    assert told.done[0] == here
    assert names(tmp_path) == ["tiny.ckpt"]


def test_what_is_whole_but_has_no_name_yet_is_not_asked_for(hub: Hub, content: bytes, tmp_path: Path) -> None:
    part = tmp_path / "checkpoints" / "uvr" / "tiny.ckpt.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert hub.asked == []


def test_a_hub_that_does_not_tell_the_length_is_held_to_the_catalogues(
    hub: Hub, content: bytes, tmp_path: Path
) -> None:
    hub.tells_length, hub.break_after = False, [SIZE // 2]
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert [asked.range for asked in hub.asked] == [None, f"bytes={SIZE // 2}-"]


def test_a_part_that_begins_elsewhere_is_not_taken(hub: Hub, content: bytes, tmp_path: Path) -> None:
    hub.break_after, hub.shift = [SIZE // 2], 7
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert [asked.range for asked in hub.asked] == [None, f"bytes={SIZE // 2}-", None]


def test_a_hub_without_ranges_sends_it_all_again(hub: Hub, content: bytes, tmp_path: Path) -> None:
    hub.ranges, hub.break_after = False, [SIZE // 2]
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert hub.sent == SIZE // 2 + SIZE


@pytest.mark.parametrize("etag", ['"two"', None])
def test_a_file_that_changed_meanwhile_is_not_mixed(hub: Hub, content: bytes, tmp_path: Path, etag: str | None) -> None:
    """Only the first digits of its digest are known, so the hub's word for its version decides."""
    model = hub.model(sha256=hashlib.sha256(content).hexdigest()[:8])
    hub.files[NAME] = bytes(SIZE)
    hub.etag = '"one"' if etag else None
    with pytest.raises(Cancelled):
        fetch(model, tmp_path, Told(stop_at=RETRY_RESET_BYTES))
    hub.files[NAME], hub.etag = content, etag
    assert fetch(model, tmp_path).read_bytes() == content
    assert (hub.asked[1].range is None) is (etag is None)


def test_a_part_that_was_damaged_is_fetched_again(hub: Hub, content: bytes, tmp_path: Path) -> None:
    part = tmp_path / "checkpoints" / "uvr" / "tiny.ckpt.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(RETRY_RESET_BYTES))
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert [asked.range for asked in hub.asked] == [f"bytes={RETRY_RESET_BYTES}-", None]


@pytest.mark.parametrize("change", ["bytes", "longer", "shorter"])
def test_other_bytes_are_refused_and_deleted(hub: Hub, content: bytes, tmp_path: Path, change: str) -> None:
    model = hub.model()
    hub.files[NAME] = {"bytes": content[:-1] + b"?", "longer": content + b"?", "shorter": content[:-1]}[change]
    with pytest.raises(ModelDigestError, match=r"tiny\.ckpt"):
        fetch(model, tmp_path)
    assert names(tmp_path) == []


def test_a_mirror_is_asked_when_the_first_place_fails(hub: Hub, content: bytes, tmp_path: Path) -> None:
    model = hub.model()
    with running({NAME: bytes(SIZE)}) as changed, running({}) as empty:
        places = ("http://127.0.0.1:9", changed.url, empty.url, hub.url)
        file = replace(model.hub[0], addresses=tuple(f"{place}/{NAME}" for place in places))
        assert fetch(replace(model, hub=(file,)), tmp_path).read_bytes() == content
        assert len(changed.asked) == len(empty.asked) == len(hub.asked) == 1


def test_a_mirror_goes_on_where_another_broke_off(hub: Hub, content: bytes, tmp_path: Path) -> None:
    model = hub.model()
    with running({NAME: content}) as failing:
        failing.break_after = [RETRY_RESET_BYTES, 0, 0, 0]
        file = replace(model.hub[0], addresses=(f"{failing.url}/{NAME}", f"{hub.url}/{NAME}"))
        assert fetch(replace(model, hub=(file,)), tmp_path).read_bytes() == content
    assert [(asked.range, asked.if_range) for asked in hub.asked] == [(f"bytes={RETRY_RESET_BYTES}-", None)]


def test_the_first_digits_are_enough_once_and_the_rest_is_noted(hub: Hub, content: bytes, tmp_path: Path) -> None:
    digest = hashlib.sha256(content).hexdigest()
    model = hub.model(sha256=digest[:8], size=0)
    path = fetch(model, tmp_path)
    note = path.with_name("tiny.ckpt.sha256")
    assert note.read_text() == f"{digest}  tiny.ckpt\n"
    note.write_text(f"{digest[:8]}{'0' * 56}  tiny.ckpt\n")
    with pytest.raises(ModelDigestError):
        fetch(model, tmp_path)


def test_where_only_an_md5_is_published_it_decides(hub: Hub, content: bytes, tmp_path: Path) -> None:
    whole = hub.model(sha256="", size=0)
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    right = replace(whole, hub=(replace(whole.hub[0], md5=md5),))
    place = fetch(right, tmp_path)
    assert place.read_bytes() == content
    # What came is held to from then on.
    place.write_bytes(content[:-1] + b"?")
    with pytest.raises(ModelDigestError, match="not the one"):
        fetch(right, tmp_path)
    wrong = replace(whole, hub=(replace(whole.hub[0], md5="0" * 32),))
    with pytest.raises(ModelDigestError, match="not the one"):
        fetch(wrong, tmp_path / "other")
    assert "tiny.ckpt" not in names(tmp_path / "other"), "other bytes get no name"


def test_a_file_that_is_here_and_wrong_is_named_and_kept(hub: Hub, content: bytes, tmp_path: Path) -> None:
    path = fetch(hub.model(), tmp_path)
    path.write_bytes(content[:-1] + b"?")
    with pytest.raises(ModelDigestError, match="known by that name") as caught:
        fetch(hub.model(), tmp_path)
    assert "Delete it" in caught.value.hint
    assert path.is_file()


@pytest.mark.parametrize("statuses", [[503], [429, 500]])
def test_a_busy_hub_is_asked_again(hub: Hub, content: bytes, tmp_path: Path, statuses: list[int]) -> None:
    hub.statuses = list(statuses)
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert len(hub.asked) == len(statuses) + 1


def test_a_file_that_is_gone_is_not_waited_for(hub: Hub, tmp_path: Path) -> None:
    model = hub.model()
    hub.files.clear()
    with pytest.raises(ModelMissingError, match="no longer where they were") as caught:
        fetch(model, tmp_path)
    assert "404" in caught.value.detail
    assert len(hub.asked) == 1
    assert names(tmp_path) == []


def test_without_a_network_the_words_are_clear(tmp_path: Path) -> None:
    file = HubFile(name=NAME, addresses=("http://127.0.0.1:9/a",), sha256="0" * 64, size=1)
    model = replace(MODELS["htdemucs"], hub=(file,))
    with pytest.raises(ModelMissingError, match="no hub that keeps them can be reached") as caught:
        fetch(model, tmp_path)
    assert "stemcord models fetch htdemucs" in caught.value.hint
    assert "--preset pocket" in caught.value.hint


def test_a_silent_hub_is_given_up_and_what_came_is_kept(hub: Hub, content: bytes, tmp_path: Path) -> None:
    hub.silent = threading.Event()
    with pytest.raises(ModelMissingError, match="can be reached") as caught:
        fetch(hub.model(), tmp_path)
    hub.silent.set()
    assert "ReadTimeout" in caught.value.detail
    here = (tmp_path / "checkpoints" / "uvr" / "tiny.ckpt.part").stat().st_size
    hub.silent = None
    hub.asked.clear()
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert [asked.range for asked in hub.asked] == [f"bytes={here}-"]


def test_a_hub_that_asks_who_it_is_gets_the_token(hub: Hub, content: bytes, tmp_path: Path) -> None:
    hub.token = "secret"
    mine = HubAccess(token="secret", origins=frozenset({hub.url}))
    assert fetch(hub.model(), tmp_path, access=mine).read_bytes() == content
    assert "secret" not in repr(mine)


@pytest.mark.parametrize(
    ("token", "status", "message", "hint"),
    [
        (None, 401, "only to people it knows", "Accept the conditions at https://example.org/conditions"),
        ("other", 401, "does not accept the token", "Make a new one"),
        ("other", 403, "to the account of the token", "Log in with that account"),
    ],
)
def test_a_refusal_says_what_to_do(
    hub: Hub, tmp_path: Path, token: str | None, status: int, message: str, hint: str
) -> None:
    hub.statuses = [status]
    with pytest.raises(ModelMissingError, match=message) as caught:
        fetch(hub.model(), tmp_path, access=HubAccess(token=token, origins=frozenset({hub.url})))
    assert caught.value.hint.startswith(hint)
    assert str(status) in caught.value.detail
    assert "other" not in caught.value.detail
    assert len(hub.asked) == 1, "asking again would not help"


def test_the_token_is_for_its_hub_alone(hub: Hub, content: bytes, tmp_path: Path) -> None:
    with running({}) as front:
        front.redirect = hub.url
        file = replace(hub.model().hub[0], addresses=(f"{front.url}/{NAME}",))
        access = HubAccess(token="secret", origins=frozenset({front.url}))
        assert fetch(replace(hub.model(), hub=(file,)), tmp_path, access=access).read_bytes() == content
        assert [asked.authorization for asked in front.asked] == ["Bearer secret"]
    assert [asked.authorization for asked in hub.asked] == [None]


def test_by_default_only_hugging_face_sees_the_token(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "theirs")
    monkeypatch.setenv("STEMCORD_HUB_TOKEN", "")
    assert HubAccess.find().token == "theirs"
    monkeypatch.setenv("STEMCORD_HUB_TOKEN", "secret")
    access = HubAccess.find()
    assert access.token == "secret"
    fetch(hub.model(), tmp_path, access=access)
    assert hub.asked[0].authorization is None
    assert access.origins == {"https://huggingface.co"}


def test_a_redirect_may_not_give_up_encryption() -> None:
    url = httpx2.URL("https://hub.example/a")
    assert resolve_redirect(url, "/b") == "https://hub.example/b"
    assert resolve_redirect(url, "https://other.example/b") == "https://other.example/b"
    with pytest.raises(FileUnavailableError, match="not encrypted"):
        resolve_redirect(url, "http://hub.example/b")


def test_a_redirect_in_a_circle_ends(hub: Hub, tmp_path: Path) -> None:
    hub.redirect = ""
    with pytest.raises(ModelMissingError) as caught:
        fetch(hub.model(), tmp_path)
    assert "from address to address" in caught.value.detail


def test_too_little_room_is_said_before_anything_is_asked(hub: Hub, tmp_path: Path) -> None:
    size = 2 * shutil.disk_usage(tmp_path).free
    with pytest.raises(ModelMissingError, match=f"tiny needs {size / 1e6:.0f} MB") as caught:
        fetch(hub.model(size=size), tmp_path)
    assert str(tmp_path) in caught.value.message
    assert "STEMCORD_HOME" in caught.value.hint
    assert hub.asked == []


def test_a_disk_that_fills_up_is_named_and_what_came_is_kept(hub: Hub, content: bytes, tmp_path: Path) -> None:
    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (RETRY_RESET_BYTES, RETRY_RESET_BYTES))

    done = run_fetch(hub, tmp_path, preexec_fn=limit_files)
    assert "ModelMissingError: There is too little room in" in done.stderr
    assert f"tiny.ckpt needs {SIZE / 1e6:.0f} MB" in done.stderr
    assert (tmp_path / "checkpoints" / "uvr" / "tiny.ckpt.part").stat().st_size == RETRY_RESET_BYTES
    assert fetch(hub.model(), tmp_path).read_bytes() == content
    assert hub.asked[-1].range == f"bytes={RETRY_RESET_BYTES}-"


def test_a_folder_that_cannot_be_written_is_named(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    with pytest.raises(ModelMissingError, match="cannot be written into") as caught:
        fetch(hub.model(), tmp_path)
    assert "STEMCORD_HOME" in caught.value.hint


def test_two_processes_fetch_a_file_once(hub: Hub, content: bytes, tmp_path: Path) -> None:
    going, later = threading.Event(), threading.Event()

    def hold() -> None:
        going.set()
        later.wait(10)

    hub.on_request = hold
    first = threading.Thread(target=run_fetch, args=(hub, tmp_path))
    first.start()
    assert going.wait(20)
    waited: list[int] = []

    def told(file: HubFile, done: int, total: int) -> None:
        waited.append(done)
        later.set()

    download_model(hub.model(), tmp_path, told, access=NOBODY, retry=RETRY)
    first.join()
    assert waited[0] == 0, "the second was waiting while the first had not begun to read"
    assert len(hub.asked) == 1
    assert checkpoint_path(hub.model().hub[0], tmp_path).read_bytes() == content
    assert names(tmp_path) == ["tiny.ckpt"]


def test_a_stage_hears_how_much_has_come(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "token")
    hub.files["uvr/tiny.yaml"] = b"settings"
    told: list[tuple[float, str]] = []
    paths = ensure_downloaded(hub.model(), tmp_path, lambda fraction, message: told.append((fraction, message)))
    assert sorted(paths) == [NAME, "uvr/tiny.yaml"]
    assert {fraction for fraction, _ in told} == {0.0}
    assert told[0][1] == "Fetching tiny, 0 of 3 MB"
    assert told[-1][1] == "Fetching tiny, 3 of 3 MB"


def run_fetch(hub: Hub, home: Path, **options) -> subprocess.CompletedProcess[str]:
    """Fetch in another process."""
    file = hub.model().hub[0]
    code = (
        "import sys; from pathlib import Path; from pipeline.catalog import *\n"
        "from pipeline.models.download.client import *\n"
        "from pipeline.models.download.hub import HubAccess\n"
        f"file = HubFile(name={file.name!r}, addresses={file.addresses!r}, sha256={file.sha256!r}, size={file.size})\n"
        "model = Model(name='tiny', engine='', environment='media', licence='', source='', good_for='', hub=(file,))\n"
        "download_model(model, Path(sys.argv[1]), lambda *told: None, access=HubAccess())\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(home)], cwd=ROOT, capture_output=True, text=True, timeout=60, **options
    )
