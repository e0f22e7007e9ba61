import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage
from toy_brains import subjects_slices

from pet_dcgan.features.encoder import (
    FILE,
    Encoder,
    build_embedding,
    fit_whitening,
)
from pet_dcgan.features.train_encoder import random_encoder, train_encoder
from pet_dcgan.metrics.distribution import kid
from pet_dcgan.references import RECIPE


def make(seed=0, steps=200, subjects=10):
    images, names, positions = subjects_slices(subjects, seed=1)
    return train_encoder(
        images, positions_mm=positions, subjects=names, seed=seed, steps=steps
    )


@pytest.fixture(scope="module")
def trained():
    return make()


@pytest.fixture(scope="module", params=["trained", "random"])
def encoder(request, trained):
    if request.param == "trained":
        return trained
    return random_encoder(subjects_slices(10, seed=1)[0])


@pytest.fixture(scope="module")
def images():
    return subjects_slices(20, seed=2)[0]


@pytest.fixture(scope="module")
def real(encoder):
    """Features of other subjects."""
    return encoder.features(subjects_slices(20, seed=3)[0])


def test_features_are_of_one_scale(encoder):
    found = encoder.features(subjects_slices(10, seed=1)[0])
    assert found.shape == (60, 64)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-4)
    assert 0 < found.std(0).max() < 1.001


def test_an_image_has_its_features_alone_or_in_a_batch(encoder, images):
    together = encoder.features(images[:70])
    alone = np.concatenate([encoder.features(i[None]) for i in images[:3]])
    np.testing.assert_allclose(alone, together[:3], atol=1e-4)


def test_what_was_saved_gives_the_same_bits(encoder, images, tmp_path):
    encoder.save(tmp_path / "encoder")
    loaded = Encoder.load(tmp_path / "encoder")
    np.testing.assert_array_equal(
        loaded.features(images), encoder.features(images)
    )
    assert loaded.facts == encoder.facts
    assert [p.name for p in (tmp_path / "encoder").iterdir()] == [FILE]
    # no subject is named in the file
    assert b"s1_" not in (tmp_path / "encoder" / FILE).read_bytes()


def test_the_facts_say_what_it_is(trained):
    assert trained.facts == {
        "name": "trained",
        "version": 1,
        "recipe": RECIPE,
        "seed": 0,
        "size": 32,
        "scale": pytest.approx(0.6, abs=0.2),
        "features": 64,
        "steps": 200,
        "images": 60,
        "subjects": 10,
    }


def test_a_seed_gives_the_same_encoder_whatever_policy_and_seed_others_set():
    def features():
        encoder = make(seed=3, steps=1, subjects=3)
        kinds = {str(weight.dtype) for weight in encoder.network.weights}
        assert kinds == {"float32"}
        return encoder.features(subjects_slices(2, seed=5)[0])

    def others():
        return random.random(), np.random.random(), float(tf.random.normal([]))

    keras.utils.set_random_seed(7)
    expected = others()
    keras.utils.set_random_seed(7)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        found = features()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert others() == expected
    np.testing.assert_array_equal(found, features())
    one, other = (build_embedding(32, seed=s).get_weights()[0] for s in (3, 4))
    assert (one != other).all()


def test_training_teaches_whose_a_slice_is(trained):
    images, names, _ = subjects_slices(20, seed=2)
    shifts = np.random.default_rng(0).integers(-1, 2, (len(images), 2))
    pairs = zip(images, shifts, strict=True)
    images = np.stack([np.roll(i, shift, (0, 1)) for i, shift in pairs])

    def of_one_subject(encoder):
        found = encoder.features(images)
        distances = np.linalg.norm(found[:, None] - found, axis=-1)
        np.fill_diagonal(distances, np.inf)
        return np.mean(names[distances.argmin(1)] == names)

    assert of_one_subject(trained) > 1.5 * of_one_subject(make(steps=1))


def blurred(images, level):
    return ndimage.gaussian_filter(images, (0, level, level))


def grainy(images, level):
    noise = np.random.default_rng(0).normal(0, level, images.shape)
    return images + noise * (images > 0.05)


def checkered(images, level):
    signs = np.indices(images.shape[1:]).sum(0) % 2 * 2 - 1
    return images * (1 + level * signs)


def fewer(images, level):
    kept = images[: len(images) // level]
    return np.concatenate([kept] * level)


@pytest.mark.parametrize(
    ("change", "levels"),
    [
        (blurred, (0.8, 1.5, 3)),
        (grainy, (0.1, 0.2, 0.3)),
        (checkered, (0.05, 0.1, 0.3)),
        (fewer, (2, 4, 10)),
        (lambda images, level: images * (1 - level), (0.05, 0.1, 0.2)),
    ],
    ids=["blur", "noise", "checkerboard", "missing subjects", "faint"],
)
def test_kid_grows_with_what_is_wrong(encoder, real, images, change, levels):
    worse = [images, *(change(images, level) for level in levels)]
    values = [kid(real, encoder.features(i)).value for i in worse]
    assert np.all(np.diff(values) > 0)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones((2, 16, 16)), r"n, 32, 32.*found shape \(2, 16, 16\)"),
        (np.ones((32, 32)), "n, 32, 32"),
        (np.ones((0, 32, 32)), "found shape"),
        (np.full((1, 32, 32), np.nan), "NaN or infinity"),
    ],
)
def test_images_of_another_kind_are_refused(encoder, bad, message):
    with pytest.raises(ValueError, match=message):
        encoder.features(bad)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images_suvr": np.ones((4, 20, 20))}, "size of 16, 32, 48"),
        ({"images_suvr": np.ones((4, 32, 16))}, "found shape"),
        ({"images_suvr": np.zeros((4, 32, 32))}, "not all of one value"),
        ({"images_suvr": np.full((4, 32, 32), np.inf)}, "NaN or infinity"),
        ({"positions_mm": np.ones(3)}, "each of 4 images, found 3 and 4"),
        ({"positions_mm": np.full(4, np.nan)}, "finite positions"),
        ({"subjects": ["a"]}, "found 4 and 1"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(change, message):
    arguments = {
        "images_suvr": subjects_slices(1, seed=0, slices=4)[0],
        "positions_mm": np.arange(4),
        "subjects": ["a", "a", "b", "b"],
        "seed": 0,
    } | change
    with pytest.raises(ValueError, match=message):
        train_encoder(**arguments)


def test_few_images_make_an_encoder_but_not_one():
    images = subjects_slices(1, seed=0)[0]
    with pytest.raises(ValueError, match="two or more images"):
        random_encoder(images[:1])
    encoder = train_encoder(
        images,
        positions_mm=np.zeros(6),
        subjects=["a"] * 6,
        seed=0,
        steps=1,
    )
    assert np.isfinite(encoder.features(images)).all()


def test_there_must_be_an_encoder_to_load(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"found no .*encoder\.npz"):
        Encoder.load(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "other", "text", "kind"])
def test_a_damaged_file_is_recognised(trained, tmp_path, damage):
    trained.save(tmp_path)
    path = tmp_path / FILE
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "text":
        path.write_text("no archive")
    else:
        with np.load(path) as stored:
            arrays = dict(stored)
        if damage == "other":
            arrays["weight_0"] = arrays["weight_0"][..., :2]
        else:
            arrays["facts"] = np.array('{"name": "inception"}')
        np.savez(path, **arrays)
    with pytest.raises(ValueError, match="found a damaged file") as caught:
        Encoder.load(tmp_path)
    assert "\n" not in str(caught.value)


def correlated(count=300):
    random = np.random.default_rng(0)
    return random.normal(size=(count, 5)) @ random.normal(size=(5, 6)) + 3


def test_training_numbers_become_uncorrelated_and_of_like_spread():
    raw = correlated()
    found = fit_whitening(raw, components=6)(raw)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-5)
    covariance = np.cov(found.astype(float), rowvar=False)
    np.testing.assert_allclose(
        covariance, np.diag(np.diagonal(covariance)), atol=1e-4
    )
    assert covariance.max() < 1
    # the largest come first
    assert np.all(np.diff(found.std(0)) < 1e-6)
    three = fit_whitening(raw, components=3)(raw)
    np.testing.assert_array_equal(three, found[:, :3])


def test_a_value_by_hand():
    # one number of variance 1 once standardised: divided by sqrt(1 + 1)
    whitening = fit_whitening(np.array([[1.0], [3.0]]), components=1)
    found = np.abs(whitening(np.array([[1.0], [3.0], [6.0]])))[:, 0]
    np.testing.assert_allclose(found, np.array([1, 1, 4]) / np.sqrt(2))


def test_scale_and_shift_of_a_number_change_nothing():
    raw = correlated()
    other = raw * [1, 10, 1, 0.1, 1, 1] + [0, 0, 5, 0, 0, 0]
    one = fit_whitening(raw, components=4)(raw)
    two = fit_whitening(other, components=4)(other)
    np.testing.assert_allclose(np.abs(one), np.abs(two), atol=1e-5)


@pytest.mark.parametrize("count", [2, 4])
def test_few_images_and_constant_numbers_give_finite_features(count):
    raw = np.column_stack([correlated(count), np.full(count, 7.0)])
    found = fit_whitening(raw, components=7)(raw + 1)
    assert found.shape == (count, 7)
    assert np.isfinite(found).all()
