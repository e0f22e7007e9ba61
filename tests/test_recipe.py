"""What another recipe of place and scale made is refused, by each command."""

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from pet_dcgan.features.encoder import FILE, Encoder, build_random
from pet_dcgan.references import RECIPE, RecipeError, require_recipe
from tfds_adni import Builder


def refused(*words):
    """The line that a command ends with."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.stderr
    return result.stderr.strip().splitlines()[-1]


@pytest.fixture
def earlier_set(toy_set, tmp_path):
    """A set of the recipe before."""
    folder = tmp_path / "data" / "adni" / "axial_32" / "1.0.0"
    shutil.copytree(
        toy_set / "adni" / "axial_32" / str(Builder.VERSION), folder
    )
    info = folder / "dataset_info.json"
    info.write_text(info.read_text().replace(f'"{Builder.VERSION}"', '"1.0.0"'))
    return tmp_path / "data"


@pytest.fixture
def earlier_run(make_run):
    """A run whose configuration says nothing of a recipe, as it once did."""
    run = make_run("AD")
    path = run.path / "config.json"
    values = json.loads(path.read_text())
    del values["recipe"]
    path.write_text(json.dumps(values))
    return run.path


def test_both_packages_have_one_recipe():
    assert Builder.VERSION.major == RECIPE
    assert str(Builder.VERSION) in Builder.RELEASE_NOTES


def test_the_message_has_what_was_expected_and_found_and_the_remedy():
    require_recipe(RECIPE, "a set", remedy="prepare it")
    message = rf"expected a set .* {RECIPE} .*, found recipe 1: prepare it"
    with pytest.raises(RecipeError, match=message):
        require_recipe(1, "a set", remedy="prepare it")


def test_train_and_study_refuse_an_earlier_set(earlier_set, tmp_path):
    where = "--data-dir", earlier_set, "--config", "axial_32"
    train = refused("train", *where, "--stage", "AD", "--run", tmp_path / "r")
    study = refused("study", *where, "--out", tmp_path / "study")
    for line in (train, study):
        assert "found recipe 1: prepare it again with pet-dcgan" in line
        assert "axial_32/1.0.0" in line
    assert not (tmp_path / "r").exists()


def test_a_later_set_is_refused_too(earlier_set, tmp_path):
    folder = earlier_set / "adni" / "axial_32" / "1.0.0"
    folder.rename(folder.with_name("3.0.0"))
    where = "--data-dir", earlier_set, "--config", "axial_32"
    line = refused("train", *where, "--stage", "AD", "--run", tmp_path / "r")
    assert "found recipe 3" in line


@pytest.mark.parametrize("command", ["evaluate", "export", "study"])
def test_an_earlier_run_is_refused(command, earlier_run, toy_set, tmp_path):
    words = {
        "evaluate": ("evaluate", earlier_run),
        "export": ("export", earlier_run, "--to", tmp_path / "models"),
        "study": (
            *("study", "--data-dir", toy_set, "--config", "axial_32"),
            *("--out", tmp_path / "study", "--runs", earlier_run),
            *("--splits", 3),
        ),
    }
    line = refused(*words[command])
    assert "found recipe 1: prepare the data set again and train" in line
    assert str(earlier_run) in line
    assert not (tmp_path / "models").exists()


def test_an_encoder_of_an_earlier_recipe_is_refused(make_run):
    run = make_run("AD")
    folder = run.path / "encoder"
    folder.mkdir()
    facts = {"name": "random", "version": 1, "seed": 0, "size": 32}
    weights = build_random(32, seed=0).get_weights()
    np.savez(
        folder / FILE,
        facts=json.dumps(facts | {"scale": 1.0}),
        mean=0.0,
        basis=0.0,
        **{f"weight_{i}": array for i, array in enumerate(weights)},
    )
    with pytest.raises(RecipeError, match=r"encoder .* found recipe 1: remove"):
        Encoder.load(folder)
    assert "found recipe 1: remove it" in refused("evaluate", run.path)
