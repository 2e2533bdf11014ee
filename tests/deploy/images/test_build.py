"""What a build of the images is told, and what the files say that no build is needed to know."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.images.__main__ import CERTIFICATES, IMAGES, SERVICES, local_folders, main, write_sources
from deploy.setup.environments import all_image_locks

DEPLOY = Path(__file__).parents[3] / "deploy"
CONTAINERFILE = (DEPLOY / "images" / "Containerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
PROCESSES = ("bot", "media", "asr")


def test_local_folders_of_packages_are_mounted(tmp_path: Path) -> None:
    wheels, index = tmp_path / "wheels", tmp_path / "index" / "simple"
    wheels.mkdir()
    index.mkdir(parents=True)
    settings = {
        "find-links": f"{wheels} https://wheels.example/",
        "index-url": "https://user:word@index.example/simple",
        "extra-index-url": index.as_uri(),
    }
    assert list(local_folders(settings)) == [wheels, index.parent]


def test_the_sources_of_packages_go_to_the_build_quoted(tmp_path: Path) -> None:
    certificates = tmp_path / "own.crt"
    certificates.touch()
    told = write_sources({"index-url": "https://a b'c@index.example/simple", "cert": str(certificates)})
    assert f"PIP_CERT={CERTIFICATES}\n" in told
    assert "PIP_INDEX_URL='https://a b'\"'\"'c@index.example/simple'\n" in told


def test_an_image_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "there is no image nonsense" in capsys.readouterr().err


def test_each_image_has_a_stage_and_each_running_one_no_rights() -> None:
    stages = dict(re.findall(r"^FROM (\S+) AS (\S+)$", CONTAINERFILE, re.MULTILINE)[::-1]) | {
        name: base for base, name in re.findall(r"^FROM (\S+) AS (\S+)$", CONTAINERFILE, re.MULTILINE)
    }
    assert stages.keys() >= {*IMAGES, *SERVICES}
    assert all(stages[name] == "runtime" for name in PROCESSES)
    runtime = CONTAINERFILE[CONTAINERFILE.index(" AS runtime") : CONTAINERFILE.index(" AS bot\n")]
    assert "USER 10001:10001" in runtime
    assert "HEALTHCHECK" in runtime
    assert "ADD http" not in CONTAINERFILE
    assert all("--require-hashes" in CONTAINERFILE for _ in IMAGES)


@pytest.mark.parametrize("lock", all_image_locks(), ids=lambda lock: lock.name)
def test_an_image_has_the_versions_of_its_environment(lock: object) -> None:
    image = next(found for found in all_image_locks() if found == lock)
    pins = pins_of(image.lock)
    assert pins
    assert pins.items() <= pins_of(image.environment.lock).items(), "with the hashes of all their files"


def pins_of(lock: Path) -> dict[str, str]:
    """The pins of a lock file with their hashes, by name and version."""
    found: dict[str, str] = {}
    name = ""
    for line in lock.read_text().splitlines()[1:]:
        if not line.startswith(" "):
            name = line.split(" ")[0]
        found[name] = found.get(name, "") + line.strip()
    return found


def test_the_bot_has_no_torch() -> None:
    (bot,) = [lock for lock in all_image_locks() if lock.name == "bot"]
    assert not re.search(r"^(torch|nvidia|pyannote|demucs)", bot.lock.read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", PROCESSES)
def test_each_process_is_confined_in_the_composition(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "inner" in service["networks"]


def test_broker_and_database_are_reached_from_inside_alone_and_keep_what_they_have() -> None:
    assert COMPOSE["networks"]["inner"] == {"internal": True}
    for name in ("broker", "database"):
        service = COMPOSE["services"][name]
        assert service["networks"] == ["inner"]
        assert "ports" not in service
        assert service["volumes"]
    assert "--appendonly" in COMPOSE["services"]["broker"]["command"]


def test_the_example_names_each_setting_of_the_composition() -> None:
    files = ("compose.yaml", "compose.s3.yaml", "compose.gpu.yaml", "compose.small.yaml")
    asked = {name for file in files for name in re.findall(r"\$\{(\w+)", (DEPLOY / file).read_text())}
    named = set(re.findall(r"^(\w+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    assert asked - named <= {"STEMCORD_TRACES_URL"}


def test_all_processes_use_the_object_store_of_the_overlay_and_it_is_reached_from_inside_alone() -> None:
    overlay = yaml.safe_load((DEPLOY / "compose.s3.yaml").read_text())
    services = overlay["services"]
    store = services["objects"]
    assert store["networks"] == ["inner"]
    assert "ports" not in store
    assert store["cap_drop"] == ["ALL"]
    for name in PROCESSES:
        environment = services[name]["environment"]
        assert environment["STEMCORD_STORE_URL"] == "s3://stemcord"
        assert environment["AWS_ENDPOINT_URL"] == "http://objects:7070"
        assert environment["AWS_ACCESS_KEY_ID"] == store["environment"]["ROOT_ACCESS_KEY"]
        assert environment["AWS_SECRET_ACCESS_KEY"].startswith("${OBJECTS_PASSWORD")
    bucket = "mkdir -p /objects/stemcord"
    assert bucket in (DEPLOY / "images" / "fetch_weights.sh").read_text()
    assert services["init"]["volumes"] == ["objects:/objects"]
