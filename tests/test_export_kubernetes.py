"""The Kubernetes manifests, as kubectl reads them."""

import subprocess

import pytest
import yaml
from export_files import EXPORT, flags, read, tool


@pytest.fixture
def manifests():
    """By kind, those of the kustomization."""
    return {
        (one := read(path))["kind"]: one
        for path in read("kustomization.yaml")["resources"]
    }


@pytest.fixture
def pod(manifests):
    return manifests["Deployment"]["spec"]["template"]


def test_manifests_are_of_known_versions(manifests):
    assert {kind: one["apiVersion"] for kind, one in manifests.items()} == {
        "Deployment": "apps/v1",
        "Namespace": "v1",
        "NetworkPolicy": "networking.k8s.io/v1",
        "PersistentVolumeClaim": "v1",
        "PodDisruptionBudget": "policy/v1",
        "Service": "v1",
    }
    names = {"kubernetes/loader.yaml", *read("kustomization.yaml")["resources"]}
    found = {f"kubernetes/{p.name}" for p in EXPORT.glob("kubernetes/*")}
    assert names == found


def test_everything_selects_the_pods(manifests, pod):
    labels = pod["metadata"]["labels"]
    for kind, path in [
        ("Deployment", ("selector", "matchLabels")),
        ("Service", ("selector",)),
        ("PodDisruptionBudget", ("selector", "matchLabels")),
        ("NetworkPolicy", ("podSelector", "matchLabels")),
    ]:
        found = manifests[kind]["spec"]
        for key in path:
            found = found[key]
        assert found == labels, kind


def test_pods_serve_as_compose_does(pod):
    services = read("compose.yaml")["services"]
    (container,) = pod["spec"]["containers"]
    here, there = (
        flags(container["args"]),
        flags(services["serving"]["command"]),
    )
    threads = here.pop("tensorflow_session_parallelism")
    assert here.items() <= there.items()
    assert threads == container["resources"]["limits"]["cpu"]
    (image,) = read("kustomization.yaml")["images"]
    pinned = f"{image['name']}:{image['newTag']}"
    assert (container["image"], pinned) == (
        image["name"],
        services["serving"]["image"],
    )


def test_pods_are_probed_and_bounded(pod):
    (container,) = pod["spec"]["containers"]
    assert container["readinessProbe"]["exec"]["command"] == [
        "bash",
        "/config/healthcheck.sh",
        "any",
    ]
    assert container["startupProbe"]["tcpSocket"] == {"port": "rest"}
    assert container["livenessProbe"]["tcpSocket"] == {"port": "rest"}
    for bounds in container["resources"].values():
        assert set(bounds) == {"cpu", "memory"}
    assert set(container["resources"]) == {"limits", "requests"}


def test_pods_read_models_and_may_do_nothing_else(pod, manifests):
    (container,) = pod["spec"]["containers"]
    allowed = container["securityContext"]
    assert allowed["readOnlyRootFilesystem"] is True
    assert allowed["allowPrivilegeEscalation"] is False
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["runAsUser"] > 0
    mounts = {one["name"]: one for one in container["volumeMounts"]}
    assert mounts["models"]["mountPath"] == "/models"
    assert mounts["models"]["readOnly"] is True
    volumes = {one["name"]: one for one in pod["spec"]["volumes"]}
    assert set(volumes) == set(mounts)
    claim = volumes["models"]["persistentVolumeClaim"]["claimName"]
    assert claim == manifests["PersistentVolumeClaim"]["metadata"]["name"]


def test_the_map_holds_the_files_that_compose_mounts(pod):
    (made,) = read("kustomization.yaml")["configMapGenerator"]
    files = {f"config/{path.name}" for path in EXPORT.glob("config/*")}
    assert set(made["files"]) == files
    names = [
        one["configMap"]["name"]
        for one in pod["spec"]["volumes"]
        if "configMap" in one
    ]
    assert names == [made["name"]]


def test_the_loader_reaches_the_claim(manifests):
    loader = read("kubernetes/loader.yaml")
    claim = manifests["PersistentVolumeClaim"]["metadata"]["name"]
    (volume,) = loader["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": claim}
    namespace = manifests["Namespace"]["metadata"]["name"]
    assert loader["metadata"]["namespace"] == namespace
    assert read("kustomization.yaml")["namespace"] == namespace


def kustomized():
    made = subprocess.run(
        [tool("kubectl"), "kustomize", str(EXPORT)],
        check=True,
        capture_output=True,
        text=True,
    )
    return list(yaml.safe_load_all(made.stdout))


def test_kustomize_builds_it():
    objects = {one["kind"]: one for one in kustomized()}
    assert len(objects) == 7
    name = objects["ConfigMap"]["metadata"]["name"]
    spec = objects["Deployment"]["spec"]["template"]["spec"]
    used = [v["configMap"]["name"] for v in spec["volumes"] if "configMap" in v]
    assert used == [name]
    image = spec["containers"][0]["image"]
    assert image == "tensorflow/serving:2.20.0"


def test_manifests_follow_the_schemas_of_kubernetes():
    validator = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes-validate installed"
    )
    for one in [*kustomized(), read("kubernetes/loader.yaml")]:
        validator.validate(one, "1.32", strict=True)
