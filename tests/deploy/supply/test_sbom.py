"""The bill of materials of the environment that runs the tests."""

import json
import re
from importlib.metadata import version
from pathlib import Path

from deploy.supply.__main__ import main
from pipeline.catalog import MODELS


def test_it_names_every_package_and_model_and_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "sbom.json", tmp_path / "b" / "sbom.json"
    assert main(["sbom", str(first)]) == main(["sbom", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    bill = json.loads(first.read_bytes())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", bill["serialNumber"]
    )
    packages = {one["name"]: one for one in bill["components"] if one["type"] == "library"}
    assert packages["aiohttp"]["version"] == version("aiohttp")
    assert packages["aiohttp"]["licenses"]
    assert packages["discord-py"]["purl"] == f"pkg:pypi/discord-py@{version('discord.py')}"
    models = {one["name"]: one for one in bill["components"] if one["type"] == "machine-learning-model"}
    assert models.keys() == MODELS.keys()
    assert models["whisper-base"]["components"][0]["hashes"][0]["alg"] == "SHA-256"
    references = {one["bom-ref"] for one in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert len(references) == len(bill["components"]) + 1
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert {reference for found in needs.values() for reference in found} <= references
    assert packages["aiohttp"]["bom-ref"] in needs[packages["discord-py"]["bom-ref"]]


def test_it_keeps_to_the_published_schema(tmp_path: Path) -> None:
    # Late, since its import takes seconds, for which all processes that collect the tests would wait.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    path = tmp_path / "sbom.json"
    assert main(["sbom", str(path)]) == 0
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(path.read_text()) is None
