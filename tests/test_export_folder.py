"""What a server is given: every file is read as its reader would read it."""

import json
import re
import subprocess

import pytest
from export_files import EXPORT, ROOT, flags, read, tool
from google.protobuf import text_format

from pet_dcgan.serving.model_info import MAX_ROWS
from pet_dcgan.serving.server_files import message_classes

# metrics of tensorflow_serving/servables/tensorflow/util.cc, as
# util/prometheus_exporter.cc names them
METRICS = {
    ":tensorflow:serving:request_count",
    ":tensorflow:serving:request_latency_bucket",
    ":tensorflow:serving:runtime_latency_bucket",
}


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


# --- compose ------------------------------------------------------------------


@pytest.fixture
def services():
    return read("compose.yaml")["services"]


def test_compose_gives_no_service_more_than_it_needs(services):
    assert services["serving"]["image"] == "tensorflow/serving:2.20.0"
    assert set(services) == {"serving", "prometheus", "grafana"}
    for service in services.values():
        assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+\.\d+", service["image"])
        user = re.sub(r"\$\{\w+:-(.*)\}", r"\1", service["user"])
        assert int(user.split(":")[0]) > 0
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        limits = service["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory"}
        for port in service["ports"]:
            assert port.startswith("${BIND:-127.0.0.1}:")
    assert services["serving"]["read_only"] is True


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


def test_compose_asks_for_health_at_the_models(services):
    check = services["serving"]["healthcheck"]["test"]
    assert check == ["CMD", "bash", "/config/healthcheck.sh", "all"]
    assert (EXPORT / "config/healthcheck.sh").is_file()
    assert services["prometheus"]["depends_on"] == {
        "serving": {"condition": "service_healthy"}
    }


# --- Prometheus and Grafana ---------------------------------------------------


def metrics_in(expression):
    return set(re.findall(r":[\w:]+", expression))


def test_alerts_ask_for_metrics_that_there_are():
    assert read("prometheus/prometheus.yml")["rule_files"] == ["alerts.yml"]
    (group,) = read("prometheus/alerts.yml")["groups"]
    for rule in group["rules"]:
        assert metrics_in(rule["expr"]) <= METRICS
        assert "up{job=" in rule["expr"] or metrics_in(rule["expr"])
        assert rule["annotations"]["summary"]


def test_prometheus_accepts_its_configuration():
    subprocess.run(
        [tool("promtool"), "check", "config", "prometheus/prometheus.yml"],
        cwd=EXPORT,
        check=True,
    )


@pytest.fixture
def dashboard():
    return json.loads((EXPORT / "grafana/dashboards/serving.json").read_text())


def test_the_dashboard_is_provisioned(services, dashboard):
    (provider,) = read("grafana/provisioning/dashboards/dashboards.yaml")[
        "providers"
    ]
    path = provider["options"]["path"]
    assert f"./grafana/dashboards:{path}:ro" in services["grafana"]["volumes"]
    home = "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
    assert services["grafana"]["environment"][home] == f"{path}/serving.json"
    (source,) = read("grafana/provisioning/datasources/prometheus.yaml")[
        "datasources"
    ]
    host, port = re.fullmatch(r"http://(\w+):(\d+)", source["url"]).groups()
    assert services[host]["ports"] == ["${BIND:-127.0.0.1}:9090:" + port]
    assert f'"uid": "{source["uid"]}"' in json.dumps(dashboard)


def test_panels_ask_the_data_source_for_metrics_that_there_are(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["type"] in ("stat", "timeseries")
        assert panel["title"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "prometheus"
            asked = metrics_in(target["expr"])
            assert asked <= METRICS
            assert asked or target["expr"].startswith("up{")
            assert target["expr"].count("(") == target["expr"].count(")")
            if asked:
                assert 'model_name=~"$model"' in target["expr"]


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
