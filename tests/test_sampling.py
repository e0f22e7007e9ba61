import numpy as np
import pytest

from pet_dcgan.data.suvr import suvr_from_network
from pet_dcgan.models import sampling
from pet_dcgan.models.latents import latents_from_seeds
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.sampling import synthetic_slices


@pytest.fixture(scope="module")
def generator():
    model = build_generator(size=32, channels=3, latent_dim=6, width=4)
    model.set_weights([w * 12 for w in model.get_weights()])
    return model


def test_scale_is_that_of_intensity(generator):
    found = synthetic_slices(generator, np.arange(3), suvr_max=2.5)
    latents = latents_from_seeds(np.arange(3), 6)
    images = generator.predict(latents, verbose=0)
    expected = suvr_from_network(images.mean(-1, dtype=np.float32), 2.5)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.dtype == np.float32
    assert found.std() > 0.01


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 64])
def test_a_slice_is_the_same_bits_whatever_else_is_asked_for(generator, rows):
    seeds = np.arange(5, 5 + 128)
    whole = synthetic_slices(generator, seeds, suvr_max=2.5)
    for start in (0, 40, 64):
        asked = seeds[start : start + rows]
        found = synthetic_slices(generator, asked, suvr_max=2.5)
        np.testing.assert_array_equal(found, whole[start : start + rows])


def test_order_and_gaps_change_no_bit(generator):
    whole = synthetic_slices(generator, np.arange(200), suvr_max=2.5)
    seeds = np.array([199, 3, 64, 0, 63, 130])
    found = synthetic_slices(generator, seeds, suvr_max=2.5)
    np.testing.assert_array_equal(found, whole[seeds])
    assert len(np.unique(found, axis=0)) == len(seeds)


def test_the_same_shape_is_computed_each_time(generator, monkeypatch):
    """What makes the bits the same, on processors that are not at hand."""
    computed = []
    draw = sampling.suvr_from_latents

    def note(network, latents, suvr_max):
        computed.append(latents.numpy())
        return draw(network, latents, suvr_max)

    monkeypatch.setattr(sampling, "suvr_from_latents", note)
    for seeds in ([70], [100, 64, 127], [127, 70]):
        synthetic_slices(generator, np.array(seeds), suvr_max=2.5)
    assert [each.shape for each in computed] == [(64, 6)] * 3
    np.testing.assert_array_equal(computed[0], computed[1])
    np.testing.assert_array_equal(computed[0], computed[2])
    expected = latents_from_seeds(np.arange(64, 128), 6)
    np.testing.assert_array_equal(computed[0], expected)


def test_largest_seed(generator):
    seeds = np.array([2**63 - 1, 2**63 - 2])
    found = synthetic_slices(generator, seeds, suvr_max=2.5)
    assert np.abs(found[0] - found[1]).max() > 0.01


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
