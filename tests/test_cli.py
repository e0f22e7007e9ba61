import errno
import json
import logging
import os
import subprocess
import sys

import ida_tree
import pytest
import typer
from typer.testing import CliRunner

from pet_dcgan import __version__
from pet_dcgan.cli import console
from pet_dcgan.cli.main import app
from pet_dcgan.cli.options import parse_settings
from pet_dcgan.evaluation import evaluate
from pet_dcgan.serving import export

COMMANDS = [
    *("phantom", "scan", "prepare", "train", "evaluate", "study"),
    *("export", "generate", "demo"),
]

TRAIN = ("train", "--stage", "AD", "--data-dir", "d", "--run", "r")


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def done(*words):
    """Calls a command that must succeed; returns what it prints."""
    result = call(*words)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words, code=1):
    """Calls a command that must fail; returns its one line."""
    result = call(*words)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    (line,) = [x for x in result.stderr.splitlines() if x.strip()]
    return line


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Scans of three subjects at each stage but MCI."""
    rows = [r for r in ida_tree.cohort_rows(3) if r["Group"] != "MCI"]
    return ida_tree.write_tree(tmp_path_factory.mktemp("ida") / "scans", rows)


def train_words(data_dir, run, *more):
    return (
        "train",
        *("--data-dir", data_dir, "--config", "axial_32", "--stage", "ad"),
        *("--run", run, "--preset", "demo", "--epochs", 1),
        *("--set", "width=4", "--set", "batch_size=4", *more),
    )


def test_version():
    assert done("--version").strip() == __version__


def test_nothing_slow_is_imported_before_it_is_needed():
    code = """
import sys, pet_dcgan.cli.main
slow = {"tensorflow", "keras", "requests", "pandas", "nibabel"}
assert not slow & set(sys.modules), "for --help"
import pet_dcgan.serving.generate
assert not {"tensorflow", "keras"} & set(sys.modules), "for a server's model"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_scan_counts_and_writes_the_account(tree, tmp_path):
    output = done("scan", tree, "--csv", tmp_path / "scans.csv")
    assert "Phantom scans (no patients)" in output
    assert len((tmp_path / "scans.csv").read_text().splitlines()) == 7


@pytest.mark.slow  # each of its commands has quicker tests
@pytest.mark.usefixtures("quick_encoder")
def test_the_whole_way(toy_set, tmp_path):
    run, models, images = (tmp_path / name for name in ("r", "m", "i"))
    done(*train_words(toy_set, run))
    assert "report.html" in done("evaluate", run, "--count", 8, "--search", 8)
    metrics = json.loads((run / "evaluation" / "metrics.json").read_text())
    assert metrics["phantom"]
    done("export", run, "--to", models)
    done("generate", models / "ad", "--count", 3, "--out", images)
    assert len(list(images.glob("*.png"))) == 3


def test_dry_run_writes_nothing(toy_set, tmp_path):
    output = done(*train_words(toy_set, tmp_path / "ad", "--dry-run"))
    assert "12 slices" in output
    assert not list(tmp_path.iterdir())


def test_evaluate_prints_its_results(make_run, evaluated, monkeypatch):
    metrics = evaluated[1]
    monkeypatch.setattr(evaluate, "evaluate", lambda run, **options: metrics)
    run = make_run().path
    output = " ".join(done("evaluate", run).split())
    assert "PHANTOM" in output
    assert "report.html" in output
    assert metrics["assessment"]["headline"] in output
    for finding in metrics["assessment"]["findings"]:
        assert " ".join(finding["words"].split()) in output
    assert f"pet-dcgan export {run} --to export/models" in output


def test_export_and_generate(make_run, toy_models, tmp_path, monkeypatch):
    monkeypatch.setattr(
        export,
        "export_run",
        lambda run, to, **options: f"{run.path} {to} {options}",
    )
    run = make_run().path
    output = done("export", run, "--to", "models", "--allow-copies")
    assert f"{run} models {{'allow_copies': True}}: exported" in output
    images = tmp_path / "images"
    done("generate", toy_models / "ad", "--count", 3, "--out", images)
    assert len(list(images.glob("*.png"))) == 3
    assert len((images / "images.csv").read_text().splitlines()) == 4


def test_phantom_counts_by_stage(tmp_path, monkeypatch):
    def write(out, *, subjects, **_):
        return subjects

    monkeypatch.setattr("tfds_adni.phantom.write_cohort", write)
    words = ("phantom", tmp_path / "p", "--subjects")
    for given, counts in (
        ("NC=3, MCI=4,AD=5", {"NC": 3, "MCI": 4, "AD": 5}),
        ("7", {"NC": 7, "MCI": 7, "AD": 7}),
    ):
        assert str(counts) in done(*words, given)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("many", "many"),
        ("0", "0"),
        ("XX=3", "XX=3"),
        ("NC=", "NC="),
        ("NC=3;AD=4", "NC=3;AD=4"),
        ("NC=1,NC=2", "NC=2"),
        ("3,4", "3"),
    ],
)
def test_phantom_counts_that_make_no_sense(tmp_path, text, found):
    result = call("phantom", tmp_path / "p", "--subjects", text)
    assert result.exit_code == 2
    assert "--subjects" in result.stderr
    assert f"found '{found}'" in result.stderr


def test_options_of_a_phantom(tmp_path, monkeypatch):
    given = []

    def write(out, **options):
        given.append(options)
        return out

    monkeypatch.setattr("tfds_adni.phantom.write_cohort", write)
    assert "prepare p --data-dir" in done("phantom", "p")
    words = ("--difficulty", "easy", "--visits", 3, "--counterfactual")
    words += ("--level", "raw", "--level", "uniform_8mm")
    output = done("phantom", "p", *words)
    assert "prepare p/with_disease --data-dir" in output
    defaults, chosen = given
    assert defaults | {"progress": 0} == defaults | chosen | {
        "difficulty": "realistic",
        "visits": None,
        "levels": ["uniform_8mm"],
        "counterfactual": False,
        "progress": 0,
    }
    assert (chosen["difficulty"], chosen["visits"]) == ("easy", 3)
    assert chosen["levels"] == ["raw", "uniform_8mm"]
    assert chosen["counterfactual"] is True


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--difficulty", "hard", "expected easy, realistic; found 'hard'"),
        ("--difficulty", "realistics", ": write realistic"),
        ("--level", "uniform", "uniform_8mm, found uniform: name only"),
        ("--visits", "0", "a whole number from 1 to 10; found '0'"),
        ("--visits", "11", "a whole number from 1 to 10; found '11'"),
        ("--visits", "two", "a whole number from 1 to 10; found 'two'"),
    ],
)
def test_values_a_phantom_does_not_take(tmp_path, option, value, message):
    result = call("phantom", tmp_path / "p", option, value)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not list(tmp_path.iterdir())


def test_the_phantom_has_what_its_command_offers():
    from tfds_adni.phantom.difficulty import DIFFICULTIES
    from tfds_adni.phantom.levels import LEVELS
    from tfds_adni.phantom.scans import MOST_VISITS

    text = done("phantom", "--help")
    assert "|".join(DIFFICULTIES) in text
    *first, last = LEVELS
    text = " ".join(text.split())
    assert f"{', '.join(first)} or {last}" in text
    assert f"at most {MOST_VISITS}" in text


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--stage", "XX", "--data-dir", "d", "--run", "r"),
        ("train", "--data-dir", "d", "--run", "r"),
        ("generate", "m", "--count", "0", "--out", "o"),
        ("generate", "m", "--count", "1", "--out", "o", "--format", "gif"),
        ("generate", "http://host:8501", "--count", "1", "--out", "o"),
        (*TRAIN, "--preset", "better"),
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


def test_a_prepared_set_without_subjects_of_a_stage(tree, tmp_path):
    words = ("--data-dir", tmp_path / "data", "--config", "axial_64")
    output = done("prepare", tree, *words, "--jobs", 1)
    assert "Next: pet-dcgan train" in output
    run = tmp_path / "r"
    assert "MCI" in refused("train", *words, "--stage", "MCI", "--run", run)
    assert not run.exists()


def test_what_comes_next_can_be_pasted(tree, tmp_path, monkeypatch):
    """Paths with spaces are quoted in commands."""
    monkeypatch.setattr("tfds_adni.phantom.write_cohort", lambda out, **_: out)
    output = done("phantom", "my scans")
    assert output.endswith("pet-dcgan prepare 'my scans' --data-dir data\n")
    data = tmp_path / "my data"
    words = ("--config", "axial_64", "--jobs", 1)
    output = done("prepare", tree, "--data-dir", data, *words)
    assert f"train --data-dir '{data}' --config axial_64" in output
    # nor are two sets put inside each other, or taken for scans
    for inside in (data / "adni", data / "adni" / "axial_64"):
        line = refused("prepare", tree, "--data-dir", inside, *words)
        assert line.endswith(f"write --data-dir '{data}'")
    line = refused("prepare", data, "--data-dir", tree)
    assert line.endswith("prepared data sets; give the folder of the scans")
    line = refused("scan", tmp_path / "no scans")
    assert line.endswith(f"pet-dcgan phantom '{tmp_path / 'no scans'}'")


def test_unprepared_set_names_the_command(tmp_path):
    line = refused(*train_words(tmp_path, tmp_path / "run"))
    assert "pet-dcgan prepare" in line


def test_existing_run_is_kept(toy_set, make_run):
    file = make_run().path / "generator.keras"
    before = file.read_bytes()
    assert "found" in refused(*train_words(toy_set, file.parent))
    assert file.read_bytes() == before


def test_folders_that_hold_no_run_and_no_model(tmp_path):
    assert str(tmp_path) in refused("evaluate", tmp_path)
    out = tmp_path / "o"
    line = refused("generate", tmp_path, "--count", 1, "--out", out)
    assert f"no exported model in {tmp_path}" in line
    assert not out.exists()


def fail_with(error, monkeypatch):
    def survey(*_, **__):
        raise error

    monkeypatch.setattr("tfds_adni.cohort.survey", survey)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
        (
            OSError(errno.ENOSPC, "No space left on device", "a.nii"),
            1,
            "the disk is full (a.nii)",
        ),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded", "a.nii"),
            1,
            "the disk quota is used up (a.nii): free some space",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "a\x1b[2Jb"),
            1,
            "Read-only file system: a?[2Jb: choose a place",
        ),
        (
            OSError(errno.ENOTDIR, "Not a directory", "a/b"),
            1,
            "Not a directory: a/b: a file is in its place, choose another",
        ),
        (
            OSError(errno.EEXIST, "File exists", "a"),
            1,
            "File exists: a: choose another place, or remove it",
        ),
        (OSError(errno.EIO, "Input/output error"), 1, "Input/output error"),
        (ValueError("a\x1b[2Jb\nc"), 1, "a?[2Jb c"),
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
def test_what_goes_wrong_is_one_line(tmp_path, monkeypatch, error, code, words):
    fail_with(error, monkeypatch)
    # TensorFlow would log each operation that Ctrl-C left half-built
    logger = logging.getLogger("tensorflow")
    monkeypatch.setattr(logger, "disabled", False)
    assert words in refused("scan", tmp_path, code=code)
    assert logger.disabled


def test_a_table_that_cannot_be_written_is_noticed_before_the_scans_are_read(
    tmp_path, monkeypatch
):
    fail_with(ArithmeticError("the scans were read"), monkeypatch)
    os.mkfifo(tmp_path / "pipe")
    for csv, words in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe")):
        assert words in refused("scan", tmp_path, "--csv", csv)
    assert list(tmp_path.iterdir()) == [tmp_path / "pipe"]


def test_traceback_on_request(tmp_path, monkeypatch):
    fail_with(KeyError("oops"), monkeypatch)
    monkeypatch.setenv(console.TRACEBACK_VARIABLE, "1")
    assert isinstance(call("scan", tmp_path).exception, KeyError)


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
        (["patience=3"], "expected select_every with patience 3, found 0"),
    ],
)
def test_what_cannot_be_set_is_refused_before_anything_is_loaded(
    settings, message
):
    with pytest.raises(typer.BadParameter, match=message) as caught:
        parse_settings("demo", settings, epochs=3)
    assert caught.value.param_hint == "--set"


def test_an_unknown_preset_is_refused_with_the_nearest():
    assert parse_settings("paper", None) == {}
    with pytest.raises(
        typer.BadParameter, match=r"found 'papre': write paper$"
    ) as caught:
        parse_settings("papre", None)
    assert caught.value.param_hint == "--preset"
