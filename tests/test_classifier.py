import keras
import numpy as np
import pytest

from pet_dcgan.models.classifier import (
    Labelled,
    _batches,
    build_classifier,
    slice_probabilities,
    train_classifier,
)
from pet_dcgan.study.classifiers import aggregate_by_subject
from pet_dcgan.study.scores import Predictions


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
def test_images_to_a_logit_per_class_in_float32(size, classes):
    before = keras.config.dtype_policy()
    # the policy of a training does not reach it
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_classifier(size=size, classes=classes)
    finally:
        keras.config.set_dtype_policy(before)
    assert model.name == "classifier"
    assert model.input_shape == (None, size, size, 1)
    assert model.output_shape == (None, classes)
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert {layer.compute_dtype for layer in model.layers[1:]} == {"float32"}


def test_larger_images_are_averaged_down_first():
    small = build_classifier(size=64, classes=2, seed=3)
    large = build_classifier(size=128, classes=2, seed=3)
    for a, b in zip(small.get_weights(), large.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    image = np.random.default_rng(0).random([2, 64, 64, 1], np.float32)
    doubled = image.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(small(image), large(doubled), atol=1e-5)


def test_what_is_trivially_separable_is_separated():
    images, labels = separable(40, seed=0)
    model = train_classifier(
        Labelled(images, labels), classes=2, seed=0, steps=40
    )
    others, truth = separable(30, seed=1)
    said = slice_probabilities(model, others)
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert (said.argmax(axis=1) == truth).all()


def test_the_seed_and_augmentation_fix_what_is_learnt():
    labelled = Labelled(*separable(16, seed=0))

    def weights(seed, augment):
        options = {"seed": seed, "steps": 2, "augment": augment}
        model = train_classifier(labelled, classes=2, **options)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    augmented = weights(1, augment=True)
    np.testing.assert_array_equal(augmented, weights(1, augment=True))
    assert (augmented != weights(1, augment=False)).any()
    assert (augmented != weights(2, augment=True)).any()


def test_every_group_has_an_equal_share_of_a_batch():
    groups = np.array([0] * 2 + [1] * 50 + [2] * 7)
    rows = list(_batches(groups, 20, np.random.default_rng(0)))
    assert len(rows) == 20
    for chosen in rows:
        assert np.bincount(groups[chosen]).tolist() == [10, 10, 10]
    # one pass after another: nobody of a group is left out or favoured
    times = np.bincount(np.concatenate(rows), minlength=len(groups))
    for group in range(3):
        assert np.ptp(times[groups == group]) <= 1


def test_random_labels_of_subjects_stay_at_chance_and_of_slices_do_not():
    """By subject nothing can be learnt; by slice, that each is of somebody."""
    images, owners = patterned(24, 6, seed=0)
    dealt = np.random.default_rng(0).permutation(np.arange(24) % 2)
    labels = dealt[owners]
    areas = []
    for train in (owners < 12, np.arange(len(owners)) % 6 < 3):
        labelled = Labelled(images[train], labels[train])
        model = train_classifier(labelled, classes=2, seed=0, steps=60)
        said = slice_probabilities(model, images[~train])
        names, joined = aggregate_by_subject([(said, owners[~train])])
        predictions = Predictions(names, dealt[names], joined)
        areas.append(predictions.scores()["auc"])
    assert abs(areas[0] - 0.5) < 0.3
    assert areas[1] > 0.95


def test_what_cannot_be_learnt_from_is_refused():
    images, labels = separable(4, seed=0)
    with pytest.raises(ValueError, match="uint16"):
        Labelled(images.astype(np.float32), labels)
    with pytest.raises(ValueError, match="4 images, 3 labels"):
        Labelled(images, labels[:3])
    with pytest.raises(ValueError, match=r"found \[0, 1\]"):
        train_classifier(Labelled(images, labels), classes=3, seed=0)
    with pytest.raises(ValueError, match="steps above 0, found 0"):
        train_classifier(Labelled(images, labels), classes=2, seed=0, steps=0)
    with pytest.raises(ValueError, match="found 40 and 2"):
        build_classifier(size=40, classes=2)
