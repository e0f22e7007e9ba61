"""The gRPC client of export/, and what the page says of all clients."""

import importlib
import re
import shlex
import sys

import client_scripts
import pytest
from client_scripts import one_line, table
from export_files import EXPORT


@pytest.fixture(autouse=True)
def scripts():
    """The scripts can be imported."""
    with client_scripts.importable():
        yield


@pytest.fixture
def grpc_client(toy_models, tmp_path):
    """`grpc_client("ad", "--count", "2")`: files in tmp/over_grpc."""
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    import grpc_client as script
    import stub_grpc

    with stub_grpc.serve(toy_models) as address:
        yield lambda *options: script.main(
            [address, *options, "--out", str(tmp_path / "over_grpc")]
        )


def test_both_clients_write_the_same(grpc_client, stub, tmp_path):
    import rest_client

    url = f"{stub.url}/v1/models/ad"
    for options in (["--count", "3"], ["--suvr", "--seed", "8"]):
        over_rest = tmp_path / f"rest{options[0]}"
        over_grpc = tmp_path / f"grpc{options[0]}"
        out = ["--out", str(over_rest)]
        assert rest_client.main([url, *options, *out]) == 0
        assert grpc_client("ad", *options) == 0
        (tmp_path / "over_grpc").rename(over_grpc)
        written = sorted(path.name for path in over_rest.iterdir())
        assert len(written) > 1
        assert written == sorted(path.name for path in over_grpc.iterdir())
        for name in written:
            found = (over_grpc / name).read_bytes()
            assert found == (over_rest / name).read_bytes()


def test_a_version_over_grpc(grpc_client, tmp_path):
    assert grpc_client("ad", "--version", "1") == 0
    assert table(tmp_path / "over_grpc")[0]["model_version"] == "1"


def test_an_unknown_model_over_grpc(grpc_client, capsys):
    assert grpc_client("nc") == 1
    line = one_line(capsys.readouterr().err)
    assert "found NOT_FOUND: Servable not found for request" in line


@pytest.mark.parametrize("address", ["localhost", "http://localhost:8500", ""])
def test_what_is_no_address_is_an_option_error(address, capsys, tmp_path):
    import grpc_client as script

    with pytest.raises(SystemExit) as error:
        script.main([address, "ad", "--out", str(tmp_path / "x")])
    assert error.value.code == 2
    assert "expected HOST:PORT as" in capsys.readouterr().err


def test_no_server_over_grpc(capsys, tmp_path):
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    import grpc_client as script

    out = str(tmp_path / "x")
    assert script.main(["127.0.0.1:1", "ad", "--out", out]) == 1
    assert "found UNAVAILABLE" in one_line(capsys.readouterr().err)


def test_without_the_package(capsys, tmp_path, monkeypatch):
    import grpc_client as script

    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    out = str(tmp_path / "x")
    assert script.main(["localhost:8500", "ad", "--out", out]) == 1
    line = one_line(capsys.readouterr().err)
    assert 'pip install "pet-dcgan[serving]"' in line


# --- the page that tells of them ----------------------------------------------


def test_commands_of_the_page_run(stub, toy_models, tmp_path, monkeypatch):
    """Each line that starts a script does what it says, on the stub."""
    pytest.importorskip("tensorflow_serving", reason="no serving extra")
    import stub_grpc

    page = (EXPORT / "README.md").read_text()
    lines = re.findall(r"^python export/clients/(\w+)\.py (.*)$", page, re.M)
    assert {name for name, _ in lines} == {
        "rest_client",
        "grpc_client",
        "load_test",
    }
    monkeypatch.chdir(tmp_path)
    with stub_grpc.serve(toy_models) as address:
        for name, words in lines:
            words = words.replace("http://localhost:8501", stub.url)
            words = words.replace("localhost:8500", address)
            words = words.replace("--seconds 20", "--seconds 0.2")
            script = importlib.import_module(name)
            assert script.main(shlex.split(words)) == 0
    assert len(list(tmp_path.glob("over_*/*"))) == 2 * 5
