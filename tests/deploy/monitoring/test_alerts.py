"""Alerts and dashboard name metrics that exist; promtool agrees where it is installed."""

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from worker.telemetry.metrics import Metrics

FOLDER = Path(__file__).parents[3] / "deploy" / "monitoring"
ALERTS = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
TARGETS = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
NAME = re.compile(r"stemcord_\w+")
LABELS = re.compile(r"\bby \(([\w, ]+)\)|(\w+)=~?\"")
FROM_PROMETHEUS = {"le", "instance"}


def known_names() -> dict[str, set[str]]:
    """The series that a process shows, with their labels."""
    names: dict[str, set[str]] = {}
    for family in Metrics().registry.collect():
        labels = {label for sample in family.samples for label in sample.labels}
        for suffix in SUFFIXES[family.type]:
            names[family.name + suffix] = labels
    return names


def labels_of(expression: str) -> set[str]:
    found = LABELS.findall(expression)
    return {label.strip() for listed, one in found for label in (listed or one).split(",")}


@pytest.mark.parametrize(
    "expression", [rule["expr"] for rule in ALERTS] + [target["expr"] for target in TARGETS], ids=lambda text: text[:60]
)
def test_each_expression_asks_for_series_that_exist(expression: str) -> None:
    names = NAME.findall(expression)
    assert names
    assert set(names) <= set(known_names())


def declared_labels() -> set[str]:
    source = (FOLDER.parents[1] / "worker" / "telemetry" / "metrics.py").read_text()
    return {
        label for listed in re.findall(r"\[((?:\"\w+\"(?:, )?)+)\]", source) for label in re.findall(r"\w+", listed)
    }


@pytest.mark.parametrize("expression", [rule["expr"] for rule in ALERTS] + [target["expr"] for target in TARGETS])
def test_each_expression_groups_by_labels_that_exist(expression: str) -> None:
    assert labels_of(expression) <= declared_labels() | FROM_PROMETHEUS


def test_each_alert_says_what_happened_and_what_to_do() -> None:
    assert len(ALERTS) == 5
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"].keys() == {"summary", "action"}
        # What a summary speaks of is a label of the alert.
        spoken = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        assert spoken <= labels_of(rule["expr"])


def test_panels_of_the_dashboard_neither_overlap_nor_leave_the_grid() -> None:
    cells: list[tuple[int, int]] = []
    for panel in DASHBOARD["panels"]:
        x, y, width, height = (panel["gridPos"][name] for name in "xywh")
        assert x + width <= 24
        cells += itertools.product(range(x, x + width), range(y, y + height))
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize("command", [["check", "config", "prometheus.yaml"], ["test", "rules", "alerts_test.yaml"]])
def test_promtool_agrees(command: list[str]) -> None:
    done = subprocess.run(["promtool", *command], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
