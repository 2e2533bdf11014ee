"""The manifests against the schemas of Kubernetes, the restricted pod security standard, and what they name."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.monitoring.test_alerts import NAME, known_names
from worker.queue.keys import ASR, MEDIA
from worker.settings import WorkerSettings

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
WORKERS = {MEDIA.kind, ASR.kind}
ALLOWED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def documents() -> list[dict[str, Any]]:
    """All manifests that the kustomization names."""
    files = [FOLDER / name for name in KUSTOMIZATION["resources"]]
    return [document for file in files for document in yaml.safe_load_all(file.read_text()) if document]


DOCUMENTS = documents()
PODS = {d["metadata"]["name"]: d["spec"]["template"] for d in DOCUMENTS if d["kind"] in ("Deployment", "StatefulSet")}
SCALED = [d for d in DOCUMENTS if d["kind"] == "ScaledObject"]
POLICIES = {d["metadata"]["name"]: d["spec"] for d in DOCUMENTS if d["kind"] == "NetworkPolicy"}


def containers(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from pod["spec"].get("initContainers", [])
    yield from pod["spec"]["containers"]


def test_all_files_are_named() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])


@pytest.mark.parametrize(
    "document",
    [d for d in DOCUMENTS if not d["apiVersion"].startswith("keda")],
    ids=lambda d: f"{d['kind']}-{d['metadata']['name']}",
)
def test_each_fits_the_schema_of_kubernetes(document: dict[str, Any]) -> None:
    import kubernetes_validate  # takes longer to import than the test to run

    kubernetes_validate.validate(document, "1.37", strict=True)


@pytest.mark.parametrize("name", PODS)
def test_each_pod_keeps_to_the_restricted_standard(name: str) -> None:
    pod = PODS[name]
    security = pod["spec"]["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod["spec"].keys()
    for container in containers(pod):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert "privileged" not in context
        assert not any("hostPort" in port for port in container.get("ports", []))
    for volume in pod["spec"].get("volumes", []):
        assert volume.keys() - {"name"} <= ALLOWED_VOLUMES


def test_the_namespace_has_the_standard_enforced() -> None:
    (namespace,) = [d for d in DOCUMENTS if d["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("name", PODS)
def test_each_mount_has_its_volume_and_each_image_a_name(name: str) -> None:
    pod = PODS[name]["spec"]
    volumes = {volume["name"] for volume in pod.get("volumes", [])} | ({"data"} if name == "broker" else set())
    images = {image["name"] for image in KUSTOMIZATION["images"]}
    for container in containers(PODS[name]):
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        assert container["image"] in images
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("scaled", SCALED, ids=lambda d: d["metadata"]["name"])
def test_workers_are_scaled_by_the_age_of_the_oldest_job(scaled: dict[str, Any]) -> None:
    spec = scaled["spec"]
    kind = spec["scaleTargetRef"]["name"]
    assert kind in WORKERS
    assert (
        "replicas"
        not in next(d for d in DOCUMENTS if d["metadata"]["name"] == kind and d["kind"] == "Deployment")["spec"]
    )
    (trigger,) = spec["triggers"]
    query = trigger["metadata"]["query"]
    assert NAME.findall(query) == ["stemcord_queue_oldest_seconds"]
    assert set(NAME.findall(query)) <= known_names().keys()
    # Parts of long clips are for media workers.
    assert {"media": 'kind=~"media|part"', "asr": 'kind="asr"'}[kind] in query
    assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"]


@pytest.mark.parametrize("name", sorted(WORKERS))
def test_the_grace_of_a_worker_is_longer_than_its_drain(name: str) -> None:
    pod = PODS[name]["spec"]
    environment = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    drain = float(environment["STEMCORD_DRAIN"])
    assert WorkerSettings(drain=drain).drain == drain
    assert pod["terminationGracePeriodSeconds"] >= drain + 25


def test_nothing_is_reached_that_is_not_named() -> None:
    nothing = POLICIES["nothing"]
    assert nothing["podSelector"] == {}
    assert nothing["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in nothing
    assert "egress" not in nothing
    reached = {port["port"] for rule in POLICIES["workers"]["egress"] for port in rule["ports"]}
    assert reached == {53, 6379, 8333}
    assert all(rule["to"] for rule in POLICIES["workers"]["egress"])
    (broker,) = POLICIES["broker"]["ingress"]
    assert broker["from"][0]["podSelector"]["matchExpressions"][0]["values"] == ["bot", "media", "asr"]
    assert not any(
        "egress" in spec and spec["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name") == "broker"
        for spec in POLICIES.values()
    )


def test_no_secret_stands_in_the_files() -> None:
    text = "\n".join(path.read_text() for path in FOLDER.rglob("*.yaml"))
    assert "kind: Secret" not in text
    asked = set(re.findall(r"secretKeyRef: \{name: stemcord, key: (\w+)\}", text))
    told = (FOLDER / "settings.yaml").read_text().partition("apiVersion")[0]
    assert asked == {name for name in asked if name in told}
