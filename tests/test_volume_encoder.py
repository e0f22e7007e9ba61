"""Features of volumes: those of three orthogonal cuts, joined."""

import numpy as np
import pytest
from scipy import ndimage
from toy_brains import subjects_slices
from toy_volumes import subjects_volumes

from pet_dcgan.features.encoder import FILE, Encoder
from pet_dcgan.features.train_encoder import random_encoder
from pet_dcgan.features.volume_encoder import (
    VolumeEncoder,
    random_volume_encoder,
    train_volume_encoder,
)
from pet_dcgan.metrics.distribution import kid


def make(seed=0, steps=60):
    volumes, names = subjects_volumes(10, seed=1, each=2)
    return train_volume_encoder(volumes, subjects=names, seed=seed, steps=steps)


@pytest.fixture(scope="module")
def trained():
    return make()


@pytest.fixture(scope="module", params=["trained", "random"])
def encoder(request, trained):
    if request.param == "trained":
        return trained
    return random_volume_encoder(subjects_volumes(10, seed=1)[0])


@pytest.fixture(scope="module")
def volumes():
    return subjects_volumes(20, seed=2)[0]


@pytest.fixture(scope="module")
def real(encoder):
    """Features of other subjects."""
    return encoder.features(subjects_volumes(20, seed=3)[0])


def test_features_are_of_one_scale(trained):
    found = trained.features(subjects_volumes(10, seed=1, each=2)[0])
    assert found.shape == (20, 192)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-4)
    assert 0 < found.std(0).max() < 1.001


def test_a_volume_has_its_features_alone_or_in_a_batch(encoder, volumes):
    together = encoder.features(volumes)
    alone = np.concatenate([encoder.features(v[None]) for v in volumes[:2]])
    np.testing.assert_allclose(alone, together[:2], atol=1e-4)


def test_what_was_saved_gives_the_same_bits(encoder, volumes, tmp_path):
    encoder.save(tmp_path)
    loaded = VolumeEncoder.load(tmp_path)
    np.testing.assert_array_equal(
        loaded.features(volumes), encoder.features(volumes)
    )
    assert loaded.facts == encoder.facts
    # no subject is named in the file
    assert b"v1_" not in (tmp_path / FILE).read_bytes()


def test_the_facts_say_what_it_is(trained):
    assert trained.facts == {
        "name": "trained",
        "version": 1,
        "recipe": trained.facts["recipe"],
        "seed": 0,
        "size": 32,
        "scale": pytest.approx(0.6, abs=0.2),
        "features": 192,
        "steps": 60,
        "images": 20,
        "subjects": 10,
    }


def test_the_same_seed_gives_the_same_encoder(trained, volumes):
    again = make(steps=60).features(volumes[:3])
    np.testing.assert_array_equal(again, trained.features(volumes[:3]))


def flickering(volumes):
    """Axial slices of levels of their own: a stack that flickers."""
    random = np.random.default_rng(0)
    return volumes * random.normal(1, 0.3, [len(volumes), 1, 1, 32])


def blurred(volumes):
    return ndimage.gaussian_filter(volumes, (0, 1.5, 1.5, 1.5))


def few_subjects(volumes):
    return np.repeat(volumes[:4], 5, axis=0)


@pytest.mark.parametrize("change", [flickering, blurred, few_subjects])
def test_the_kid_notices(change, encoder, volumes, real):
    usual = kid(real, encoder.features(volumes)).value
    assert kid(real, encoder.features(change(volumes))).value > usual + 0.05


def test_an_encoder_of_slices_is_not_one_of_volumes(trained, tmp_path):
    random_encoder(subjects_slices(4, seed=1)[0]).save(tmp_path / "slices")
    with pytest.raises(ValueError, match="found a damaged file"):
        VolumeEncoder.load(tmp_path / "slices")
    trained.save(tmp_path / "volumes")
    with pytest.raises(ValueError, match="found a damaged file"):
        Encoder.load(tmp_path / "volumes")


@pytest.mark.parametrize(
    ("volumes", "subjects", "message"),
    [
        (np.ones([2, 32, 32]), list("ab"), r"volumes \[n, size, size, size\]"),
        (np.ones([2, 24, 24, 24]), list("ab"), "a size of 16, 32"),
        (np.ones([2, 32, 32, 32]), list("a"), "each of 2 volumes, found 1"),
        (np.zeros([2, 32, 32, 32]), list("ab"), "not all of one value"),
        (np.full([2, 32, 32, 32], np.nan), list("ab"), "NaN or infinity"),
    ],
)
def test_bad_input_is_refused(volumes, subjects, message):
    with pytest.raises(ValueError, match=message):
        train_volume_encoder(volumes, subjects=subjects, seed=0, steps=1)


def test_volumes_of_another_size_are_refused(trained):
    with pytest.raises(ValueError, match=r"\[n, 32, 32, 32\]"):
        trained.features(np.ones([1, 16, 16, 16]))
