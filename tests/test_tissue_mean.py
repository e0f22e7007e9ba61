import keras
import numpy as np
import pytest

from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.models.networks import (
    build_discriminator,
    build_generator,
    float32_copy,
)
from pet_dcgan.models.tissue_mean import (
    TissueMean,
    adapt_tissue_mean,
    tissue_mean,
    tissue_suvr_max,
)

SUVR_MAX = 2.5
SHAPE = {"size": 32, "channels": 32, "width": 2, "kernel_size": 4}


def volume(*suvr):
    """A volume of two by two by two voxels, of these and zeros."""
    values = np.zeros(8, np.float32)
    values[: len(suvr)] = suvr
    return values.reshape(2, 2, 2)


def layer_of(mean):
    layer = TissueMean(SUVR_MAX)
    layer.build((None, 2, 2, 2))
    layer.mean.assign(mean)
    return layer


def scaled(layer, *volumes):
    found = layer(np.stack(volumes) / SUVR_MAX * 2 - 1)
    return (keras.ops.convert_to_numpy(found) + 1) / 2 * SUVR_MAX


def test_each_volume_gets_the_mean_by_one_factor():
    # tissue 0.8 and 1.2, and one voxel of the mean itself: 2 * 3 / (2 + 2)
    (found,) = scaled(layer_of(2.0), volume(0.8, 1.2, 0.4))
    np.testing.assert_allclose(found, volume(1.2, 1.8, 0.6), atol=1e-6)


def test_volumes_do_not_change_each_other():
    a, b = volume(0.8, 1.2), volume(1.5, 0.7, 2.0)
    layer = layer_of(1.0)
    both = scaled(layer, a, b)
    np.testing.assert_array_equal(both[0], scaled(layer, a)[0])
    np.testing.assert_array_equal(both[1], scaled(layer, b)[0])


@pytest.mark.parametrize("suvr", [[0.4, 0.1], []])
def test_a_volume_without_tissue_stays(suvr):
    (found,) = scaled(layer_of(1.0), volume(*suvr))
    np.testing.assert_allclose(found, volume(*suvr), atol=1e-6)


def test_no_value_leaves_the_scale():
    (found,) = scaled(layer_of(2.4), volume(2.4, *[0.6] * 7))
    assert found.max() == pytest.approx(SUVR_MAX)


def test_the_mean_of_real_volumes_is_that_of_their_tissue():
    suvr = np.stack([volume(0.6, 1.0, 0.3), volume(1.2), volume()])
    stored = png_from_suvr(suvr, SUVR_MAX)
    # a volume without tissue counts as 1
    assert tissue_mean(stored, SUVR_MAX) == pytest.approx(3 / 3, abs=1e-4)


@pytest.mark.parametrize(
    ("plane", "reference", "wanted"),
    [
        ("volume", "brain", SUVR_MAX),
        ("volume", "mask", None),
        ("axial", "brain", None),
    ],
)
def test_only_volumes_divided_by_their_brain_have_one_mean(
    plane, reference, wanted
):
    class Config:
        suvr_max = SUVR_MAX

    Config.plane, Config.reference = plane, reference
    assert tissue_suvr_max(Config) == wanted


def test_in_training_it_does_nothing():
    images = np.stack([volume(0.8, 1.2)]) / SUVR_MAX * 2 - 1
    found = layer_of(2.0)(images, training=True)
    np.testing.assert_array_equal(found, images)


class TestInANetwork:
    @pytest.fixture(scope="class")
    def generator(self):
        return build_generator(**SHAPE, tissue_suvr_max=SUVR_MAX)

    def test_its_volumes_have_the_mean_measured(self, generator):
        class Real:
            images = png_from_suvr(np.full([1, 2, 2, 2], 0.9), SUVR_MAX)

            class meta:  # noqa: N801
                suvr_max = SUVR_MAX

        copy = float32_copy(generator)
        adapt_tissue_mean(Real, generator, copy)
        for network in (generator, copy):
            latents = np.random.default_rng(0).uniform(-1, 1, [3, 100])
            images = network.predict(latents, verbose=0)
            suvr = (images + 1) / 2 * SUVR_MAX
            for each in suvr:
                assert each[each > 0.45].mean() == pytest.approx(0.9, abs=0.01)

    def test_the_mean_is_saved_and_never_trained(self, generator, tmp_path):
        (weight,) = (w for w in generator.weights if w.name == "tissue_mean")
        weight.assign(0.97)
        assert all(w is not weight for w in generator.trainable_weights)
        generator.save(tmp_path / "it.keras")
        found = keras.saving.load_model(tmp_path / "it.keras")
        assert found.get_layer("image").mean.numpy() == np.float32(0.97)
        assert found.get_layer("image").suvr_max == SUVR_MAX

    def test_slices_are_never_scaled_one_by_one(self):
        with pytest.raises(ValueError, match="slices are never scaled"):
            build_generator(size=32, channels=1, tissue_suvr_max=SUVR_MAX)

    def test_other_generators_are_left_alone(self):
        plain = build_generator(**SHAPE)
        assert plain.layers[-1].name == "image"
        adapt_tissue_mean(None, plain, build_discriminator(**SHAPE))
