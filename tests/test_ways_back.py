"""What a message tells to do about a damaged file really mends it.

And a folder of somebody else's, named by mistake, stays as it is.
"""

import dataclasses
import os
import shutil

import pytest
import toy_model
from study_toy import make_settings

from pet_dcgan import demo
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import export_run
from pet_dcgan.study.study import run_study
from pet_dcgan.training.train import train

pytestmark = pytest.mark.usefixtures("quick_encoder")


@pytest.fixture(scope="module")
def trained(toy_set, tmp_path_factory, quick_encoder):
    """A run of two epochs that chose its generator by KID."""
    config = toy_model.make_config(toy_set, epochs=2, select_every=1)
    return train(config, tmp_path_factory.mktemp("trained") / "ad", verbose=0)


@pytest.fixture
def run(trained, tmp_path):
    return Run.open(shutil.copytree(trained.path, tmp_path / "ad"))


def resume(run):
    return train(run.config, run.path, resume=True, verbose=0)


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def contents(folder):
    return {
        path.relative_to(folder): path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
    }


# --- the ways back ------------------------------------------------------------


def test_a_damaged_generator_is_written_again(run, trained):
    path = run.path / "generator.keras"
    damage(path)
    with pytest.raises(ValueError, match=r"remove it .*--resume") as error:
        export_run(run, run.path.parent / "models")
    assert str(error.value).isprintable()
    path.unlink()
    resume(run)
    whole = (trained.path / "generator.keras").read_bytes()
    assert path.read_bytes() == whole


def test_two_damaged_files_are_mended_one_after_the_other(run, trained):
    """The last state besides: the epoch is trained again, to the same bits."""
    path = run.path / "generator.keras"
    for each in (path, run.path / "checkpoint" / "state_0002.npz"):
        damage(each)
    path.unlink()
    resume(run)
    assert path.read_bytes() == (trained.path / path.name).read_bytes()


def test_a_damaged_tile_costs_no_training_its_end(run, capsys):
    (run.path / "generator.keras").unlink()
    montage = run.path / "samples" / "montage.png"
    montage.unlink()
    tile = run.path / "checkpoint" / "samples_0001.npz"
    damage(tile)
    (run.path / "checkpoint" / "samples_0000.npz").mkdir()
    assert resume(run).finished
    assert montage.is_file()
    lines = capsys.readouterr().err.splitlines()
    without = [line for line in lines if "drawn without it" in line]
    assert [tile.name in line for line in without] == [False, True]


# --- where a run lies ---------------------------------------------------------


def test_a_run_through_a_link_that_was_moved_and_has_lost_its_set(
    trained, tmp_path
):
    moved = shutil.copytree(trained.path, tmp_path / "moved")
    link = tmp_path / "link"
    link.symlink_to(moved)
    run = Run.open(link)
    gone = str(tmp_path / "gone")
    run.config = dataclasses.replace(run.config, data_dir=gone)
    with pytest.raises(FileNotFoundError) as error:
        evaluate(run, count=8, search=8)
    assert str(error.value).isprintable()
    assert gone in str(error.value)
    version = export_run(run, tmp_path / "models")
    assert (version / "saved_model.pb").is_file()
    assert link.is_symlink()
    assert not list(moved.glob(".*"))
    card = (version.parent / "MODEL_CARD.md").read_text()
    assert "not recorded" in card
    assert str(tmp_path) not in card


# --- a folder of somebody else's ----------------------------------------------


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "2020").mkdir(parents=True)
    for name in (
        "cat.png",
        ".partial-12345678.cat.png",
        "2020/.partial-12345678.dog.png",
        ".previous.cat.png",
        "splits.csv",
        "log.csv",
    ):
        (folder / name).write_text(name)
    os.symlink("cat.png", folder / "best.png")
    return folder


def begin(command, folder, toy_set, config):
    command, _, resume = command.partition(" ")
    if command == "train":
        train(config, folder, resume=bool(resume), verbose=0)
    elif command == "study":
        run_study(make_settings(toy_set), folder, resume=bool(resume))
    else:
        demo.run_demo(folder, quick=True)


@pytest.mark.parametrize(
    "command",
    ["train", "train --resume", "study", "study --resume", "demo"],
)
def test_it_is_refused_and_stays(photos, toy_set, tiny_config, command):
    before = contents(photos)
    with pytest.raises((FileExistsError, FileNotFoundError)) as error:
        begin(command, photos, toy_set, tiny_config())
    assert str(error.value).isprintable()
    assert contents(photos) == before
