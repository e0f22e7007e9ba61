"""The options of `pet-dcgan study`, without a study."""

import pytest
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from pet_dcgan.study import study
from pet_dcgan.study.settings import StudySettings


@pytest.fixture
def command(toy_set, tmp_path, monkeypatch):
    """`command("--seeds", "2")`: the result, and what was called."""
    calls = {}

    def run_study(settings, out, **options):
        calls.update(options, settings=settings, out=out)
        return {"words": ["Results."]}

    monkeypatch.setattr(study, "run_study", run_study)

    def command(*options):
        where = ["--data-dir", str(toy_set), "--config", "axial_32"]
        out = ["--out", str(tmp_path / "out")]
        result = CliRunner().invoke(app, ["study", *where, *out, *options])
        return result, calls

    return command


def test_the_defaults_are_those_of_python(command, toy_set):
    result, calls = command()
    assert result.exit_code == 0, result.output
    of_python = StudySettings(data_dir=str(toy_set), dataset="axial_32")
    assert calls["settings"] == of_python
    assert (calls["runs"], calls["resume"]) == ([], False)
    assert "Results." in result.output
    assert "results.csv" in result.output


def test_options_reach_the_study(command, toy_set):
    result, calls = command(
        *("--task", "three", "--planes", "coronal, axial"),
        *("--fractions", "10,50", "--preset", "demo", "--epochs", "7"),
        *("--set", "width=8", "--seed", "3", "--runs", "a", "b", "c"),
        *("--shuffle-labels", "--resume", "--by-site"),
        *("--seeds", "2", "--splits", "3"),
    )
    assert result.exit_code == 0, result.output
    assert calls["settings"] == StudySettings(
        data_dir=str(toy_set),
        dataset="axial_32",
        task="three",
        planes=("axial", "coronal"),
        fractions=(10, 50),
        splits=3,
        by_site=True,
        seeds=2,
        overrides={"width": "8", "epochs": "7"},
        shuffle_labels=True,
        seed=3,
    )
    # as a shell expands runs/*
    assert [str(path) for path in calls["runs"]] == ["a", "b", "c"]
    assert calls["resume"] is True


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--planes", "oblique"),
        ("--fractions", "0,50"),
        ("--fractions", "all"),
        ("--task", "four"),
        ("--seeds", "0"),
        ("--splits", "0"),
        ("--preset", "nosuch"),
        ("--set", "nosuch=1"),
    ],
)
def test_unknown_values_exit_with_2(command, option, value):
    result, calls = command(option, value)
    assert result.exit_code == 2
    assert not calls


def test_missing_files_exit_with_1(tmp_path):
    where = ["--data-dir", str(tmp_path), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["study", *where])
    assert result.exit_code == 1
    assert "expected a prepared set adni/axial_64" in result.stderr
