"""Fixtures for several test files; each section belongs to one concern."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest

# --- a small prepared set, as tfds_adni leaves it on disk ---------------------


@pytest.fixture(scope="session")
def toy_set(tmp_path_factory):
    """`data_dir` of `adni/axial_32`: 32 px, few subjects, marked phantom."""
    from toy_data import prepare

    return prepare(tmp_path_factory.mktemp("toy_data"))


# --- a finished run without a training: random weights, 32 px, width 4 --------


@pytest.fixture
def make_run(toy_set, tmp_path):
    """`make_run("AD", **changes)`: see `toy_run.make_run`."""
    from toy_run import make_run

    return lambda *args, **changes: make_run(
        tmp_path / "runs" / "secret", toy_set, *args, **changes
    )
