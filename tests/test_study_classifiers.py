import dataclasses

import numpy as np
import pytest
from study_toy import make_settings

from pet_dcgan.study import classifiers
from pet_dcgan.study.classifiers import aggregate_by_subject, study_cells
from pet_dcgan.study.data import load_study_data
from pet_dcgan.study.generators import GeneratorSpec
from pet_dcgan.study.settings import ARMS, Cell


def two_classes(*ones):
    ones = np.array(ones)
    return np.stack([1 - ones, ones], axis=1)


@pytest.fixture(scope="module")
def data(toy_set):
    return load_study_data(make_settings(toy_set))


@pytest.fixture
def training_images(data, monkeypatch):
    """`training_images(arm)`: a classifier's; synthetic ones are all 9."""

    def generate_stored(run, *, count, seed, stage, plane):
        assert run == ("all" if conditional else stage)
        return np.full([count, 32, 32], 9, np.uint16)

    monkeypatch.setattr(classifiers, "generate_stored", generate_stored)
    runs = {
        GeneratorSpec(0, 0, 100, "axial", stage): stage
        for stage in ("NC", "AD")
    }
    runs[GeneratorSpec(0, 0, 100, "axial", "ALL")] = "all"
    conditional = False

    def training_images(arm, **changes):
        nonlocal conditional
        conditional = "conditional" in arm
        changed = dataclasses.replace(
            data, settings=dataclasses.replace(data.settings, **changes)
        )
        cell = Cell(0, 0, 100, arm)
        return classifiers._training_images(cell, "axial", changed, runs)

    return training_images


def test_every_arm_of_a_repetition_comes_before_the_next(toy_set):
    both = ("conditional", "separate")
    settings = make_settings(toy_set, splits=2, seeds=3, generators=both)
    found = study_cells(settings)
    assert len(found) == len(set(found)) == 2 * 3 * 2 * 6
    order = [(c.split, c.seed, c.needs_synthetic) for c in found]
    assert order == sorted(order)
    assert {c.arm for c in found if c.needs_synthetic} == set(ARMS[2:])


def test_slices_of_a_subject_are_averaged_and_planes_weigh_the_same():
    axial = two_classes(0.2, 0.9, 0.4), np.array(["b", "a", "b"])
    names, joined = aggregate_by_subject([axial])
    assert names.tolist() == ["a", "b"]
    np.testing.assert_allclose(joined, two_classes(0.9, 0.3))
    coronal = two_classes(0.1, 0.5), np.array(["a", "c"])
    names, joined = aggregate_by_subject([axial, coronal])
    assert names.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(joined[:, 1], [0.5, 0.3, 0.5])


@pytest.mark.parametrize("value", [1.5, np.nan])
def test_what_is_no_probability_is_refused(value):
    with pytest.raises(ValueError, match="from 0 to 1"):
        aggregate_by_subject([(two_classes(value), np.array(["a"]))])


@pytest.mark.parametrize("arm", ARMS)
def test_arms_are_trained_on_what_their_names_say(training_images, arm):
    found = training_images(arm)
    # every batch has as many images of each group: stage and kind
    is_synthetic = (found.images == 9).all(axis=(1, 2))
    kinds = {*zip(found.labels.tolist(), is_synthetic.tolist(), strict=True)}
    drawn = "synthetic" in arm or "conditional" in arm
    expected = [False] * ("real" in arm) + [True] * drawn
    assert kinds == {(label, kind) for label in (0, 1) for kind in expected}
    groups = {*zip(found.groups, found.labels, is_synthetic, strict=True)}
    assert len(groups) == len({*found.groups.tolist()}) == len(kinds)
    assert len(found.images) == 24 * len(expected)


def test_a_control_shuffles_the_labels_of_real_and_synthetic_images(
    training_images, data
):
    pair = [
        training_images("real+synthetic", shuffle_labels=shuffle)
        for shuffle in (False, True)
    ]
    np.testing.assert_array_equal(pair[0].images, pair[1].images)
    true, shuffled = (found.labels for found in pair)
    for part in (slice(24), slice(24, 48)):
        assert (true[part] != shuffled[part]).any()
        assert sorted(true[part]) == sorted(shuffled[part])
    # a subject's slices share a label
    real = data.slices["axial"].of(data.splits[0].training)
    for subject in np.unique(real.subjects):
        rows = real.subjects == subject
        assert len(set(shuffled[:24][rows])) == 1


def test_labels_are_shuffled_among_owners_as_many_as_before():
    owners = np.repeat(np.arange(20), 3)
    labels = (owners < 12).astype(int)
    shuffle = classifiers._shuffle_by_owner
    found = shuffle(labels, owners, seed=0)
    by_owner = found.reshape(20, 3)
    assert (by_owner == by_owner[:, :1]).all()
    assert by_owner[:, 0].sum() == 12
    assert (found != labels).any()
    np.testing.assert_array_equal(found, shuffle(labels, owners, seed=0))
    assert (found != shuffle(labels, owners, seed=1)).any()


@pytest.mark.parametrize(
    ("generators", "arms"),
    [
        (("separate",), ("real+synthetic", "synthetic")),
        (("conditional",), ("real+conditional", "conditional")),
    ],
)
def test_arms_are_those_of_the_generators(toy_set, generators, arms):
    settings = make_settings(toy_set, generators=generators)
    found = {cell.arm for cell in study_cells(settings)}
    assert found == {"real", "real+augmentation", *arms}
