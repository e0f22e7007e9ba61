import types
from unittest import mock

import numpy as np
import pytest
from study_toy import SMALL, make_settings, untrained_run
from toy_run import make_run

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.models.networks import build_generator
from pet_dcgan.study import generators
from pet_dcgan.study.generators import (
    GeneratorSpec,
    assign_runs,
    describe,
    generate_stored,
    generator_specs,
    train_generator,
    training_config,
)
from pet_dcgan.study.settings import load_study_data

FEW, ALL = GeneratorSpec(34, "axial", "AD"), GeneratorSpec(100, "axial", "AD")


@pytest.fixture(scope="module")
def settings(toy_set):
    return make_settings(toy_set)


@pytest.fixture(scope="module")
def data(settings):
    return load_study_data(settings)


@pytest.fixture
def made(toy_set, tmp_path):
    """`made("name", "AD", subjects=...)`: a run of that name."""

    def made(name, stage="AD", **changes):
        return untrained_run(tmp_path / name, toy_set, stage, **changes)

    return made


def test_one_generator_per_fraction_plane_and_stage(settings):
    found = generator_specs(settings)
    assert len(found) == len(set(found)) == 2 * 1 * 2
    assert FEW.folder == "ad_axial_34"
    assert str(ALL) == "AD axial, 100 % of the subjects"


def test_every_fraction_is_trained_for_as_many_steps(settings, data):
    few, whole = (training_config(s, settings, data) for s in (FEW, ALL))
    # 12 slices of 3 subjects, 4 of one, in batches of 4
    assert (whole.epochs, few.epochs) == (2, 6)
    assert (whole.samples_every, few.samples_every) == (5, 15)
    assert few.select_every == whole.select_every == 0
    assert (few.stage, few.plane, few.seed) == ("AD", "axial", 0)


def test_a_generator_is_trained_on_its_fraction_once_and_resumed(
    made, settings, data, tmp_path, monkeypatch
):
    resumed = []

    def train(config, path, *, resume, subjects, verbose):
        assert config == training_config(FEW, settings, data)
        assert subjects == data.subsets[34]["AD"]
        resumed.append(resume)
        if not resume:
            return made(path.name, subjects=subjects)
        (path / "generator.keras").touch()
        return generators.Run.open(path)

    train = mock.create_autospec(generators.train, side_effect=train)
    monkeypatch.setattr(generators, "train", train)
    run = train_generator(FEW, tmp_path, settings, data)
    assert run.path == tmp_path / FEW.folder
    (run.path / "generator.keras").unlink()  # as if it had been stopped
    train_generator(FEW, tmp_path, settings, data)
    assert train_generator(FEW, tmp_path, settings, data).path == run.path
    assert resumed == [False, True]


@pytest.mark.parametrize(
    ("subjects", "reason"),
    [(["999_S_3004"], "validation or test"), (None, "found others 2")],
)
def test_an_earlier_generator_of_other_subjects_is_refused(
    made, settings, data, tmp_path, subjects, reason
):
    made(FEW.folder, subjects=subjects)
    with pytest.raises(DataLeakageError, match=reason):
        train_generator(FEW, tmp_path, settings, data)


def test_a_description_has_no_name_and_no_path(made):
    run = made("ad")
    assert describe(run, ALL, given=False) == {
        "stage": "AD",
        "plane": "axial",
        "fraction": 100,
        "subjects": 3,
        "trained_by": "the study",
        "preset": "demo",
        "epoch": run.config.epochs,
        "chosen_by": "last epoch",
    }
    assert describe(run, ALL, given=True)["trained_by"] == "the user"


def test_fewer_slices_than_a_batch_are_refused(toy_set, data):
    settings = make_settings(toy_set, overrides={"batch_size": 5})
    with pytest.raises(ValueError, match=r"found 4: add --set batch_size=4"):
        training_config(FEW, settings, data)
    assert training_config(ALL, settings, data).batch_size == 5


def test_subjects_that_select_a_generator_are_not_tested_on(
    toy_set, data, made
):
    settings = make_settings(
        toy_set, with_validation=True, overrides=SMALL | {"select_every": 1}
    )
    with pytest.raises(ValueError, match="leave out --with-validation"):
        training_config(ALL, settings, data)
    run = made("ad")
    assert assign_runs([run], settings, data)
    object.__setattr__(run.config, "select_every", 1)
    with pytest.raises(ValueError, match="leave out --with-validation"):
        assign_runs([run], settings, data)


def test_images_are_generated_as_a_set_stores_them():
    generator = build_generator(size=32, channels=1, latent_dim=6, width=2)
    generator.set_weights([w * 12 for w in generator.get_weights()])
    run = types.SimpleNamespace(
        path="runs/ad",
        config=types.SimpleNamespace(suvr_max=2.5),
        load_generator=lambda: generator,
    )
    images, again, others = (
        generate_stored(run, count=5, seed=seed) for seed in (0, 0, 1)
    )
    assert images.dtype == np.uint16
    assert images.shape == (5, 32, 32)
    np.testing.assert_array_equal(images, again)
    assert not any((a == b).all() for a in images for b in others)
    generator.set_weights([w * 0 for w in generator.get_weights()])
    with pytest.raises(ValueError, match=r"runs/ad, .* one brightness"):
        generate_stored(run, count=3, seed=0)


def test_runs_go_where_their_subjects_are(made, settings, data):
    few = made("few", subjects=data.subsets[34]["AD"])
    whole = made("whole")
    found = assign_runs([whole, few], settings, data)
    assert found == {FEW: few, ALL: whole}
    # one that began with other stages of the fraction
    warm = made("warm", subjects=data.subjects(34))
    assert list(assign_runs([warm], settings, data)) == [FEW]
    with pytest.raises(ValueError, match="expected one run of AD axial, 34"):
        assign_runs([few, warm], settings, data)


def test_a_run_of_more_than_the_largest_fraction_is_refused(
    toy_set, made, data
):
    settings = make_settings(toy_set, fractions=(34,))
    (allowed,) = data.subsets[34]["AD"]
    outside = sorted({f"999_S_300{i}" for i in range(3)} - {allowed})
    with pytest.raises(DataLeakageError, match=f"2: {', '.join(outside)}"):
        assign_runs([made("ad")], settings, load_study_data(settings))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 64}, "size 32, .*found 64"),
        ({"suvr_max": 3.0}, "suvr_max 2.5, .*found 3.0"),
        ({"reference": "mask"}, "reference brain, .*found mask"),
        ({"phantom": False}, "phantom True, .*found False"),
        ({"plane": "coronal"}, "plane axial, found coronal"),
        ({"stage": "MCI"}, "stage NC or AD, found MCI"),
        ({"subjects": ["999_S_3000", "999_S_3003"]}, "1: 999_S_3003"),
    ],
)
def test_unsuitable_runs_are_refused(made, settings, data, changes, message):
    run = made("run", **{"subjects": ["999_S_3000"]} | changes)
    error = DataLeakageError if "subjects" in changes else ValueError
    with pytest.raises(error, match=message):
        assign_runs([run], settings, data)


def test_an_unfinished_run_is_refused(toy_set, settings, data, tmp_path):
    run = make_run(tmp_path / "run", toy_set, finished=False)
    with pytest.raises(FileNotFoundError, match="expected a finished run"):
        assign_runs([run], settings, data)
