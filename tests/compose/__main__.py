"""Bring the containers up, have `/separate` and `/transcribe` done end to end, take them down: `make compose-test`.

That is done with the store in a volume, then with deploy/compose.s3.yaml. Needs podman, podman-compose (1.1 or later:
that of Debian 12 mixes up networks), and the images of `make images` with `broker` and `database`. The bot alone is on
the network of this machine, since the small Discord is, and moto's server takes the place of the object store's image;
everything else is as in deploy/.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import boto3
import yaml
from botocore.config import Config

from deploy.images.__main__ import BASE, CERTIFICATES, find_certificates, local_folders, write_sources
from deploy.setup.pip_config import read_pip_settings
from tests.wire.server import FakeDiscord

ROOT: Final = Path(__file__).parents[2]
SAMPLE: Final = ROOT / "tests" / "data" / "sample.mp4"
SCENE_S: Final = 12
BUCKET: Final = "stemcord"
MAX_BOT_BYTES: Final = 250_000_000
STORED_FILES: Final = 5
"""At least: the clip, its stems, a transcript."""
PROJECT: Final = "stemcord-test"
COMMANDS: Final = {"separate", "transcribe"}
START_TIMEOUT_S: Final = 240.0
JOB_TIMEOUT_S: Final = 600.0
BROKER_PORT: Final = 26399
DATABASE_PORT: Final = 25499
OBJECTS_PORT: Final = 27099
UNSET: Final = (
    *("STEMCORD_TRACES_URL", "STEMCORD_PUBLIC_URL", "STEMCORD_SECRET"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ALLOW_HTTP"),
)
"""Optional settings: podman-compose 1.0 leaves `${NAME:-}` as it is."""
PASSWORDS: Final = ("BROKER_PASSWORD", "DATABASE_PASSWORD", "OBJECTS_PASSWORD")
SERVICES: Final = ("broker", "database", "init", "media", "asr", "bot")


async def main() -> None:
    """Run the test with each store; whatever happens, containers and volumes are gone afterwards."""
    listing = ["podman", "image", "inspect", "--format", "{{.Size}}", "localhost/stemcord-bot:latest"]
    size = int(subprocess.run(listing, check=True, capture_output=True, text=True).stdout)
    assert size < MAX_BOT_BYTES, f"the bot's image has {size / 1e6:.0f} MB"
    for s3 in (False, True):
        with tempfile.TemporaryDirectory(prefix="stemcord-compose-") as folder:
            async with FakeDiscord.start() as fake:
                await check(Containers(Path(folder), fake, s3=s3), fake)
        print(f"compose, {'an S3 store' if s3 else 'a volume'}: separated and transcribed, all containers are well")


async def check(stack: "Containers", fake: FakeDiscord) -> None:
    """Bring the containers up, send both commands, take the containers down."""
    try:
        await stack.start()
        await stack.process(fake, "separate", {"vocals.flac", "background.flac"})
        await stack.process(fake, "transcribe", {"transcript.txt"})
        await stack.check_health()
        await stack.check_store()
    except BaseException:
        sys.stderr.write(await stack.logs())
        raise
    finally:
        await stack.compose("down", "--volumes", check=False)


class Containers:
    """The containers of deploy/compose.yaml with the settings of a test."""

    def __init__(self, folder: Path, fake: FakeDiscord, *, s3: bool) -> None:
        self.folder = folder
        self.s3 = s3
        self.files = [folder / "compose.yaml", *([folder / "compose.s3.yaml"] if s3 else [])]
        passwords = {name: secrets.token_urlsafe(18) for name in PASSWORDS}
        self.environment = os.environ | passwords
        self.environment |= {
            "DISCORD_TOKEN": fake.environment["DISCORD_TOKEN"],
            "BROKER_IMAGE": os.environ.get("BROKER_IMAGE", "localhost/stemcord-broker:latest"),
            "DATABASE_IMAGE": os.environ.get("DATABASE_IMAGE", "localhost/stemcord-database:latest"),
        }
        redis = f"redis://:{passwords['BROKER_PASSWORD']}@127.0.0.1:{BROKER_PORT}/0"
        database = f"postgresql://stemcord:{passwords['DATABASE_PASSWORD']}@127.0.0.1:{DATABASE_PORT}/stemcord"
        redirect = fake.environment["PYTHONPATH"]
        settings = fake.environment | {
            "PYTHONPATH": "/redirect",
            "STEMCORD_REDIS_URL": redis,
            "STEMCORD_DATABASE_URL": database,
            "STEMCORD_METRICS_HOST": "127.0.0.1",
        }
        composition = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
        services = composition["services"]
        for name, ports in (("broker", f"{BROKER_PORT}:6379"), ("database", f"{DATABASE_PORT}:5432")):
            services[name] |= {"ports": [f"127.0.0.1:{ports}"], "networks": ["inner", "outer"]}
        services["init"]["volumes"] += self._package_sources()
        for name in ("media", "asr", "bot"):
            services[name]["environment"] |= dict.fromkeys(UNSET, "")
        bot = services["bot"]
        del bot["networks"], bot["ports"]
        bot["network_mode"] = "host"
        bot["environment"] |= settings
        bot["volumes"].append(f"{redirect}:/redirect:ro")
        self.files[0].write_text(yaml.safe_dump(composition))
        if s3:
            self.files[1].write_text(yaml.safe_dump(self._object_store()))

    def _object_store(self) -> dict[str, Any]:
        """Return deploy/compose.s3.yaml with moto's server, which the tests' environment has, in the base image."""
        overlay = yaml.safe_load((ROOT / "deploy" / "compose.s3.yaml").read_text())
        objects = overlay["services"]["objects"]
        objects |= {"image": BASE, "ports": [f"127.0.0.1:{OBJECTS_PORT}:7070"], "networks": ["inner", "outer"]}
        objects["command"] = ["python3", "-m", "moto.server", "--host", "0.0.0.0", "--port", "7070"]
        objects["environment"]["PYTHONPATH"] = "/packages"
        objects["volumes"] += [f"{sysconfig.get_paths()['purelib']}:/packages:ro"]
        bot = overlay["services"]["bot"]
        bot["environment"] = bot["environment"] | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{OBJECTS_PORT}"}
        return overlay

    def _package_sources(self) -> list[str]:
        """Return the mounts by which packages come from where this machine's pip gets them."""
        settings = read_pip_settings(sys.executable) or read_pip_settings("python3")
        sources = self.folder / "sources"
        sources.write_text(write_sources(settings))
        mounts = [f"{place}:{place}:ro" for place in local_folders(settings)]
        if certificates := find_certificates(settings):
            mounts.append(f"{certificates}:{CERTIFICATES}:ro")
        return [f"{sources}:/run/sources:ro", *mounts]

    async def start(self) -> None:
        """Start everything in order: services, weights, then the processes of Stemcord."""
        # What a run left that was killed has other passwords.
        await self.compose("down", "--volumes", check=False)
        await self.compose("up", "--detach", "broker", "database")
        await self.compose("run", "--rm", "-T", "init")
        if self.s3:
            await self.compose("up", "--detach", "objects")
            await asyncio.to_thread(self._bucket().create_bucket, Bucket=BUCKET)
        told = await self.compose("up", "--detach", "media", "asr", "bot")
        running = await self._run(["podman", "ps", "--format", "{{.Names}}"])
        # It ends well although a container could not be started.
        assert {f"{PROJECT}_{name}_1" for name in ("media", "asr", "bot")} <= set(running.split()), told[-4000:]

    async def compose(self, *arguments: str, check: bool = True) -> str:
        """Run podman-compose and return what it wrote."""
        files = [word for file in self.files for word in ("-f", str(file))]
        return await self._run(["podman-compose", "-p", PROJECT, *files, *arguments], check=check)

    async def process(self, fake: FakeDiscord, command: str, wanted: set[str]) -> None:
        """Have a person send a clip and wait for the files."""
        await fake.wait(lambda: ready(fake), START_TIMEOUT_S, "the bot to listen")
        began = time.monotonic()
        interaction = await fake.slash(command, clip=self._scene())
        await fake.wait(lambda: bool(interaction.original and interaction.original.files), JOB_TIMEOUT_S, command)
        assert interaction.original is not None
        missing = wanted - set(interaction.original.files)
        assert not missing, f"{command} brought {sorted(interaction.original.files)}"
        print(f"{command}: {time.monotonic() - began:.0f} s, {', '.join(sorted(interaction.original.files))}")

    async def check_health(self) -> None:
        """Run the health check of each image in its container."""
        for service in ("bot", "media", "asr"):
            check = ["exec", f"{PROJECT}_{service}_1", "python", "-m", "worker.telemetry.health"]
            await self._run(["podman", *check])
            print(f"{service}: well")

    async def check_store(self) -> None:
        """See that the S3 store, where there is one, has what was sent and made."""
        if self.s3:
            found = await asyncio.to_thread(self._bucket().list_objects_v2, Bucket=BUCKET)
            assert found["KeyCount"] >= STORED_FILES, f"only {found['KeyCount']} objects in the bucket"
            print(f"objects: {found['KeyCount']} in the bucket")

    def _bucket(self) -> Any:
        """Return a client of another make; it waits for the server."""
        keys = {"aws_access_key_id": "stemcord", "aws_secret_access_key": self.environment["OBJECTS_PASSWORD"]}
        config = Config(retries={"total_max_attempts": 10, "mode": "standard"}, connect_timeout=5, read_timeout=10)
        place = {"endpoint_url": f"http://127.0.0.1:{OBJECTS_PORT}", "region_name": "us-east-1"}
        return boto3.client("s3", **place, **keys, config=config)

    async def logs(self) -> str:
        """What the containers wrote last."""
        parts = [
            f"-- {name}\n{await self._run(['podman', 'logs', '--tail', '40', f'{PROJECT}_{name}_1'], check=False)}"
            for name in (*SERVICES, *(["objects"] if self.s3 else []))
        ]
        return "\n".join(parts)

    def _scene(self) -> Path:
        import imageio_ffmpeg

        scene = self.folder / "scene.mp4"
        if not scene.exists():
            command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(SAMPLE), "-t", str(SCENE_S)]
            subprocess.run([*command, "-c", "copy", str(scene)], check=True, timeout=60, stdin=subprocess.DEVNULL)
        return scene

    async def _run(self, command: Sequence[str], *, check: bool = True) -> str:
        done = await asyncio.to_thread(
            subprocess.run, command, env=self.environment, capture_output=True, text=True, timeout=900, check=False
        )
        output = done.stdout + done.stderr
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command[:4])} … ended with {done.returncode}:\n{output[-4000:]}")
        return output


def ready(fake: FakeDiscord) -> bool:
    """Whether the bot listens and its commands are registered."""
    return fake.gateway.connected and {command["name"] for command in fake.world.all_commands()} >= COMMANDS


if __name__ == "__main__":
    for tool in ("podman", "podman-compose"):
        if shutil.which(tool) is None:
            raise SystemExit(
                f"{tool} is missing (Debian 12: apt install podman, and podman-compose 1.1 or later by pip)."
            )
    asyncio.run(main())
