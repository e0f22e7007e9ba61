"""The Kubernetes manifests, as kubectl reads them."""

import subprocess

import pytest
import yaml
from export_files import EXPORT, flags, read, tool

VERSIONS = {
    "Deployment": "apps/v1",
    "Namespace": "v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PersistentVolumeClaim": "v1",
    "PodDisruptionBudget": "policy/v1",
    "Service": "v1",
}


@pytest.fixture
def manifests():
    """By kind, those of the kustomization."""
    paths = read("kustomization.yaml")["resources"]
    return {(one := read(path))["kind"]: one for path in paths}


@pytest.fixture
def pod(manifests):
    return manifests["Deployment"]["spec"]["template"]


@pytest.fixture
def container(pod):
    (container,) = pod["spec"]["containers"]
    return container


def config_maps(pod):
    volumes = pod["spec"]["volumes"]
    return [v["configMap"]["name"] for v in volumes if "configMap" in v]


def test_manifests_are_of_known_versions(manifests):
    found = {kind: one["apiVersion"] for kind, one in manifests.items()}
    assert found == VERSIONS
    names = {"kubernetes/loader.yaml", *read("kustomization.yaml")["resources"]}
    found = {f"kubernetes/{p.name}" for p in EXPORT.glob("kubernetes/*")}
    assert names == found


def test_everything_selects_the_pods(manifests, pod):
    specs = {kind: one.get("spec") for kind, one in manifests.items()}
    assert (
        specs["Deployment"]["selector"]["matchLabels"]
        == specs["Service"]["selector"]
        == specs["PodDisruptionBudget"]["selector"]["matchLabels"]
        == specs["NetworkPolicy"]["podSelector"]["matchLabels"]
        == pod["metadata"]["labels"]
    )


def test_pods_serve_as_compose_does(container):
    serving = read("compose.yaml")["services"]["serving"]
    here = flags(container["args"])
    threads = here.pop("tensorflow_session_parallelism")
    assert here.items() <= flags(serving["command"]).items()
    assert threads == container["resources"]["limits"]["cpu"]
    (image,) = read("kustomization.yaml")["images"]
    assert container["image"] == image["name"]
    assert f"{image['name']}:{image['newTag']}" == serving["image"]


def test_pods_are_probed_and_bounded(container):
    ready = container["readinessProbe"]["exec"]["command"]
    assert ready == ["bash", "/config/healthcheck.sh", "any"]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["tcpSocket"] == {"port": "rest"}
    assert set(container["resources"]) == {"limits", "requests"}
    for bounds in container["resources"].values():
        assert set(bounds) == {"cpu", "memory"}


def test_pods_read_models_and_may_do_nothing_else(pod, container, manifests):
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
    assert config_maps(pod) == [made["name"]]


def test_the_loader_reaches_the_claim(manifests):
    loader = read("kubernetes/loader.yaml")
    claim = manifests["PersistentVolumeClaim"]["metadata"]["name"]
    (volume,) = loader["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": claim}
    namespace = manifests["Namespace"]["metadata"]["name"]
    assert loader["metadata"]["namespace"] == namespace
    assert read("kustomization.yaml")["namespace"] == namespace


@pytest.fixture(scope="module")
def kustomized():
    command = [tool("kubectl"), "kustomize", str(EXPORT)]
    made = subprocess.run(command, check=True, capture_output=True)
    return list(yaml.safe_load_all(made.stdout))


def test_kustomize_builds_it(kustomized):
    objects = {one["kind"]: one for one in kustomized}
    assert objects.keys() == {*VERSIONS, "ConfigMap"}
    pod = objects["Deployment"]["spec"]["template"]
    assert config_maps(pod) == [objects["ConfigMap"]["metadata"]["name"]]
    image = pod["spec"]["containers"][0]["image"]
    assert image == "tensorflow/serving:2.20.0"


def test_manifests_follow_the_schemas_of_kubernetes(kustomized):
    validator = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes-validate installed"
    )
    for one in [*kustomized, read("kubernetes/loader.yaml")]:
        validator.validate(one, "1.32", strict=True)
