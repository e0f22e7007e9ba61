"""What a wrong path meant: a set, a run or a model that is near."""

import shlex

import pytest
import typer

from pet_dcgan.cli.main import app
from pet_dcgan.config import DATASETS, TrainConfig
from pet_dcgan.data.absent_set import absent_set
from pet_dcgan.presets import PRESETS
from pet_dcgan.runs.absent_run import absent_run, resume_command
from pet_dcgan.runs.fixed_files import require_free
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.absent_model import absent_model
from pet_dcgan.utils.meant import as_typed, meant


def holds_a(path):
    return (path / "a").is_file()


@pytest.fixture
def tree(tmp_path):
    """Folders that hold a file `a`, and others."""
    for name in ("runs/ad", "runs/mci", "runs/nc", "runs/nc 2"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a").touch()
    (tmp_path / "runs/other").mkdir()
    (tmp_path / "runs/other/b").touch()
    (tmp_path / "runs/empty").mkdir()
    (tmp_path / "runs/locked").mkdir()
    (tmp_path / "runs/locked/.lock").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("runs/ad/a", ["runs/ad"]),
        ("runs/ad/checkpoint/state.npz", ["runs/ad"]),
        ("runs", ["runs/ad", "runs/mci", "runs/nc"]),
        ("runs/mic", ["runs/mci"]),
        ("runs/xyz", ["runs/ad", "runs/mci", "runs/nc"]),
        # a folder of something else is not what another name meant
        ("runs/other", []),
        ("runs/empty", []),
        # it was made for the lock of a command
        ("runs/locked", ["runs/ad", "runs/mci", "runs/nc"]),
        ("nowhere/ad", []),
    ],
)
def test_what_is_near(tree, given, found):
    assert meant(tree / given, holds_a) == [tree / name for name in found]


def test_paths_are_quoted_for_a_shell():
    assert as_typed("runs/ad", "my runs/$x") == "runs/ad or 'my runs/$x'"


# --- sets ---------------------------------------------------------------------


@pytest.fixture
def data(tmp_path):
    for name in ("all_128", "axial_64"):
        (tmp_path / "my data" / "adni" / name / "2.0.0").mkdir(parents=True)
    return tmp_path / "my data"


@pytest.mark.parametrize(
    ("below", "dataset", "remedy"),
    [
        ("", "axial64", "write --config axial_64"),
        ("", "All_128", "write --config all_128"),
        ("adni", "axial_64", "write --data-dir '{data}'"),
        ("adni/axial_64/2.0.0", "axial_64", "write --data-dir '{data}'"),
        (
            "",
            "coronal_128",
            "make it with pet-dcgan prepare FOLDER --data-dir '{data}' "
            "--config coronal_128, or write --config all_128 or axial_64",
        ),
    ],
)
def test_a_set_that_is_not_there(data, below, dataset, remedy):
    line = str(absent_set(data / below, dataset))
    assert line.endswith(f": {remedy.format(data=data)}")


def test_where_nothing_is_prepared_the_name_is_mended_first(tmp_path):
    line = str(absent_set(tmp_path / "data", "axial128"))
    assert "found no such folder: make it with pet-dcgan prepare" in line
    assert line.endswith("--config axial_128")
    assert str(absent_set(tmp_path, "zz")).endswith(f"--config {DATASETS[0]}")


# --- runs ---------------------------------------------------------------------


def test_a_run_that_is_not_there(make_run, tmp_path):
    run = make_run().path
    for given in (run / "generator.keras", run.with_name(f"{run.name}x")):
        with pytest.raises(FileNotFoundError, match="expected a run") as caught:
            Run.open(given)
        assert str(caught.value).endswith(f"name a run, as {as_typed(run)}")
    model = tmp_path / "models" / "ad" / "1"
    model.mkdir(parents=True)
    (model / "saved_model.pb").touch()
    for given in (model, model.parent):
        line = str(absent_run(given, "config.json"))
        assert line.endswith("name the run it was exported from")


def test_a_folder_that_is_not_free_says_whether_resuming_helps(make_run):
    run = make_run().path
    with pytest.raises(FileExistsError, match="a finished run: choose"):
        require_free(run)
    (run / "generator.keras").unlink()
    with pytest.raises(FileExistsError, match="unfinished run: go on with"):
        require_free(run)
    (run / "config.json").unlink()
    with pytest.raises(FileExistsError, match="other files: choose another"):
        require_free(run)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_command_that_resumes_has_the_options_of_the_start(
    make_run, preset
):
    values = vars(make_run().config) | PRESETS[preset]
    values |= {"preset": preset, "width": 6, "xla": True, "seed": 7}
    values |= {"data_dir": "/my data", "g_learning_rate": 0.0003}
    stage = values["stage"]
    if values["channels"] > 3:
        values |= {"plane": "volume", "size": values["channels"]}
    if values["conditions"] != "none":
        # of all stages, which no option names
        values["stage"], stage = "ALL", None
    config = TrainConfig(**values)
    program, name, *words = shlex.split(resume_command(config, "my runs/ad"))
    assert (program, name) == ("pet-dcgan", "train")
    command = typer.main.get_command(app).commands["train"]
    options = command.make_context("train", words).params
    assert options["resume"]
    assert str(options["run"]) == "my runs/ad"
    assert str(options["data_dir"]) == "/my data"
    # the only plane of a set of volumes has no name on the command line
    plane = None if config.plane == "volume" else config.plane
    assert (options["stage"], options["plane"]) == (stage, plane)
    assert (options["preset"], options["seed"]) == (preset, 7)
    changes = dict(each.split("=", 1) for each in options["settings"])
    # those of the preset, too: of a small set it would take more
    for name in ("epochs", "select_every", "samples_every"):
        assert changes.pop(name) == str(getattr(config, name))
    assert changes == {
        "g_learning_rate": "0.0003",
        "width": "6",
        "xla": "true",
    }


# --- models -------------------------------------------------------------------


def test_a_model_that_is_not_there(make_run, tmp_path):
    run = make_run().path
    version = tmp_path / "my models" / "ad" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").touch()
    model = as_typed(version.parent)
    for given, remedy in (
        (run, f"pet-dcgan export {as_typed(run)} --to export/models"),
        (run / "generator.keras", f"export {as_typed(run)} --to"),
        (version.parents[1], f"name a model, as {model}"),
        (version.parents[1] / "da", f"name a model, as {model}"),
        (version / "saved_model.pb", f"name a model, as {as_typed(version)}"),
        ("host:8501/v1/models/ad", "as http://host:8501/v1/models/ad"),
        (tmp_path / "no" / "thing", "make one with pet-dcgan export"),
    ):
        assert remedy in str(absent_model(given))
