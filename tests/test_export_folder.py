"""What a server is given: every file is read as its reader would read it."""

import json
import re
import subprocess

import pytest
import serving_messages
from export_files import EXPORT, ROOT, flags, read, tool
from google.protobuf import text_format

from pet_dcgan.serving.model_info import MAX_ROWS

# metrics of tensorflow_serving/servables/tensorflow/util.cc, as
# util/prometheus_exporter.cc names them
METRICS = {
    ":tensorflow:serving:request_count",
    ":tensorflow:serving:request_latency_bucket",
    ":tensorflow:serving:runtime_latency_bucket",
}


# --- what the server reads ----------------------------------------------------


def test_batching_is_read_and_within_what_the_models_take():
    text = (EXPORT / "config/batching.config").read_text()
    message = serving_messages.message("BatchingParameters")
    parameters = text_format.Parse(text, message)
    assert parameters.max_batch_size.value == MAX_ROWS
    assert parameters.num_batch_threads.value >= 1
    assert parameters.max_enqueued_batches.value >= 1
    assert 0 < parameters.batch_timeout_micros.value < 100_000


def test_a_misspelt_field_is_no_batching():
    message = serving_messages.message("BatchingParameters")
    with pytest.raises(text_format.ParseError, match="max_batch"):
        text_format.Parse("max_batch { value: 64 }", message)


def monitoring_path():
    text = (EXPORT / "config/monitoring.config").read_text()
    message = serving_messages.message("MonitoringConfig")
    config = text_format.Parse(text, message).prometheus_config
    assert config.enable
    return config.path


def test_metrics_are_scraped_where_the_server_gives_them():
    (job,) = read("prometheus/prometheus.yml")["scrape_configs"]
    assert job["metrics_path"] == monitoring_path()
    assert job["static_configs"] == [{"targets": ["serving:8501"]}]
    assert "serving" in read("compose.yaml")["services"]


# --- compose ------------------------------------------------------------------


@pytest.fixture
def services():
    return read("compose.yaml")["services"]


def test_compose_names_images_by_version(services):
    assert services["serving"]["image"] == "tensorflow/serving:2.20.0"
    assert set(services) == {"serving", "prometheus", "grafana"}
    for service in services.values():
        assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+\.\d+", service["image"])


def test_compose_gives_no_service_more_than_it_needs(services):
    for service in services.values():
        user = re.sub(r"\$\{\w+:-(.*)\}", r"\1", service["user"])
        assert int(user.split(":")[0]) > 0
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert set(service["deploy"]["resources"]["limits"]) == {
            "cpus",
            "memory",
        }
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


def test_panels_do_not_lie_on_each_other(dashboard):
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], _end(panel, "x", "w"))
        for y in range(panel["gridPos"]["y"], _end(panel, "y", "h"))
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def _end(panel, start, length):
    return panel["gridPos"][start] + panel["gridPos"][length]


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


def test_the_extra_installs_what_the_client_imports():
    text = (ROOT / "setup.cfg").read_text()
    assert re.search(r"^serving =\n    tensorflow-serving-api>=", text, re.M)
