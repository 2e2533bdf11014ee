"""A bill of materials of this environment in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/), reproducible."""

import uuid
from importlib.metadata import Distribution, distributions
from typing import TypeAlias

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.catalog import MODELS, Model

Json: TypeAlias = dict[str, "str | int | list[Json] | list[str] | Json"]
NAMESPACE = uuid.UUID("5e9e1b44-6f2b-5f4f-9c39-3a1f3c0f6b52")
"""For serial numbers: the same content has the same number."""
PROJECT = "stemcord"
MAX_LICENCE_CHARS = 100
"""Some packages put their whole licence where its name belongs."""


def describe_environment() -> Json:
    """Describe the packages of the interpreter that runs this, how they depend on each other, and all models."""
    installed = {canonicalize_name(one.metadata["Name"]): one for one in distributions()}
    project = installed.pop(canonicalize_name(PROJECT))
    references: dict[str, str] = {name: _reference(name, one.version) for name, one in installed.items()}
    components = [_package(name, installed[name], references[name]) for name in sorted(installed)]
    root = _reference(PROJECT, project.version)
    dependencies: list[Json] = [
        {"ref": reference, "dependsOn": _needs(one, references)}
        for reference, one in sorted([(root, project), *((references[name], one) for name, one in installed.items())])
    ]
    content: Json = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": root, "name": PROJECT, "version": project.version}
        },
        "components": [*components, *(_model(model) for _, model in sorted(MODELS.items()))],
        "dependencies": dependencies,
    }
    serial = uuid.uuid5(NAMESPACE, msgspec.json.encode(content).decode())
    return {"serialNumber": f"urn:uuid:{serial}", **content}


def _package(name: str, package: Distribution, reference: str) -> Json:
    component: Json = {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": package.version,
        "purl": reference,
    }
    expression, licence = _field(package, "License-Expression"), _field(package, "License")
    if expression:
        component["licenses"] = [{"expression": expression}]
    elif licence and len(licence) <= MAX_LICENCE_CHARS:
        component["licenses"] = [{"license": {"name": licence}}]
    return component


def _field(package: Distribution, name: str) -> str:
    return package.metadata[name].strip() if name in package.metadata else ""


def _model(model: Model) -> Json:
    files = [(file.name, file.sha256) for file in (*model.files, *model.hub)]
    parts: list[Json] = [
        {
            "type": "file",
            "bom-ref": f"model:{model.name}/{name}",
            "name": name,
            # Of some files the makers publish less than a whole sha256.
            **({"hashes": [{"alg": "SHA-256", "content": digest}]} if len(digest) == 64 else {}),
        }
        for name, digest in files
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{model.name}",
        "name": model.name,
        "licenses": [{"license": {"name": model.licence}}],
        "externalReferences": [{"type": "website", "url": address} for address in model.source.split()],
        "components": parts,
    }


def _needs(package: Distribution, references: dict[str, str]) -> list[str]:
    """Return what a package requires without extras, as far as it is installed."""
    required = (Requirement(text) for text in package.requires or ())
    names = {
        canonicalize_name(one.name) for one in required if one.marker is None or one.marker.evaluate({"extra": ""})
    }
    return sorted(references[name] for name in names & references.keys())


def _reference(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version.replace('+', '%2B')}"
