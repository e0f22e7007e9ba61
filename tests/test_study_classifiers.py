import numpy as np
import pytest
from study_toy import make_settings
from toy_run import make_run

from pet_dcgan.study import classifiers
from pet_dcgan.study.classifiers import (
    Cell,
    aggregate_by_subject,
    study_cells,
    train_and_predict,
    uniform_predictions,
)
from pet_dcgan.study.generators import GeneratorSpec
from pet_dcgan.study.settings import ARMS, load_study_data


def two_classes(*ones):
    ones = np.array(ones)
    return np.stack([1 - ones, ones], axis=1)


@pytest.fixture(scope="module")
def data(toy_set):
    return load_study_data(make_settings(toy_set))


@pytest.fixture(scope="module")
def generators(toy_set, tmp_path_factory):
    home = tmp_path_factory.mktemp("runs")
    return {
        GeneratorSpec(100, "axial", stage): make_run(
            home / stage, toy_set, stage
        )
        for stage in ("NC", "AD")
    }


def test_every_arm_fraction_and_seed_once_generators_last(toy_set):
    found = study_cells(make_settings(toy_set, seeds=3))
    assert len(found) == len(set(found)) == 2 * 3 * 4
    needs = [cell.needs_synthetic for cell in found]
    assert needs == sorted(needs)
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


def test_the_order_of_slices_does_not_matter():
    rng = np.random.default_rng(0)
    ones, owners = two_classes(*rng.random(30)), rng.choice(["x", "y"], 30)
    order = rng.permutation(30)
    _, joined = aggregate_by_subject([(ones, owners)])
    _, again = aggregate_by_subject([(ones[order], owners[order])])
    np.testing.assert_allclose(joined, again)


@pytest.mark.parametrize(
    ("planes", "reason"),
    [
        ([], "found none"),
        ([(np.zeros([0, 2]), np.array([]))], "one or more slices"),
        ([(two_classes(0.5), np.array(["a", "b"]))], "and 2"),
        ([(two_classes(1.5), np.array(["a"]))], "from 0 to 1"),
        ([(two_classes(np.nan), np.array(["a"]))], "from 0 to 1"),
    ],
)
def test_probabilities_that_do_not_fit_are_refused(planes, reason):
    with pytest.raises(ValueError, match=reason):
        aggregate_by_subject(planes)


@pytest.mark.parametrize("arm", ARMS)
def test_arms_are_trained_on_what_their_names_say(
    toy_set, data, generators, arm, monkeypatch
):
    monkeypatch.setattr(
        classifiers,
        "generate_stored",
        lambda run, count, seed: np.full([count, 32, 32], 9, np.uint16),
    )
    found = classifiers._training_images(
        Cell(100, 0, arm), "axial", make_settings(toy_set), data, generators
    )
    # every batch has as many images of each group: stage and kind
    is_synthetic = (found.images == 9).all(axis=(1, 2))
    kinds = {*zip(found.labels.tolist(), is_synthetic.tolist(), strict=True)}
    expected = [False] * ("real" in arm) + [True] * ("synthetic" in arm)
    assert kinds == {(label, kind) for label in (0, 1) for kind in expected}
    groups = {*zip(found.groups, found.labels, is_synthetic, strict=True)}
    assert len(groups) == len({*found.groups.tolist()}) == len(kinds)
    assert len(found.images) == 24 * len(expected)


def test_a_control_shuffles_the_labels_of_real_and_synthetic_images(
    toy_set, data, generators
):
    pair = [
        classifiers._training_images(
            Cell(100, 0, "real+synthetic"),
            "axial",
            make_settings(toy_set, shuffle_labels=shuffle),
            data,
            generators,
        )
        for shuffle in (False, True)
    ]
    np.testing.assert_array_equal(pair[0].images, pair[1].images)
    true, shuffled = (found.labels for found in pair)
    for part in (slice(24), slice(24, 48)):
        assert (true[part] != shuffled[part]).any()
        assert sorted(true[part]) == sorted(shuffled[part])
    # a subject's slices share a label
    for subject in np.unique(data.training["axial"].subjects):
        rows = data.training["axial"].subjects == subject
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


def test_uniform_predictions_are_of_the_test_subjects(data):
    found = uniform_predictions(data.test, 2)
    assert found.subjects.tolist() == [
        *("999_S_1004", "999_S_1005"),
        *("999_S_3004", "999_S_3005"),
    ]
    assert found.truth.tolist() == [0, 0, 1, 1]
    assert (found.probabilities == 0.5).all()


def test_the_same_cell_predicts_the_same_bits(toy_set, data, generators):
    first, second = (
        train_and_predict(
            Cell(100, 0, "real+synthetic"),
            settings=make_settings(toy_set, steps=2),
            data=data,
            generators=generators,
        ).probabilities
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first.sum(axis=1), 1)
