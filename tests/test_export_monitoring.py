"""What Prometheus and Grafana are given, read as they would read it."""

import itertools
import json
import re
import subprocess

import promql_parser
import pytest
from export_files import EXPORT, ROOT, read, tool
from promql import labels

REQUESTS = ":tensorflow:serving:request_count"
BUCKETS = ":tensorflow:serving:request_latency_bucket"


# --- the checker of queries ---------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("1 + 1", None),
        ("up", {"job", "instance"}),
        (f"rate({REQUESTS}[5m])", {"model_name", "status"}),
        (f"sum(rate({REQUESTS}[5m])) / 2", set()),
        (
            f"histogram_quantile(0.5, sum by (API, le) (rate({BUCKETS}[1m])))",
            {"API"},
        ),
        ('up == 0 or absent(up{job="a"})', {"job"}),
    ],
)
def test_labels_of_what_a_query_gives(query, expected):
    assert labels(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sum(",
        "up{",
        "up > > 1",
        f"rate({REQUESTS})",
        f"rate({REQUESTS}[5x])",
        f"sum({REQUESTS}[5m])",
        f"sum by model_name (rate({REQUESTS}[5m]))",
        f"ratio({REQUESTS}[5m])",
        "rate(:tensorflow:serving:requests[5m])",
        REQUESTS,
        "rate(up[5m])",
        f'rate({REQUESTS}{{model="ad"}}[5m])',
        f"sum by (model) (rate({REQUESTS}[5m]))",
        f"histogram_quantile(0.9, rate({REQUESTS}[5m]))",
        f"histogram_quantile(99, rate({BUCKETS}[5m]))",
        f"histogram_quantile(rate({BUCKETS}[5m]), 0.9)",
        f"sum(rate({REQUESTS}[5m])) / rate({REQUESTS}[5m])",
    ],
)
def test_a_query_without_an_answer_is_seen(query):
    with pytest.raises(ValueError, match=r"."):
        labels(query)


# --- alerts -------------------------------------------------------------------


def alerts():
    (group,) = read("prometheus/alerts.yml")["groups"]
    return group["rules"]


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_can_be_raised(rule):
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"([A-Z][a-z]+)+", rule["alert"])
    given = labels(rule["expr"])
    assert promql_parser.parse_duration(rule["for"]).total_seconds() >= 60
    assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})
    assert set(rule["annotations"]) == {"summary"}
    summary = rule["annotations"]["summary"]
    named = re.findall(r"\{\{ \$labels\.(\w+) \}\}", summary)
    assert set(named) <= given
    assert summary.count("{{") == len(named)


def test_alerts_have_names_of_their_own():
    assert len({rule["alert"] for rule in alerts()}) == len(alerts()) == 3
    assert read("prometheus/prometheus.yml")["rule_files"] == ["alerts.yml"]


def test_thresholds_are_in_the_units_of_the_metrics():
    rules = {rule["alert"]: rule for rule in alerts()}
    fail, slow = rules["RequestsFail"], rules["RequestsSlow"]
    share = promql_parser.parse(fail["expr"]).rhs.val
    assert f"More than {100 * share:g} %" in fail["annotations"]["summary"]
    microseconds = promql_parser.parse(slow["expr"]).rhs.val
    assert f"over {microseconds / 1e6:g} s" in slow["annotations"]["summary"]


def test_the_operator_is_given_the_same_alerts():
    rule = read("kubernetes/operator/rules.yaml")
    assert rule["spec"] == read("prometheus/alerts.yml"), "try: make rules"


def test_make_copies_the_alerts(tmp_path):
    source, target = "prometheus/alerts.yml", "kubernetes/operator/rules.yaml"
    for path in (source, target):
        copy = tmp_path / "export" / path
        copy.parent.mkdir(parents=True)
        copy.write_text((EXPORT / path).read_text())
    copy.write_text(copy.read_text().replace("2m", "9m"))
    command = [tool("make"), "-f", str(ROOT / "Makefile"), "rules"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert copy.read_text() == (EXPORT / target).read_text()


def test_one_job_for_alerts_dashboard_and_both_ways_of_scraping(dashboard):
    (job,) = read("prometheus/prometheus.yml")["scrape_configs"]
    monitor = read("kubernetes/operator/podmonitor.yaml")["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert endpoint["relabelings"] == [
        {"targetLabel": "job", "replacement": job["job_name"]}
    ]
    assert endpoint["path"] == job["metrics_path"]
    every = [rule["expr"] for rule in alerts()]
    every += [target["expr"] for target in targets(dashboard)]
    jobs = set(re.findall(r'job="([^"]*)"', "".join(every)))
    assert jobs == {job["job_name"]}


# --- the dashboard ------------------------------------------------------------

# what Grafana puts for a variable before it asks Prometheus
VALUES = {"$model": ".*", "$__rate_interval": "1m0s"}


@pytest.fixture
def dashboard():
    return json.loads((EXPORT / "grafana/dashboards/serving.json").read_text())


def targets(dashboard):
    return [one for panel in dashboard["panels"] for one in panel["targets"]]


def asked(target):
    query = target["expr"]
    for name, value in VALUES.items():
        query = query.replace(name, value)
    assert "$" not in query
    return query


def test_the_dashboard_is_provisioned(dashboard):
    grafana = read("compose.yaml")["services"]["grafana"]
    (provider,) = read("grafana/provisioning/dashboards/dashboards.yaml")[
        "providers"
    ]
    path = provider["options"]["path"]
    assert provider["allowUiUpdates"] is False
    assert f"./grafana/dashboards:{path}:ro" in grafana["volumes"]
    home = "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
    assert grafana["environment"][home] == f"{path}/serving.json"
    (source,) = read("grafana/provisioning/datasources/prometheus.yaml")[
        "datasources"
    ]
    assert source["editable"] is dashboard["editable"] is False
    host, port = re.fullmatch(r"http://(\w+):(\d+)", source["url"]).groups()
    services = read("compose.yaml")["services"]
    assert services[host]["ports"] == ["${BIND:-127.0.0.1}:9090:" + port]


def test_variables_are_there_before_they_are_used(dashboard):
    source, model = dashboard["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    assert f"${model['name']}" in VALUES
    used = {"type": "prometheus", "uid": f"${{{source['name']}}}"}
    for one in [model, *dashboard["panels"], *targets(dashboard)]:
        assert one["datasource"] == used
    values = r"label_values\((\S+), (\w+)\)"
    metric, label = re.fullmatch(values, model["query"]["query"]).groups()
    assert label in labels(f"rate({metric}[1m])")
    assert model["allValue"] == VALUES["$model"]


def test_panels_ask_for_what_there_is(dashboard):
    for target in targets(dashboard):
        given = labels(asked(target))
        named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert named <= given
        if "model_name" in target["expr"]:
            assert 'model_name=~"$model"' in target["expr"]


def test_panels_say_the_units_of_the_metrics(dashboard):
    for panel in dashboard["panels"]:
        (unit,) = {
            "µs"
            if "_latency_bucket" in target["expr"]
            else "none"
            if target["expr"].startswith("up{")
            else "percentunit"
            if " / " in target["expr"]
            else "reqps"
            for target in panel["targets"]
        }
        assert panel["fieldConfig"]["defaults"]["unit"] == unit


def test_panels_are_known_and_beside_each_other(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = []
    for panel in panels:
        assert panel["type"] in ("stat", "timeseries")
        assert panel["title"]
        names = [target["refId"] for target in panel["targets"]]
        assert len(set(names)) == len(names) > 0
        place = panel["gridPos"]
        # Grafana's grid is 24 columns wide
        columns = range(place["x"], place["x"] + place["w"])
        assert columns.stop <= 24
        rows = range(place["y"], place["y"] + place["h"])
        cells += itertools.product(columns, rows)
    assert len(set(cells)) == len(cells)
