import numpy as np
import pytest

from pet_dcgan import sampling
from pet_dcgan.intensity import suvr_from_network, to_single_channel
from pet_dcgan.networks import build_generator
from pet_dcgan.sampling import synthetic_slices
from pet_dcgan.serving.latent import latents_from_seeds


@pytest.fixture(scope="module")
def generator():
    model = build_generator(size=32, channels=3, latent_dim=6, width=4)
    model.set_weights([w * 12 for w in model.get_weights()])
    return model


def test_scale_is_that_of_intensity(generator):
    found = synthetic_slices(generator, np.arange(3), suvr_max=2.5)
    latents = latents_from_seeds(np.arange(3), 6)
    images = generator.predict(latents, verbose=0)
    expected = suvr_from_network(to_single_channel(images), 2.5)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.dtype == np.float32
    assert found.std() > 0.01


def test_chunks_change_nothing(generator, monkeypatch):
    seeds = np.array([7, 3, 900, 1, 2])
    whole = synthetic_slices(generator, seeds, suvr_max=2.5)
    monkeypatch.setattr(sampling, "CHUNK", 2)
    parts = synthetic_slices(generator, seeds, suvr_max=2.5)
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_batch_statistics_are_not_touched(generator):
    before = [w.copy() for w in generator.get_weights()]
    synthetic_slices(generator, np.arange(4), suvr_max=2.5)
    for old, new in zip(before, generator.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_nan_is_refused():
    model = build_generator(size=32, channels=1, latent_dim=6, width=4)
    model.set_weights([w * np.nan for w in model.get_weights()])
    with pytest.raises(ValueError, match="train again"):
        synthetic_slices(model, np.arange(1), suvr_max=2.5)
