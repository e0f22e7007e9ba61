"""The load test of export/: its arithmetic, and a short run on the stub."""

import json

import canned_server
import client_scripts
import pytest

SHORT = ("--seconds", "0.2", "--warm-up", "0.02", "--clients", "2")


@pytest.fixture(autouse=True)
def script():
    """The module `load_test`."""
    with client_scripts.importable():
        import load_test

        yield load_test


@pytest.fixture
def measure(script, stub, tmp_path):
    """`measure("--rows", "2")`: exit code and the numbers."""

    def run(*options, model="ad"):
        file = tmp_path / "numbers.json"
        url = f"{stub.url}/v1/models/{model}"
        code = script.main([url, *SHORT, "--json", str(file), *options])
        return code, json.loads(file.read_text()) if file.exists() else None

    return run


def test_percentiles_by_nearest_rank(script):
    values = [1.0, 2.0, 3.0, 4.0]
    found = [script.percentile(values, p) for p in (1, 25, 50, 51, 99, 100)]
    assert found == [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]


def test_summary_worked_by_hand(script):
    answers = [
        script.Answer(10.0, 10.5),
        script.Answer(10.0, 11.0),
        script.Answer(11.0, 13.0),
        script.Answer(12.0, 14.0, "HTTP 503"),
    ]
    found = script.summary(answers, rows=8, start=10.0)
    slow = dict.fromkeys(("p90", "p95", "p99", "max"), 2000.0)
    assert found == {
        "seconds": 4.0,
        "answers": 4,
        "good": 3,
        "failed": {"HTTP 503": 1},
        "images_a_second": 6.0,
        "latency_ms": {"p50": 1000.0, **slow},
    }
    nothing = script.summary([], rows=1, start=5.0)
    assert (nothing["answers"], nothing["images_a_second"]) == (0, 0.0)
    assert nothing["latency_ms"] == {}


@pytest.mark.parametrize("keep", [[], ["--keep-alive"]])
def test_a_run(measure, stub, capsys, keep):
    code, numbers = measure("--rows", "3", *keep)
    assert code == 0
    assert numbers["failed"] == {}
    assert numbers["good"] == numbers["answers"] > 0
    assert numbers["images_a_second"] > 0
    assert numbers["connections"] == ("kept" if keep else "one a request")
    shown = capsys.readouterr().out
    assert "images a second" in shown
    assert "failed               none" in shown
    # not the same images again and again
    seeds = [json.loads(body)["instances"] for _, body in stub.requests[1:]]
    assert len({tuple(one) for one in seeds}) == len(seeds)
    assert {len(one) for one in seeds} == {3}


@pytest.mark.parametrize(
    ("faults", "errors"),
    [
        ([503], {"HTTP 503"}),
        (
            ["drop", "cut"],
            {"RemoteDisconnected", "IncompleteRead", "ConnectionResetError"},
        ),
    ],
)
def test_failures_are_counted_and_not_timed(measure, stub, faults, errors):
    stub.faults = [None, *faults * 5_000]
    code, numbers = measure("--keep-alive")
    assert code == 1
    assert numbers["failed"].keys() <= errors
    assert sum(numbers["failed"].values()) == numbers["answers"] > 0
    assert (numbers["good"], numbers["latency_ms"]) == (0, {})


@pytest.mark.parametrize(
    ("status", "content", "fault"),
    [
        (200, b'{"predictions": [1]}', ""),
        (200, b'{"predictions": [1, 2]}', "wrong content"),
        (200, b"<html>", "wrong content"),
        (400, b"", "HTTP 400"),
    ],
)
def test_fault_of_an_answer(script, status, content, fault):
    with canned_server.serve([(status, content, {})]) as server:
        model = script.Model(f"{server.url}/v1/models/ad")
        answer = model.send(model.url)
    assert script._fault(model, *answer, 1) == fault


@pytest.mark.parametrize(
    ("options", "model", "words"),
    [
        (["--rows", "65"], "ad", "expected --rows of at most 64"),
        ([], "nc", "answered HTTP 404"),
        (["--json", "/dev/null/x"], "ad", "Not a directory"),
    ],
)
def test_a_run_that_is_impossible(measure, capsys, options, model, words):
    assert measure(*options, model=model)[0] == 1
    assert words in client_scripts.one_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    "options", [["--clients", "0"], ["--clients", "257"], ["--seconds", "-1"]]
)
def test_options_out_of_range(measure, options):
    with pytest.raises(SystemExit) as error:
        measure(*options)
    assert error.value.code == 2
