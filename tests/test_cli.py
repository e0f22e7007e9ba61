import errno
import json
import logging
import subprocess
import sys

import ida_tree
import pytest
import typer
from typer.testing import CliRunner

from pet_dcgan import __version__
from pet_dcgan.cli import console
from pet_dcgan.cli.main import app
from pet_dcgan.cli.options import known_preset, parse_settings

COMMANDS = [
    *("phantom", "scan", "prepare", "train", "evaluate", "study"),
    *("export", "generate", "demo"),
]

TRAIN = ("train", "--stage", "AD", "--data-dir", "d", "--run", "r")


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def refused(*words, code=1):
    """Calls a command that must fail; returns its one line."""
    result = call(*words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    (line,) = [x for x in result.stderr.splitlines() if x.strip()]
    return line


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("ida") / "scans"
    return ida_tree.write_tree(root, ida_tree.cohort_rows(3))


@pytest.fixture(scope="module")
def data_dir(tree, tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    result = call(
        "prepare", tree, "--data-dir", data_dir, "--config", "axial_64"
    )
    assert result.exit_code == 0, result.output
    return data_dir


def train_words(data_dir, run, *more):
    return (
        "train",
        *("--data-dir", data_dir, "--config", "axial_64", "--stage", "ad"),
        *("--run", run, "--preset", "demo", "--epochs", 1),
        *("--set", "width=4", "--set", "batch_size=4", *more),
    )


@pytest.fixture(scope="module")
def run(data_dir, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "ad"
    result = call(*train_words(data_dir, run))
    assert result.exit_code == 0, result.output
    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"Example: pet-dcgan {command}" in result.output


def test_version():
    assert call("--version").output.strip() == __version__


def test_help_starts_neither_tensorflow_nor_http():
    code = (
        "import sys, pet_dcgan.cli.main\n"
        "slow = {'tensorflow', 'keras', 'requests', 'pandas', 'nibabel'}\n"
        "sys.exit(bool(slow & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_scan_counts_and_writes_the_account(tree, tmp_path):
    result = call("scan", tree, "--csv", tmp_path / "scans.csv")
    assert result.exit_code == 0
    assert "Phantom scans (no patients)" in result.output
    assert len((tmp_path / "scans.csv").read_text().splitlines()) == 10


@pytest.mark.usefixtures("quick_encoder")
def test_the_whole_way(run, tmp_path):
    result = call("evaluate", run)
    assert result.exit_code == 0, result.output
    assert "PHANTOM" in result.output
    assert "report.html" in result.output
    assert "no 95 % intervals: they need 8" in result.output
    assert json.loads((run / "evaluation" / "metrics.json").read_text())[
        "phantom"
    ]
    models = tmp_path / "models"
    result = call("export", run, "--to", models)
    assert result.exit_code == 0, result.output
    images = tmp_path / "images"
    result = call("generate", models / "ad", "--count", 3, "--out", images)
    assert result.exit_code == 0, result.output
    assert len(list(images.glob("*.png"))) == 3
    assert len((images / "images.csv").read_text().splitlines()) == 4


def test_dry_run_writes_nothing(data_dir, tmp_path):
    result = call(*train_words(data_dir, tmp_path / "ad", "--dry-run"))
    assert result.exit_code == 0, result.output
    assert "12 slices" in result.output
    assert not list(tmp_path.iterdir())


def test_phantom_counts_by_stage(tmp_path, monkeypatch):
    seen = {}

    def write(out, **options):
        seen.update(options)
        return out

    monkeypatch.setattr("tfds_adni.phantom.write_cohort", write)
    words = ("phantom", tmp_path / "p", "--subjects")
    assert call(*words, "NC=3, MCI=4,AD=5").exit_code == 0
    assert seen["subjects"] == {"NC": 3, "MCI": 4, "AD": 5}
    assert call(*words, "7").exit_code == 0
    assert seen["subjects"] == {"NC": 7, "MCI": 7, "AD": 7}


@pytest.mark.parametrize("text", ["many", "0", "XX=3", "NC=", "NC=3;AD=4"])
def test_phantom_counts_that_make_no_sense(tmp_path, text):
    result = call("phantom", tmp_path / "p", "--subjects", text)
    assert result.exit_code == 2
    assert "--subjects" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--stage", "XX", "--data-dir", "d", "--run", "r"),
        ("train", "--data-dir", "d", "--run", "r"),
        ("generate", "m", "--count", "0", "--out", "o"),
        ("generate", "m", "--count", "1", "--out", "o", "--format", "gif"),
        ("generate", "http://host:8501", "--count", "1", "--out", "o"),
        (*TRAIN, "--preset", "best"),
        (*TRAIN, "--set", "colour=red"),
        (*TRAIN, "--set", "width=wide"),
        ("prepare", "scans", "--data-dir", "d", "--config", "axial_1"),
        ("evaluate", "r", "--colour", "red"),
        ("nonsense",),
    ],
)
def test_unknown_options_and_values_exit_with_2(words):
    result = call(*words)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_missing_folder(tmp_path):
    line = refused("scan", tmp_path / "nowhere")
    assert line.startswith("pet-dcgan: expected a folder of PET scans")


def test_stage_without_subjects(tmp_path):
    rows = [r for r in ida_tree.cohort_rows(3) if r["Group"] != "MCI"]
    root = ida_tree.write_tree(tmp_path / "scans", rows)
    data = tmp_path / "data"
    words = ("--data-dir", data, "--config", "axial_64")
    assert call("prepare", root, *words).exit_code == 0
    line = refused("train", *words, "--stage", "MCI", "--run", tmp_path / "r")
    assert "MCI" in line
    assert not (tmp_path / "r").exists()


def test_unprepared_set_names_the_command(tmp_path):
    line = refused(*train_words(tmp_path, tmp_path / "run"))
    assert "pet-dcgan prepare" in line


def test_existing_run_is_kept(data_dir, run):
    before = (run / "generator.keras").read_bytes()
    assert "found" in refused(*train_words(data_dir, run))
    assert (run / "generator.keras").read_bytes() == before


def test_evaluate_what_is_no_run(tmp_path):
    assert str(tmp_path) in refused("evaluate", tmp_path)


def test_generate_from_what_is_no_model(tmp_path):
    words = ("--count", 1, "--out", tmp_path / "o")
    refused("generate", tmp_path, *words)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
        (
            OSError(errno.ENOSPC, "No space left on device", "a.nii"),
            1,
            "the disk is full (a.nii)",
        ),
        (RuntimeError("...; No space left on device\n[Op:X]"), 1, "free some"),
        (
            PermissionError(errno.EACCES, "Permission denied", "a"),
            1,
            "denied: a",
        ),
        (ArithmeticError("NaN\nin g_loss"), 1, "NaN in g_loss"),
        (KeyError("oops"), 1, "unexpected KeyError"),
    ],
)
def test_what_goes_wrong_is_one_line(tree, monkeypatch, error, code, words):
    def fail(*_):
        raise error

    monkeypatch.setattr("tfds_adni.cohort.survey", fail)
    line = refused("scan", tree, code=code)
    assert words in line


def test_tensorflow_logs_nothing_after_the_last_line(tree, monkeypatch):
    # it would, of each operation that Ctrl-C left half-built
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("tfds_adni.cohort.survey", fail)
    logger = logging.getLogger("tensorflow")
    monkeypatch.setattr(logger, "disabled", False)
    assert "stopped by Ctrl-C" in refused("scan", tree, code=130)
    assert logger.disabled


def test_traceback_on_request(tree, monkeypatch):
    def fail(*_):
        raise KeyError("oops")

    monkeypatch.setattr("tfds_adni.cohort.survey", fail)
    monkeypatch.setenv(console.TRACEBACK_VARIABLE, "1")
    assert isinstance(call("scan", tree).exception, KeyError)


# --- settings -----------------------------------------------------------------


def test_settings_and_options_are_read_together():
    overrides = parse_settings(
        "demo", ["width=8"], epochs=3, precision=None, deterministic="true"
    )
    assert overrides == {"width": "8", "epochs": "3", "deterministic": "true"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["epochs=4"], "epochs once, found --epochs 3 and --set epochs=4"),
        (["widht=4"], "expected a setting among width"),
        (["r1_every=4"], "expected r1_weight with r1_every 4, found 0"),
    ],
)
def test_what_cannot_be_set_is_refused_before_anything_is_loaded(
    settings, message
):
    with pytest.raises(typer.BadParameter, match=message) as caught:
        parse_settings("demo", settings, epochs=3)
    assert caught.value.param_hint == "--set"


def test_an_unknown_preset_is_refused_with_the_nearest():
    assert known_preset("paper") == "paper"
    with pytest.raises(typer.BadParameter, match="among paper, found 'papre'"):
        known_preset("papre")
