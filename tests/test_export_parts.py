"""The optional parts of the Kubernetes manifests, and what kubectl builds."""

import itertools
import json
import re
import shutil
import subprocess

import pytest
import yaml
from export_files import EXPORT, images, read, tool
from manifests import FOLDER, NAMESPACE, PARTS, SUPPORTED, check

from pet_dcgan.utils.seed_blocks import MAX_ROWS

# --- the optional parts -------------------------------------------------------


def quantity(text):
    """Cores."""
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def test_the_autoscaler_takes_the_deployment_over():
    deployment = read(FOLDER / "deployment.yaml")
    spec = read(FOLDER / "autoscaling/autoscaler.yaml")["spec"]
    target = spec["scaleTargetRef"]
    assert target["kind"] == deployment["kind"]
    assert target["apiVersion"] == deployment["apiVersion"]
    assert target["name"] == deployment["metadata"]["name"]
    assert spec["minReplicas"] == deployment["spec"]["replicas"] >= 2
    assert spec["maxReplicas"] > spec["minReplicas"]
    (metric,) = spec["metrics"]
    busy = quantity(metric["resource"]["target"]["averageValue"])
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    bounds = container["resources"]
    assert quantity(bounds["requests"]["cpu"]) <= busy
    assert busy < quantity(bounds["limits"]["cpu"])


def test_nobody_comes_in_without_an_account():
    ingress = read(FOLDER / "ingress/ingress.yaml")
    notes = ingress["metadata"]["annotations"]
    prefix = "traefik.ingress.kubernetes.io/router."
    assert notes[f"{prefix}entrypoints"] == "websecure"
    asked = notes[f"{prefix}middlewares"].split(",")
    made = []
    for name in ("accounts", "limits"):
        meta = read(FOLDER / f"ingress/{name}.yaml")["metadata"]
        made.append(f"{meta['namespace']}-{meta['name']}@kubernetescrd")
    assert asked == made
    (rule,) = ingress["spec"]["rules"]
    (tls,) = ingress["spec"]["tls"]
    assert tls["hosts"] == [rule["host"]]
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/v1/models", "Prefix")
    service = read(FOLDER / "service.yaml")
    backend = path["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"]["name"] in {
        port["name"] for port in service["spec"]["ports"]
    }


def test_no_request_of_the_clients_is_too_large():
    limits = read(FOLDER / "ingress/limits.yaml")["spec"]["buffering"]
    row = [-0.12345678901234567e-300] * 100
    largest = json.dumps({"instances": [{"latent": row}] * MAX_ROWS})
    assert 4 * len(largest) < limits["maxRequestBodyBytes"]


# --- built by kubectl ---------------------------------------------------------


@pytest.fixture
def copied(tmp_path):
    """export/ without models, to change."""
    return shutil.copytree(
        EXPORT, tmp_path / "export", ignore=shutil.ignore_patterns("models")
    )


def changed(place, pattern, new):
    text, count = re.subn(pattern, new, place.read_text(), flags=re.M)
    assert count == 1
    place.write_text(text)


def built(folder):
    """What `kubectl apply --kustomize` would apply."""
    command = [tool("kubectl"), "kustomize", str(folder)]
    made = subprocess.run(command, check=True, capture_output=True)
    return list(yaml.safe_load_all(made.stdout))


def built_with(parts, folder):
    for part in parts:
        line = f"  - kubernetes/{part}"
        changed(folder / "kustomization.yaml", f"^#{line}$", line)
    return built(folder)


def the(kind, objects):
    (found,) = (one for one in objects if one["kind"] == kind)
    return found


def container_of(objects):
    pod = the("Deployment", objects)["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    return container


KINDS = {
    "autoscaling": ["HorizontalPodAutoscaler"],
    "ingress": ["Ingress", "Middleware", "Middleware", "NetworkPolicy"],
    "operator": [
        *("ConfigMap", "NetworkPolicy", "PodMonitor", "PrometheusRule"),
    ],
}


@pytest.mark.parametrize("parts", [[], *zip(PARTS), PARTS], ids="+".join)
def test_kustomize_builds_it(copied, parts):
    objects = built_with(parts, copied)
    resources = read("kustomization.yaml")["resources"]
    expected = ["ConfigMap", *(read(path)["kind"] for path in resources)]
    for part in parts:
        expected += KINDS[part]
    assert sorted(one["kind"] for one in objects) == sorted(expected)
    for one in objects:
        check(one, SUPPORTED[-1])
        if one["kind"] != "Namespace":
            assert one["metadata"]["namespace"] == NAMESPACE
    spec = the("Deployment", objects)["spec"]
    assert ("replicas" in spec) == ("autoscaling" not in parts)
    assert container_of(objects)["image"] == images()["SERVING_IMAGE"]
    volumes = spec["template"]["spec"]["volumes"]
    (mounted,) = (v["configMap"]["name"] for v in volumes if "configMap" in v)
    maps = [one for one in objects if one["kind"] == "ConfigMap"]
    assert mounted in {one["metadata"]["name"] for one in maps}


def test_a_digest_reaches_the_pods(copied):
    digest = f"registry.example.org:5000/serving:1@sha256:{'0' * 64}"
    changed(copied / ".env", "^SERVING_IMAGE=.*", f"SERVING_IMAGE={digest}")
    assert container_of(built(copied))["image"] == digest


def test_parts_in_a_kustomization_of_ones_own(copied):
    own = copied.parent / "own"
    own.mkdir()
    (own / "kustomization.yaml").write_text(
        "resources: [../export]\ncomponents:\n"
        + "".join(f"  - ../export/kubernetes/{part}\n" for part in PARTS)
    )
    objects = built(own)
    assert {one["kind"] for one in objects} >= set(
        itertools.chain(*KINDS.values())
    )
    assert "replicas" not in the("Deployment", objects)["spec"]


def test_the_dashboard_is_a_map_that_the_sidecar_finds(copied):
    (found,) = (
        one
        for one in built_with(["operator"], copied)
        if one["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
    )
    made = json.loads(found["data"]["serving.json"])
    place = EXPORT / "grafana/dashboards/serving.json"
    assert made == json.loads(place.read_text())


def test_the_loader_gets_its_image():
    image = images()["LOADER_IMAGE"]
    command = [
        *(tool("kubectl"), "set", "image", "--local", "--output", "yaml"),
        *("--filename", str(FOLDER / "loader.yaml"), f"loader={image}"),
    ]
    made = subprocess.run(command, check=True, capture_output=True)
    loader = yaml.safe_load(made.stdout)
    assert loader["spec"]["containers"][0]["image"] == image
    check(loader, SUPPORTED[-1])
