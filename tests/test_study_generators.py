import dataclasses
import types
from unittest import mock

import numpy as np
import pytest
from study_toy import SMALL, make_settings, untrained_run
from toy_run import make_run

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.models.networks import build_generator
from pet_dcgan.study import generators
from pet_dcgan.study.data import load_study_data
from pet_dcgan.study.generator_kid import KID_LIMIT, kid_summary
from pet_dcgan.study.generator_specs import GeneratorSpec, generator_specs
from pet_dcgan.study.generators import (
    describe,
    generate_stored,
    train_generator,
    training_config,
)
from pet_dcgan.study.given_runs import assign_runs

FEW = GeneratorSpec(0, 0, 34, "axial", "AD")
ALL = dataclasses.replace(FEW, fraction=100)


@pytest.fixture(scope="module")
def data(toy_set):
    return load_study_data(make_settings(toy_set))


@pytest.fixture(scope="module")
def three(toy_set):
    """Three splits, in each of which all is repeated once."""
    return load_study_data(make_settings(toy_set, splits=3, seeds=2))


def with_settings(data, **changes):
    """The same subjects and slices under other settings."""
    changed = dataclasses.replace(data.settings, **changes)
    return dataclasses.replace(data, settings=changed)


@pytest.fixture
def made(toy_set, tmp_path):
    """`made("name", "AD", subjects=...)`: a run of that name."""

    def made(name, stage="AD", **changes):
        return untrained_run(tmp_path / name, toy_set, stage, **changes)

    return made


def test_one_generator_per_repetition_fraction_plane_and_stage(three):
    found = generator_specs(three.settings)
    assert len(found) == len(set(found)) == 3 * 2 * 2 * 1 * 2
    assert len({spec.folder for spec in found}) == len(found)
    assert FEW.folder == "split_0/generators/ad_axial_34_0"
    assert str(ALL) == "AD axial, 100 % of the subjects"


def test_every_fraction_is_trained_for_as_many_steps(data):
    few, whole = (training_config(spec, data) for spec in (FEW, ALL))
    # 12 slices of 3 subjects, 4 of one, in batches of 4
    assert (whole.epochs, few.epochs) == (2, 6)
    assert (whole.samples_every, few.samples_every) == (5, 15)
    # the last one is measured
    assert (whole.select_every, few.select_every) == (2, 6)
    assert (few.stage, few.plane, few.seed) == ("AD", "axial", 0)
    selected = with_settings(data, overrides=SMALL | {"select_every": 1})
    few, whole = (training_config(spec, selected) for spec in (FEW, ALL))
    assert (whole.select_every, few.select_every) == (1, 3)


def test_without_epochs_every_generator_takes_the_studys_steps(data):
    others = {k: v for k, v in SMALL.items() if k != "epochs"}
    study = with_settings(data, overrides=others, generator_steps=7)
    few, whole = (training_config(spec, study) for spec in (FEW, ALL))
    # batches of 4 out of 4 and of 12 slices
    assert (few.epochs, whole.epochs) == (7, 3)
    # every 5 of the preset's 50 epochs, and never more often than each
    assert (few.samples_every, whole.samples_every) == (1, 1)


def test_every_repetition_has_a_generator_of_another_seed(three):
    configs = [
        training_config(spec, three)
        for spec in generator_specs(three.settings)
        if (spec.stage, spec.fraction) == ("AD", 100)
    ]
    assert len({config.seed for config in configs}) == len(configs) == 6


@pytest.mark.parametrize("splits", [1, 3])
def test_a_generator_is_trained_on_its_fraction_once_and_resumed(
    made, data, three, tmp_path, monkeypatch, splits
):
    study = data if splits == 1 else three
    resumed = []

    def train(config, path, *, resume, subjects, validation, verbose):
        assert config == training_config(FEW, study)
        assert subjects == study.subjects(FEW, "AD")
        # the set's own ones need not be named
        own = None if splits == 1 else study.validation(0, "AD")
        assert validation == own
        resumed.append(resume)
        if not resume:
            folder = path.relative_to(tmp_path)
            return made(folder, subjects=subjects, validation=validation or ())
        (path / "generator.keras").touch()
        return generators.Run.open(path)

    train = mock.create_autospec(generators.train, side_effect=train)
    monkeypatch.setattr(generators, "train", train)
    run = train_generator(FEW, tmp_path, study)
    assert run.path == tmp_path / FEW.folder
    (run.path / "generator.keras").unlink()  # as if it had been stopped
    train_generator(FEW, tmp_path, study)
    assert train_generator(FEW, tmp_path, study).path == run.path
    assert resumed == [False, True]


@pytest.mark.parametrize(
    ("subjects", "reason"),
    [(["999_S_3004"], "validation or test"), (None, "found others 2")],
)
def test_an_earlier_generator_of_other_subjects_is_refused(
    made, data, tmp_path, subjects, reason
):
    made(FEW.folder, subjects=subjects)
    with pytest.raises(DataLeakageError, match=reason):
        train_generator(FEW, tmp_path, data)


def test_a_generator_measured_by_test_subjects_is_refused(
    made, three, tmp_path
):
    own = three.subjects(FEW, "AD")
    tested = sorted(three.splits[0].test)[:1]
    made(FEW.folder, subjects=own, validation=tested)
    with pytest.raises(DataLeakageError, match=f"1: {tested[0]}"):
        train_generator(FEW, tmp_path, three)


def test_a_description_has_no_name_and_no_path(made):
    run = made("ad")
    assert describe(run, ALL, given=False) == {
        "split": 0,
        "seed": 0,
        "stage": "AD",
        "plane": "axial",
        "fraction": 100,
        "subjects": 3,
        "trained_by": "the study",
        "preset": "demo",
        "epoch": run.config.epochs,
        "chosen_by": "last epoch",
        "val_kid": None,
        "standard_error": None,
        "suspects": None,
    }
    assert describe(run, ALL, given=True)["trained_by"] == "the user"


def described(*values):
    names = dataclasses.asdict(ALL)
    return [names | {"seed": n, "val_kid": v} for n, v in enumerate(values)]


def test_generators_above_the_limit_are_named():
    limit = KID_LIMIT
    found = kid_summary(described(0.1, limit, limit + 0.01, None))
    assert (found["measured"], found["above"]) == (3, 1)
    assert (found["median"], found["worst"]) == (limit, limit + 0.01)
    assert "Not good enough to judge synthetic images by" in found["words"]
    assert "split 0 seed 2 AD axial 100 %" in found["words"]
    assert "seed 1" not in found["words"]
    good = kid_summary(described(0.1, limit))["words"]
    assert "worst" in good
    assert "Not good enough" not in good
    many = kid_summary(described(*[limit + 1] * 7))["words"]
    assert "and 2 more" in many


@pytest.mark.parametrize("values", [[], [None]])
def test_where_no_generator_was_measured_it_is_said(values):
    found = kid_summary(described(*values))
    assert (found["median"], found["worst"], found["measured"]) == (
        *(None, None),
        0,
    )
    assert found["words"] == "The KID of no generator was measured."


def test_fewer_slices_than_a_batch_are_refused(data):
    large = with_settings(data, overrides={"batch_size": 5})
    with pytest.raises(ValueError, match=r"found 4: add --set batch_size=4"):
        training_config(FEW, large)
    assert training_config(ALL, large).batch_size == 5


def test_images_are_generated_as_a_set_stores_them():
    generator = build_generator(size=32, channels=1, latent_dim=6, width=2)
    generator.set_weights([w * 12 for w in generator.get_weights()])
    run = types.SimpleNamespace(
        path="runs/ad",
        config=types.SimpleNamespace(suvr_max=2.5),
        conditions=None,
        load_generator=lambda: generator,
    )
    what = {"stage": "AD", "plane": "axial"}
    images, again, others = (
        generate_stored(run, count=5, seed=seed, **what) for seed in (0, 0, 1)
    )
    assert images.dtype == np.uint16
    assert images.shape == (5, 32, 32)
    np.testing.assert_array_equal(images, again)
    assert not any((a == b).all() for a in images for b in others)
    generator.set_weights([w * 0 for w in generator.get_weights()])
    with pytest.raises(ValueError, match=r"runs/ad, .* one brightness"):
        generate_stored(run, count=3, seed=0, **what)


def test_runs_go_where_their_subjects_are(made, data):
    few = made("few", subjects=data.subjects(FEW, "AD"))
    whole = made("whole")
    assert assign_runs([whole, few], data) == {FEW: few, ALL: whole}
    with pytest.raises(ValueError, match="expected 1 runs or fewer of AD"):
        assign_runs([few, few], data)


def test_runs_of_the_same_subjects_serve_in_other_repetitions(made, three):
    spec = dataclasses.replace(ALL, split=1)
    own = three.subjects(spec, "AD")
    runs = [made(name, subjects=own) for name in "abc"]
    found = assign_runs(runs[:2], three)
    assert list(found) == [spec, dataclasses.replace(spec, seed=1)]
    with pytest.raises(ValueError, match="expected 2 runs or fewer of AD"):
        assign_runs(runs, three)


def test_a_run_that_fits_in_no_split_is_refused(made, three):
    # those whom the set trains on are tested in one of the splits each
    with pytest.raises(DataLeakageError, match=r"--splits 1 tests the set's"):
        assign_runs([made("ad")], three)
    own = three.subjects(ALL, "AD")
    chosen = made("chosen", subjects=own, validation=three.splits[0].test)
    with pytest.raises(DataLeakageError, match="validation or test"):
        assign_runs([chosen], three)


def test_a_run_of_more_than_the_largest_fraction_is_refused(made, data):
    few = with_settings(data, fractions=(34,))
    (allowed,) = few.subjects(FEW, "AD")
    outside = sorted({f"999_S_300{i}" for i in range(3)} - {allowed})
    with pytest.raises(DataLeakageError, match=f"2: {', '.join(outside)}"):
        assign_runs([made("ad")], few)


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
def test_unsuitable_runs_are_refused(made, data, changes, message):
    run = made("run", **{"subjects": ["999_S_3000"]} | changes)
    error = DataLeakageError if "subjects" in changes else ValueError
    with pytest.raises(error, match=message):
        assign_runs([run], data)


def test_an_unfinished_run_is_refused(toy_set, data, tmp_path):
    run = make_run(tmp_path / "run", toy_set, finished=False)
    with pytest.raises(FileNotFoundError, match="expected a finished run"):
        assign_runs([run], data)
