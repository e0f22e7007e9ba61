"""What `pet-dcgan study` makes of its options, without a study."""

import pytest
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from pet_dcgan.study import study


@pytest.fixture
def command(toy_set, tmp_path, monkeypatch):
    """`command("--seeds", "2")`: the result, and what was called."""
    calls = {}

    def run_study(settings, out, **options):
        calls.update(options, settings=settings, out=out)
        return {"words": ["What was found."]}

    monkeypatch.setattr(study, "run_study", run_study)

    def command(*options):
        where = ["--data-dir", str(toy_set), "--config", "axial_32"]
        out = ["--out", str(tmp_path / "out")]
        result = CliRunner().invoke(app, ["study", *where, *out, *options])
        return result, calls

    return command


def test_the_defaults(command):
    result, calls = command()
    assert result.exit_code == 0, result.output
    told = calls["settings"]
    assert (told.task, told.planes, told.fractions) == (
        "nc-ad",
        ("axial",),
        (25, 100),
    )
    assert (told.seeds, told.preset, told.overrides) == (5, "demo", {})
    assert (told.with_validation, told.shuffle_labels) == (False, False)
    assert (calls["runs"], calls["resume"]) == ([], False)
    assert "What was found." in result.output
    assert "results.csv" in result.output


def test_runs_of_a_shell_s_star_are_all_taken(command):
    result, calls = command("--runs", "a", "b", "c", "--seeds", "2")
    assert result.exit_code == 0, result.output
    assert [str(path) for path in calls["runs"]] == ["a", "b", "c"]
    assert calls["settings"].seeds == 2


def test_options_reach_the_study(command):
    result, calls = command(
        *("--task", "three", "--planes", "coronal, axial"),
        *("--fractions", "10,50", "--preset", "demo", "--epochs", "7"),
        *("--set", "width=8", "--seed", "3"),
        *("--with-validation", "--shuffle-labels", "--resume"),
    )
    assert result.exit_code == 0, result.output
    told = calls["settings"]
    assert told.classes == ("NC", "MCI", "AD")
    assert told.planes == ("axial", "coronal")
    assert told.fractions == (10, 50)
    assert told.overrides == {"width": "8", "epochs": "7"}
    assert (told.seed, told.with_validation, told.shuffle_labels) == (
        3,
        True,
        True,
    )
    assert calls["resume"] is True


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--planes", "oblique"),
        ("--fractions", "0,50"),
        ("--fractions", "all"),
        ("--task", "four"),
        ("--seeds", "0"),
        ("--preset", "nosuch"),
        ("--set", "nosuch=1"),
    ],
)
def test_unknown_values_exit_with_2(command, option, value):
    result, calls = command(option, value)
    assert result.exit_code == 2
    assert not calls


def test_what_is_wrong_with_files_exits_with_1(tmp_path):
    where = ["--data-dir", str(tmp_path), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, ["study", *where])
    assert result.exit_code == 1
    assert "expected a prepared set adni/axial_128" in result.stderr
