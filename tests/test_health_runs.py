"""Whole runs that fail, by the command line."""

import csv

import pytest
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from pet_dcgan.presets import PLAIN, PRESETS
from pet_dcgan.runs.run import Run

EPOCHS = 52
# what the preset does and a failing training must not
CHANGED = [name for name in PLAIN if PRESETS["demo"][name] != PLAIN[name]]


def train(data_dir, run, *more):
    """A run whose discriminator wins: 6 steps an epoch, a look every 9."""
    rates = ("d_learning_rate=0.005", "g_learning_rate=0.0001")
    plain = (f"{name}={PLAIN[name]}" for name in CHANGED)
    settings = ("width=4", "latent_dim=6", "batch_size=2", *rates, *plain)
    words = (
        *("train", "--data-dir", data_dir, "--config", "axial_32"),
        *("--stage", "AD", "--preset", "demo", "--run", run),
        *("--epochs", EPOCHS, *(f"--set={setting}" for setting in settings)),
    )
    return CliRunner().invoke(app, [str(word) for word in (*words, *more)])


def said(run):
    with (run / "health.csv").open(newline="") as file:
        return [row["states"] for row in csv.DictReader(file)]


def test_the_option_reaches_the_training(toy_set, tmp_path, monkeypatch):
    seen = []

    def stop(*args, stop_on_failure, **options):
        seen.append(stop_on_failure)
        raise ValueError("expected no training, found one")

    monkeypatch.setattr("pet_dcgan.training.train.train", stop)
    assert train(toy_set, tmp_path / "ad", "--stop-on-failure").exit_code == 1
    assert train(toy_set, tmp_path / "ad").exit_code == 1
    assert seen == [True, False]


@pytest.mark.slow
def test_a_failing_run_stops_in_one_line_and_can_go_on(
    toy_set, tmp_path, monkeypatch
):
    monkeypatch.setattr("pet_dcgan.training.health.states.FAILED_LOOKS", 5)
    run = tmp_path / "ad"
    result = train(toy_set, run, "--stop-on-failure")
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    (line,) = [x for x in result.stderr.splitlines() if "is winning" in x]
    assert line == result.stderr.splitlines()[-1]
    assert line.startswith("pet-dcgan: expected a training that learns, found")
    assert "--set g_learning_rate=0.001" in line
    assert not Run.open(run).finished
    assert len(list((run / "checkpoint").glob("state_*.npz"))) == 2
    states = said(run)
    assert states[-1] == "discriminator_winning"
    # without the option it comes to its end, and says nothing twice
    result = train(toy_set, run, "--resume")
    assert result.exit_code == 0, result.output
    assert "is winning" not in result.output
    assert Run.open(run).finished
    assert said(run) == [*states, *[""] * (len(said(run)) - len(states))]
    assert not list((run / "checkpoint").glob("sound_*.npz"))
