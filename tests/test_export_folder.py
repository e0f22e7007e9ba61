"""What a server is given: every file is read as its reader would read it."""

import re
import subprocess

import pytest
from export_files import EXPORT, ROOT, flags, images, read, tool
from google.protobuf import text_format

from pet_dcgan.utils.messages import message_classes
from pet_dcgan.utils.seed_blocks import MAX_ROWS

# --- what the server reads ----------------------------------------------------

# servables/tensorflow/session_bundle_config.proto and
# config/monitoring_config.proto of tensorflow_serving
MESSAGES = {
    "Int64Value": {"value": (1, "int64")},
    "BatchingParameters": {
        "max_batch_size": (1, "Int64Value"),
        "batch_timeout_micros": (2, "Int64Value"),
        "max_enqueued_batches": (3, "Int64Value"),
        "num_batch_threads": (4, "Int64Value"),
        "allowed_batch_sizes": (6, "int64*"),
    },
    "PrometheusConfig": {"enable": (1, "bool"), "path": (2, "string")},
    "MonitoringConfig": {"prometheus_config": (1, "PrometheusConfig")},
}


def parsed(name, file):
    text = (EXPORT / "config" / file).read_text()
    return text_format.Parse(text, message_classes(MESSAGES)[name]())


def test_batching_is_within_the_limit_of_the_models():
    parameters = parsed("BatchingParameters", "batching.config")
    assert parameters.max_batch_size.value == MAX_ROWS
    assert parameters.num_batch_threads.value >= 1
    assert parameters.max_enqueued_batches.value >= 1
    assert 0 < parameters.batch_timeout_micros.value < 100_000


def test_metrics_are_scraped_where_the_server_gives_them():
    (job,) = read("prometheus/prometheus.yml")["scrape_configs"]
    config = parsed("MonitoringConfig", "monitoring.config").prometheus_config
    assert config.enable
    assert job["metrics_path"] == config.path
    assert job["static_configs"] == [{"targets": ["serving:8501"]}]
    assert "serving" in read("compose.yaml")["services"]


# --- images -------------------------------------------------------------------

IMAGE = r"([\w./:-]+):v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?"


def test_versions_are_in_one_place():
    named = {re.fullmatch(IMAGE, one)[1] for one in images().values()}
    files = [
        *EXPORT.rglob("*.y*ml"),
        *EXPORT.rglob("*.md"),
        *EXPORT.rglob("*.py"),
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("notebooks/*.ipynb"),
    ]
    for path in files:
        text = path.read_text(encoding="utf-8")
        for name in named:
            assert f"{name}:" not in text, path
        assert not re.search(r"\bimage: *\S+:\S*\d", text), path


def test_compose_takes_its_images_from_that_place(services):
    wanted = {one["image"] for one in services.values()}
    named = {f"${{{name}:?see .env}}" for name in images()}
    # the loader is a pod
    assert named - wanted == {"${LOADER_IMAGE:?see .env}"}


# --- compose ------------------------------------------------------------------


@pytest.fixture
def services():
    return read("compose.yaml")["services"]


def test_compose_gives_no_service_more_than_it_needs(services):
    assert set(services) == {"serving", "prometheus", "grafana"}
    for service in services.values():
        user = re.sub(r"\$\{\w+:-(.*)\}", r"\1", service["user"])
        assert int(user.split(":")[0]) > 0
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        limits = service["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory"}
        for port in service["ports"]:
            assert port.startswith("${BIND:-127.0.0.1}:")
        for place in service.get("tmpfs", []):
            assert "size=" in place


def test_compose_mounts_what_is_there_and_only_to_be_read(services):
    named = read("compose.yaml")["volumes"]
    mounts = {}
    for service in services.values():
        for volume in service["volumes"]:
            source, target, *mode = volume.split(":")
            if source in named:
                continue
            assert mode == ["ro"], volume
            assert source == "./models" or (EXPORT / source).is_dir()
            mounts[target] = source
    assert mounts["/models"] == "./models"
    assert mounts["/config"] == "./config"
    values = flags(services["serving"]["command"])
    assert values["model_config_file"] == "/models/models.config"
    assert values["monitoring_config_file"] == "/config/monitoring.config"
    cpus = services["serving"]["deploy"]["resources"]["limits"]["cpus"]
    assert values["tensorflow_session_parallelism"] == cpus
    # both or neither, else the server does not start
    assert values["enable_batching"] == "${BATCHING:-false}"
    assert values["batching_parameters_file"] == (
        "${BATCHING:+/config/batching.config}"
    )


def test_compose_waits_for_health(services):
    checks = {
        name: service["healthcheck"]["test"]
        for name, service in services.items()
    }
    assert checks == {
        "serving": ["CMD", "bash", "/config/healthcheck.sh", "all"],
        "prometheus": ["CMD", "promtool", "check", "ready"],
        "grafana": [
            *("CMD", "wget", "-q", "-O", "/dev/null"),
            "http://127.0.0.1:3000/api/health",
        ],
    }
    assert (EXPORT / "config/healthcheck.sh").is_file()
    for after, before in [("prometheus", "serving"), ("grafana", "prometheus")]:
        waits = {before: {"condition": "service_healthy"}}
        assert services[after]["depends_on"] == waits


# sections and keys of Grafana's conf/defaults.ini
GRAFANA = {
    "analytics": "check_for_plugin_updates check_for_updates reporting_enabled",
    "auth": "disable_login disable_login_form",
    "auth.anonymous": "enabled hide_version org_role",
    "auth.basic": "enabled",
    "dashboards": "default_home_dashboard_path",
    "log": "mode",
    "news": "news_feed_enabled",
    "plugins": "plugin_admin_enabled preinstall_disabled "
    "preinstall_auto_update",
    "public_dashboards": "enabled",
    "security": "disable_gravatar disable_initial_admin_creation",
    "snapshots": "enabled",
    "users": "allow_sign_up",
}


def test_grafana_can_only_be_looked_at(services):
    given = services["grafana"]["environment"]
    assert given.keys() == {
        f"GF_{section.replace('.', '_')}_{key}".upper()
        for section, keys in GRAFANA.items()
        for key in keys.split()
    }
    assert given["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    # true and all others false: no way to log in, and nobody who could
    switched_on = {name for name, value in given.items() if value == "true"}
    assert switched_on == {
        "GF_AUTH_ANONYMOUS_ENABLED",
        "GF_AUTH_ANONYMOUS_HIDE_VERSION",
        "GF_AUTH_DISABLE_LOGIN",
        "GF_AUTH_DISABLE_LOGIN_FORM",
        "GF_PLUGINS_PREINSTALL_DISABLED",
        "GF_SECURITY_DISABLE_GRAVATAR",
        "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION",
    }
    assert not any("PASSWORD" in name for name in given)
    # it keeps nothing
    places = {place.split(":")[0] for place in services["grafana"]["tmpfs"]}
    assert places == {"/tmp", "/var/lib/grafana"}


# --- the page -----------------------------------------------------------------


def test_the_page_names_files_that_there_are():
    page = (EXPORT / "README.md").read_text()
    named = re.findall(
        r"`((?:config|clients|kubernetes|grafana)/[\w./-]+)`", page
    )
    assert len(named) > 5
    for path in named:
        assert (EXPORT / path).exists(), path
    for path in re.findall(r"export/(?!models)[\w/]+\.\w+", page):
        assert (ROOT / path).exists(), path


# --- the health check, which is bash alone ------------------------------------


def health(how, config, port):
    done = subprocess.run(
        [tool("bash"), EXPORT / "config/healthcheck.sh", how, config, port],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == (1 if done.stderr else 0)
    return done.stderr


@pytest.fixture
def listed(tmp_path):
    """A `models.config` that names these models."""

    def write(*names):
        entries = "".join(f'config {{ name: "{one}" }}\n' for one in names)
        text = f'# name: "no"\nmodel_config_list {{\n{entries}}}\n'
        (tmp_path / "models.config").write_text(text)
        return tmp_path / "models.config"

    return write


@pytest.mark.parametrize(
    ("how", "names", "words"),
    [
        ("all", ["ad", "mci"], ""),
        ("any", ["nc", "mci"], ""),
        ("all", ["ad", "nc"], "found 1, and not: nc"),
        ("any", ["nc"], "found 0, and not: nc"),
        ("all", [], "found 0, and not: a single model"),
    ],
)
def test_health_of_models(stub, listed, how, names, words):
    line = health(how, listed(*names), stub.url.rpartition(":")[2])
    assert words in line
    assert bool(words) == bool(line)


def test_health_without_a_server(listed):
    assert "found 0, and not: ad" in health("any", listed("ad"), "1")
