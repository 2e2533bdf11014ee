import json
from pathlib import Path

import msgspec
import pytest

from pipeline.types import Request, Task
from worker.protocol import (
    Progressed,
    decode_cached_files,
    decode_event,
    decode_job,
    decode_stored_job,
    encode,
    owner_of,
)

DATA = Path(__file__).parent / "data"
VERSION_1 = (DATA / "job_version_1.json").read_bytes()
UNDECODABLE = (DATA / "job_undecodable.json").read_bytes()


def test_a_job_of_version_1_is_read_and_written_as_it_was() -> None:
    job = decode_stored_job("other", VERSION_1)
    assert job == decode_job(VERSION_1)
    assert job.is_supported
    assert (job.request, job.source.name, job.prefetch) == (Request(task=Task.ALL), "clip.json", False)
    assert json.loads(encode(job)) == json.loads(VERSION_1)


def test_a_prefetch_job_keeps_its_name_on_the_wire() -> None:
    job = msgspec.structs.replace(decode_job(VERSION_1), prefetch=True)
    assert json.loads(encode(job))["ahead"] is True
    assert decode_job(encode(job)).prefetch
    assert owner_of(f"ahead-{job.id}") == owner_of(job.id) == job.id


def test_a_job_of_an_unknown_version_is_not_supported() -> None:
    job = decode_stored_job("id", (DATA / "job_version_99.json").read_bytes())
    assert (job.is_supported, job.version) == (False, 99)


def test_what_can_be_read_of_an_undecodable_job_is_kept() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_job(UNDECODABLE)
    job = decode_stored_job("id", UNDECODABLE)
    assert (job.id, job.is_supported, job.submitted, job.source.name) == ("id", False, 1764300000.0, "unknown")
    assert job.reply_to == decode_job(VERSION_1).reply_to


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b'{"reply_to": {"channel_id": 1}, "submitted": "now"}'])
def test_any_bytes_become_a_placeholder(data: bytes) -> None:
    job = decode_stored_job("id", data)
    assert (job.is_supported, job.reply_to, job.submitted) == (False, None, 0.0)
    assert decode_job(encode(job)) == job


def test_events_are_told_apart_by_their_kind() -> None:
    data = b'{"kind":"progressed","progress":{"stage":"probe","fraction":0.5}}'
    assert isinstance(decode_event(data), Progressed)
    with pytest.raises(msgspec.DecodeError):
        decode_event(b'{"kind":"finished","result":{}}')


def test_files_of_a_cache_entry_are_found_in_any_version() -> None:
    entry = {"kind": "performed", "facts": {"duration": 1.0}, "artefacts": {"a.flac": {"digest": "1" * 64, "was": 2}}}
    assert decode_cached_files(json.dumps(entry).encode()) == {"1" * 64}
    assert decode_cached_files(b"{}") == decode_cached_files(b"not JSON") == set()
