import keras
import numpy as np
import pytest

from pet_dcgan.models.classifier import (
    Fitting,
    Labelled,
    _batches,
    build_classifier,
    slice_probabilities,
    train_classifier,
)
from pet_dcgan.study.classifiers import aggregate_by_subject
from pet_dcgan.study.statistics import Predictions

SHORT = Fitting(steps=60, batch_size=16)


def patterned(subjects, slices, *, seed):
    """A pattern of its own for each subject, with little noise."""
    rng = np.random.default_rng(seed)
    patterns = rng.normal(30_000, 8_000, [subjects, 1, 8, 8])
    noise = rng.normal(0, 2_000, [subjects, slices, 8, 8])
    images = np.kron(patterns + noise, np.ones([4, 4]))
    images = np.clip(images, 0, 65_535).astype(np.uint16)
    return images.reshape(-1, 32, 32), np.repeat(np.arange(subjects), slices)


def separable(count, *, seed):
    """Class 1 is brighter on one side."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = rng.normal(30_000, 2_000, [count, 32, 32])
    images[:, :, :16] += 8_000 * labels[:, None, None]
    return images.astype(np.uint16), labels


@pytest.mark.parametrize(("size", "classes"), [(32, 2), (64, 3), (128, 2)])
def test_images_to_a_logit_a_class_in_float32(size, classes):
    model = build_classifier(size=size, classes=classes)
    assert model.name == "classifier"
    assert model.input_shape == (None, size, size, 1)
    assert model.output_shape == (None, classes)
    assert {v.dtype for v in model.trainable_variables} == {"float32"}


def test_larger_images_are_averaged_down_first():
    small = build_classifier(size=64, classes=2, seed=3)
    large = build_classifier(size=128, classes=2, seed=3)
    for a, b in zip(small.get_weights(), large.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    image = np.random.default_rng(0).random([2, 64, 64, 1], np.float32)
    doubled = image.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(small(image), large(doubled), atol=1e-5)


def test_the_policy_of_a_training_does_not_reach_it():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_classifier(size=32, classes=2)
    finally:
        keras.config.set_dtype_policy(before)
    assert {layer.compute_dtype for layer in model.layers[1:]} == {"float32"}


def test_what_is_trivially_separable_is_separated():
    images, labels = separable(40, seed=0)
    model = train_classifier(
        Labelled(images, labels), classes=2, seed=0, fitting=SHORT
    )
    others, truth = separable(30, seed=1)
    said = slice_probabilities(model, others)
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert (said.argmax(axis=1) == truth).all()


@pytest.mark.parametrize("augment", [False, True])
def test_the_same_seed_gives_the_same_bits(augment):
    images, labels = separable(16, seed=0)
    fitting = Fitting(steps=4, batch_size=8, augment=augment)

    def said(seed):
        model = train_classifier(
            Labelled(images, labels), classes=2, seed=seed, fitting=fitting
        )
        return slice_probabilities(model, images)

    np.testing.assert_array_equal(said(1), said(1))
    assert (said(1) != said(2)).any()


def test_augmentation_changes_what_is_learnt():
    images, labels = separable(16, seed=0)
    said = [
        slice_probabilities(
            train_classifier(
                Labelled(images, labels),
                classes=2,
                seed=0,
                fitting=Fitting(steps=3, batch_size=8, augment=augment),
            ),
            images,
        )
        for augment in (False, True)
    ]
    assert (said[0] != said[1]).any()


def test_every_group_has_an_equal_share_of_a_batch():
    groups = np.array([0] * 2 + [1] * 50 + [2] * 7)
    rng = np.random.default_rng(0)
    fitting = Fitting(steps=20, batch_size=12)
    rows = list(_batches(groups, fitting, rng))
    assert len(rows) == 20
    for chosen in rows:
        assert np.bincount(groups[chosen]).tolist() == [4, 4, 4]
    # one pass after another: nobody of a group is left out or favoured
    times = np.bincount(np.concatenate(rows), minlength=len(groups))
    for group in range(3):
        assert np.ptp(times[groups == group]) <= 1


def test_random_labels_of_subjects_stay_at_chance_and_of_slices_do_not():
    """By subject nothing can be learnt; by slice, that each is of somebody."""
    areas, leaked = [], []
    for seed in range(3):
        images, owners = patterned(24, 6, seed=seed)
        dealt = np.random.default_rng(seed).permutation(np.arange(24) % 2)
        labels = dealt[owners]
        by_subject = owners < 12
        by_slice = np.arange(len(owners)) % 6 < 3
        for train, found in ((by_subject, areas), (by_slice, leaked)):
            if len(set(labels[train])) < 2:
                continue
            model = train_classifier(
                Labelled(images[train], labels[train]),
                classes=2,
                seed=seed,
                fitting=SHORT,
            )
            said = slice_probabilities(model, images[~train])
            names, joined = aggregate_by_subject([(said, owners[~train])])
            predictions = Predictions(names, dealt[names], joined)
            found.append(predictions.scores()["auc"])
    assert abs(np.mean(areas) - 0.5) < 0.2
    assert np.mean(leaked) > 0.95


def test_what_cannot_be_learnt_from_is_refused():
    images, labels = separable(4, seed=0)
    with pytest.raises(ValueError, match="uint16"):
        Labelled(images.astype(np.float32), labels)
    with pytest.raises(ValueError, match="4 images, 3 labels"):
        Labelled(images, labels[:3])
    with pytest.raises(ValueError, match=r"found \[0, 1\]"):
        train_classifier(Labelled(images, labels), classes=3, seed=0)
    with pytest.raises(ValueError, match="found 40 and 2"):
        build_classifier(size=40, classes=2)


@pytest.mark.parametrize(
    "changes",
    [{"steps": 0}, {"batch_size": 0}, {"dropout": 1}, {"learning_rate": 0}],
)
def test_settings_that_cannot_be_are_refused(changes):
    with pytest.raises(ValueError, match="expected"):
        Fitting(**changes)
