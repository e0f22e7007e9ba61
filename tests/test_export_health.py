"""The health check of a server, which is bash alone."""

import subprocess

import pytest
from export_files import EXPORT, tool


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


def test_health_of_models_that_are_there(stub, listed):
    port = stub.url.rpartition(":")[2]
    assert health("all", listed("ad", "mci"), port) == ""
    assert health("any", listed("nc", "mci"), port) == ""


def test_health_of_models_that_are_not_there(stub, listed):
    port = stub.url.rpartition(":")[2]
    assert "found 1, and not: nc" in health("all", listed("ad", "nc"), port)
    assert "found 0, and not: nc" in health("any", listed("nc"), port)
    assert "found 0, and not: a single model" in health("all", listed(), port)


def test_health_without_a_server(listed):
    assert "found 0, and not: ad" in health("any", listed("ad"), "1")
