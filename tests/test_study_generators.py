import numpy as np
import pytest
from study_toy import SMALL, make_settings
from toy_run import make_run

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.runs.run import Run
from pet_dcgan.study.data import load_material
from pet_dcgan.study.generators import (
    Place,
    drawn,
    facts,
    places,
    trained_here,
    training_config,
)
from pet_dcgan.training.callbacks import EpochLog

FEW, ALL = Place(34, "axial", "AD"), Place(100, "axial", "AD")


@pytest.fixture(scope="module")
def settings(toy_set):
    return make_settings(toy_set)


@pytest.fixture(scope="module")
def material(settings):
    return load_material(settings)


@pytest.fixture(scope="module")
def trained(settings, material, tmp_path_factory):
    home = tmp_path_factory.mktemp("generators")
    return trained_here(FEW, home, settings, material)


def test_one_generator_a_fraction_plane_and_stage(settings):
    found = places(settings)
    assert len(found) == len(set(found)) == 2 * 1 * 2
    assert FEW.folder == "ad_axial_34"
    assert str(ALL) == "AD axial, 100 % of the subjects"


def test_every_fraction_is_trained_for_as_many_steps(settings, material):
    few, whole = (training_config(p, settings, material) for p in (FEW, ALL))
    # 12 slices of 3 subjects, 4 of one, in batches of 4
    assert (whole.epochs, few.epochs) == (2, 6)
    assert (whole.samples_every, few.samples_every) == (5, 15)
    assert few.select_every == whole.select_every == 0
    assert (few.stage, few.plane, few.seed) == ("AD", "axial", 0)


def test_it_saw_its_fraction_and_nobody_else(trained, material):
    assert trained.finished
    assert set(trained.subjects) == material.subsets[34]["AD"]
    assert set(Run.open(trained.path).subjects) == material.subsets[34]["AD"]


def test_one_that_is_there_is_taken(trained, settings, material):
    before = (trained.path / "generator.keras").stat().st_mtime_ns
    again = trained_here(FEW, trained.path.parent, settings, material)
    assert again.path == trained.path
    assert (trained.path / "generator.keras").stat().st_mtime_ns == before


def test_a_stopped_one_goes_on(settings, material, tmp_path, monkeypatch):
    begin = EpochLog.on_epoch_begin

    def stop(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(EpochLog, "on_epoch_begin", stop)
        with pytest.raises(KeyboardInterrupt):
            trained_here(ALL, tmp_path, settings, material)
    run = trained_here(ALL, tmp_path, settings, material)
    assert len((run.path / "log.csv").read_text().splitlines()) == 1 + 2


@pytest.mark.parametrize(
    ("subjects", "reason"),
    [(["999_S_3004"], "validation or test"), (None, "found others 2")],
)
def test_one_of_other_subjects_is_refused(
    settings, material, tmp_path, subjects, reason
):
    data = settings.data_dir
    make_run(tmp_path / FEW.folder, data, "AD", subjects=subjects)
    with pytest.raises(DataLeakageError, match=reason):
        trained_here(FEW, tmp_path, settings, material)


def test_fewer_slices_than_a_batch_are_found_before(toy_set, material):
    settings = make_settings(toy_set, overrides={"batch_size": 5})
    with pytest.raises(ValueError, match=r"found 4: add --set batch_size=4"):
        training_config(FEW, settings, material)
    assert training_config(ALL, settings, material).batch_size == 5


def test_validation_subjects_do_not_choose_and_stand_trial(toy_set, material):
    settings = make_settings(
        toy_set,
        with_validation=True,
        overrides=SMALL | {"select_every": 1},
    )
    with pytest.raises(ValueError, match="leave out --with-validation"):
        training_config(ALL, settings, material)


def test_images_are_drawn_as_they_would_be_stored(toy_set, tmp_path):
    run = make_run(tmp_path / "ad", toy_set)
    images = drawn(run, count=5, seed=0)
    assert images.dtype == np.uint16
    assert images.shape == (5, 32, 32)
    np.testing.assert_array_equal(images, drawn(run, count=5, seed=0))
    others = drawn(run, count=5, seed=1)
    assert not any((a == b).all() for a in images for b in others)


@pytest.mark.parametrize(
    ("value", "reason"), [(0.0, "one brightness"), (np.nan, "diverged")]
)
def test_a_generator_of_nothing_is_refused(toy_set, tmp_path, value, reason):
    run = make_run(tmp_path / "ad", toy_set)
    generator = run.load_generator()
    generator.set_weights([w * value for w in generator.get_weights()])
    run.save_generator(generator)
    with pytest.raises(ValueError, match=reason):
        drawn(run, count=3, seed=0)


def test_facts_name_nobody_and_no_place(trained):
    found = facts(trained, FEW, given=False)
    assert found == {
        "stage": "AD",
        "plane": "axial",
        "fraction": 34,
        "subjects": 1,
        "trained_by": "the study",
        "preset": "demo",
        "epoch": 6,
        "chosen_by": "last epoch",
    }
    assert facts(trained, FEW, given=True)["trained_by"] == "the user"
