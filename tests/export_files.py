"""The files of export/, for the tests that read them."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXPORT = ROOT / "export"
# flags of tensorflow_serving/model_servers/main.cc
FLAGS = {
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "file_system_poll_wait_seconds",
    "monitoring_config_file",
    "tensorflow_session_parallelism",
    "enable_batching",
    "batching_parameters_file",
}


def read(path):
    return yaml.safe_load((EXPORT / path).read_text())


def images():
    """By the name of its variable, each image of `.env`."""
    lines = (EXPORT / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line[0] != "#")


def tool(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on the PATH")
    return found


def flags(arguments):
    """By name; each is one that the server knows."""
    values = dict(
        re.fullmatch(r"--(\w+)=(.*)", one).groups() for one in arguments
    )
    assert values.keys() <= FLAGS
    return values
