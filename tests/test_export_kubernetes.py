"""The Kubernetes manifests, as kubectl and the cluster read them."""

import jsonschema
import pytest
from export_files import EXPORT, flags, read
from manifests import FOLDER, LABELS, MANIFESTS, PARTS, SUPPORTED, check

# --- every manifest by itself -------------------------------------------------


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize(
    "path", MANIFESTS, ids=lambda path: str(path.relative_to(FOLDER))
)
def test_a_cluster_accepts_it(path, version):
    check(read(path), version)


@pytest.mark.parametrize(
    ("path", "words", "wrong"),
    [
        ("deployment.yaml", ["spec", "template", "spec"], {"hostname": 1}),
        ("deployment.yaml", ["spec"], {"replica": 2}),
        ("autoscaling/autoscaler.yaml", ["spec"], {"maxReplicas": "many"}),
        ("ingress/ingress.yaml", ["spec"], {"tls": {"hosts": []}}),
        ("ingress/accounts.yaml", ["spec", "basicAuth"], {"secret": ""}),
        ("ingress/limits.yaml", ["spec", "buffering"], {"maxBody": 1}),
        ("operator/podmonitor.yaml", ["spec"], {"podMetricsEndpoints": []}),
        ("operator/podmonitor.yaml", [], {"spec": {}}),
        ("operator/rules.yaml", ["spec", "groups", 0], {"name": ""}),
    ],
)
def test_a_wrong_field_is_seen(path, words, wrong):
    manifest = read(FOLDER / path)
    place = manifest
    for word in words:
        place = place[word]
    place.update(wrong)
    with pytest.raises(jsonschema.ValidationError):
        check(manifest, SUPPORTED[-1])


def test_everything_is_in_a_kustomization():
    base = read("kustomization.yaml")
    named = {EXPORT / path for path in base["resources"]}
    for part in PARTS:
        inner = read(f"kubernetes/{part}/kustomization.yaml")
        assert inner["kind"] == "Component"
        named |= {FOLDER / part / path for path in inner["resources"]}
    # the loader is there for an hour at most
    assert named == {*MANIFESTS} - {FOLDER / "loader.yaml"}


# --- what they say ------------------------------------------------------------


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


def test_everything_selects_the_pods(manifests, pod):
    specs = {kind: one.get("spec") for kind, one in manifests.items()}
    monitor = read(FOLDER / "operator/podmonitor.yaml")["spec"]
    assert (
        specs["Deployment"]["selector"]["matchLabels"]
        == specs["Service"]["selector"]
        == specs["PodDisruptionBudget"]["selector"]["matchLabels"]
        == specs["NetworkPolicy"]["podSelector"]["matchLabels"]
        == monitor["selector"]["matchLabels"]
        == pod["metadata"]["labels"]
        == LABELS
    )


def test_pods_serve_as_compose_does(container):
    serving = read("compose.yaml")["services"]["serving"]
    here = flags(container["args"])
    threads = here.pop("tensorflow_session_parallelism")
    assert here.items() <= flags(serving["command"]).items()
    assert threads == container["resources"]["limits"]["cpu"]


def test_pods_are_probed_and_bounded(container):
    ready = container["readinessProbe"]["exec"]["command"]
    assert ready == ["bash", "/config/healthcheck.sh", "any"]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["tcpSocket"] == {"port": "rest"}
    assert set(container["resources"]) == {"limits", "requests"}
    for bounds in container["resources"].values():
        assert set(bounds) == {"cpu", "memory"}


def test_pods_are_spread_over_nodes_and_zones(pod):
    constraints = pod["spec"]["topologySpreadConstraints"]
    keys = [one["topologyKey"] for one in constraints]
    assert keys == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    for one in constraints:
        assert one["labelSelector"]["matchLabels"] == LABELS
        # a cluster of one node can have two pods all the same
        assert one["whenUnsatisfiable"] == "ScheduleAnyway"
        assert one["matchLabelKeys"] == ["pod-template-hash"]


def test_pods_may_do_nothing_but_serve(pod):
    for spec in (pod["spec"], read(FOLDER / "loader.yaml")["spec"]):
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        profile = spec["securityContext"]["seccompProfile"]
        assert profile == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]) == {"limits", "requests"}
    namespace = read(FOLDER / "namespace.yaml")["metadata"]["labels"]
    enforced = namespace["pod-security.kubernetes.io/enforce"]
    assert enforced == "restricted"


def test_pods_read_models(pod, container, manifests):
    mounts = {one["name"]: one for one in container["volumeMounts"]}
    assert mounts["models"]["mountPath"] == "/models"
    assert mounts["models"]["readOnly"] is True
    volumes = {one["name"]: one for one in pod["spec"]["volumes"]}
    assert set(volumes) == set(mounts)
    claim = volumes["models"]["persistentVolumeClaim"]["claimName"]
    assert claim == manifests["PersistentVolumeClaim"]["metadata"]["name"]


def test_the_map_holds_the_files_that_compose_mounts(pod):
    made, _ = read("kustomization.yaml")["configMapGenerator"]
    files = {f"config/{path.name}" for path in EXPORT.glob("config/*")}
    assert set(made["files"]) == files
    assert config_maps(pod) == [made["name"]]


def test_the_loader_reaches_the_claim(manifests):
    loader = read(FOLDER / "loader.yaml")
    claim = manifests["PersistentVolumeClaim"]["metadata"]["name"]
    (volume,) = loader["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": claim}


def test_one_namespace(manifests):
    namespace = manifests["Namespace"]["metadata"]["name"]
    assert read("kustomization.yaml")["namespace"] == namespace
    outside = [p for p in MANIFESTS if p.parent != FOLDER]
    for path in [FOLDER / "loader.yaml", *outside]:
        assert read(path)["metadata"]["namespace"] == namespace


def test_policies_open_no_more_than_they_say(container):
    ports = {port["name"] for port in container["ports"]}
    assert ports == {"rest", "grpc"}
    opened = {}
    for path in MANIFESTS:
        manifest = read(path)
        if manifest["kind"] != "NetworkPolicy":
            continue
        assert manifest["spec"]["podSelector"] == {"matchLabels": LABELS}
        for rule in manifest["spec"]["ingress"]:
            (port,), (peer,) = rule["ports"], rule["from"]
            opened[path.parent.name, port["port"]] = peer
    assert opened.keys() == {
        *(("kubernetes", "rest"), ("kubernetes", "grpc")),
        *(("ingress", "rest"), ("operator", "rest")),
    }
    for part in ("ingress", "operator"):
        # one program of one namespace
        peer = opened[part, "rest"]
        assert peer.keys() == {"namespaceSelector", "podSelector"}
        assert all(selector["matchLabels"] for selector in peer.values())
    # gRPC only for those that the label names
    assert opened["kubernetes", "grpc"] == {
        "namespaceSelector": {"matchLabels": {"pet-dcgan-client": "grpc"}}
    }
    egress = read(FOLDER / "network.yaml")["spec"]
    assert "Egress" in egress["policyTypes"]
    assert "egress" not in egress
