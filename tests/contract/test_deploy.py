"""What deploy/ says about the sources is true of them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

TREE = Path(__file__).parents[2]
DEPLOY = TREE / "deploy"
DOCKERFILE = (DEPLOY / "docker/Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("source", re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE))
def test_what_the_image_copies_is_there(source: str) -> None:
    assert (TREE / source).exists()


def test_the_image_installs_what_healthd_depends_on() -> None:
    names = {"systemd-python": "systemd"}  # as Debian names it
    wanted = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    wanted = [re.split("[<>=~]", each)[0] for each in wanted]

    assert re.findall(r"python3-(\S+)", DOCKERFILE) == sorted(names.get(name, name) for name in wanted)


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    panels = json.loads((DEPLOY / "grafana/healthd.json").read_text(encoding="utf-8"))["panels"]
    places = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)


MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes/healthd.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: str(manifest["kind"]))
@pytest.mark.parametrize("version", ["1.28", kubernetes_validate.latest_version()])
def test_kubernetes_takes_the_manifests(manifest: dict[str, object], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)
