import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.conditions import Conditions
from pet_dcgan.models.networks import (
    build_discriminator,
    build_generator,
    float32_copy,
)
from pet_dcgan.models.volume_layers import (
    StridedConv3D,
    StridedConv3DTranspose,
)

SMALL = {"size": 32, "channels": 1, "width": 4}


def of_kind(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def shapes(network, kind):
    return [tuple(x.output.shape[1:]) for x in of_kind(network, kind)]


@pytest.fixture(scope="module")
def paper():
    return build_generator(), build_discriminator()


def test_networks_of_the_paper_have_its_shapes(paper):
    generator, discriminator = paper
    assert generator.input_shape == (None, 100)
    assert generator.get_layer("project_map").output.shape == (None, 4, 4, 1024)
    assert generator.output_shape == (None, 128, 128, 3)
    assert discriminator.input_shape == (None, 128, 128, 3)
    assert discriminator.output_shape == (None, 1)
    inner = [(8, 8, 512), (16, 16, 256), (32, 32, 128), (64, 64, 64)]
    up = shapes(generator, keras.layers.Conv2DTranspose)
    assert up == [*inner, (128, 128, 3)]
    down = shapes(discriminator, keras.layers.Conv2D)
    assert down == [*reversed(inner), (4, 4, 1024)]
    assert not of_kind(discriminator, keras.layers.MaxPooling2D)
    kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
    for network in paper:
        for layer in of_kind(network, kinds):
            assert layer.kernel_size == (5, 5)
            assert layer.strides == (2, 2)


def test_normalisation_and_activations_are_where_the_paper_has_them(paper):
    generator, discriminator = paper
    norm = keras.layers.BatchNormalization
    # after the dense layer and all transposed convolutions but the last
    assert len(of_kind(generator, norm)) == 5
    assert len(of_kind(generator, keras.layers.ReLU)) == 5
    assert generator.layers[-1].activation is keras.activations.tanh
    assert isinstance(generator.layers[-2], keras.layers.Conv2DTranspose)
    # after every convolution
    assert len(of_kind(discriminator, norm)) == 5
    leaky = of_kind(discriminator, keras.layers.LeakyReLU)
    assert [layer.negative_slope for layer in leaky] == [0.2] * 5
    assert discriminator.layers[-1].activation is keras.activations.linear
    # a bias only where no normalisation follows
    for network in paper:
        biased = [x.name for x in network.layers if getattr(x, "use_bias", 0)]
        assert biased in (["up_128"], ["logit"])


def test_initial_weights_are_normal_with_deviation_0_02(paper):
    kernels = [
        np.asarray(layer.kernel)
        for network in paper
        for layer in network.layers
        if hasattr(layer, "kernel")
    ]
    assert len(kernels) == 12
    for kernel in kernels:
        few = 3 / np.sqrt(kernel.size)
        assert abs(kernel.mean()) < 0.02 * few
        assert kernel.std() == pytest.approx(0.02, rel=few)


@pytest.mark.parametrize(
    ("size", "channels"), [(32, 3), (64, 1), (128, 1), (256, 3)]
)
def test_any_size_fits_together(size, channels):
    options = {"size": size, "channels": channels, "width": 2}
    generator = build_generator(latent_dim=5, **options)
    discriminator = build_discriminator(**options)
    image = generator(np.ones([2, 5], np.float32))
    assert image.shape == (2, size, size, channels)
    assert discriminator(image).shape == (2, 1)
    assert shapes(generator, keras.layers.Reshape)[0][:2] == (4, 4)
    assert shapes(discriminator, keras.layers.Conv2D)[-1][:2] == (4, 4)


def test_volumes_are_drawn_and_judged_by_3_d_convolutions():
    options = {"size": 32, "channels": 32, "width": 2, "kernel_size": 4}
    conditions = Conditions(names=("stage",), bands_mm={"volume": (0, 0)})
    generator = build_generator(**options, conditions=conditions)
    discriminator = build_discriminator(**options, conditions=conditions)
    assert generator.output_shape == (None, 32, 32, 32)
    assert len(of_kind(generator, StridedConv3DTranspose)) == 3
    assert len(of_kind(discriminator, StridedConv3D)) == 3
    asked = {"latent": tf.zeros([2, 100]), "stage": tf.eye(3)[:2]}
    volumes = generator(asked)
    logits = discriminator({"image": volumes, "stage": tf.eye(3)[:2]})
    assert logits.shape == (2, 2)
    assert float(tf.reduce_max(tf.abs(volumes))) <= 1


def test_images_stay_within_minus_one_and_one():
    generator = build_generator(**SMALL)
    generator.set_weights([50 * w for w in generator.get_weights()])
    image = np.asarray(generator(np.ones([2, 100], np.float32)))
    assert image.min() >= -1
    assert image.max() <= 1
    assert np.ptp(image) > 0.5


def test_every_layer_and_seed_has_weights_of_its_own():
    build = (build_generator, build_discriminator)
    first, again, other = (
        [
            float(np.ravel(layer.kernel)[0])
            for network in (one(seed=seed, **SMALL) for one in build)
            for layer in network.layers
            if hasattr(layer, "kernel")
        ]
        for seed in (3, 3, 4)
    )
    assert first == again
    assert len({*first, *other}) == 2 * len(first) == 16


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"size": 48}, "size among 32, 64, 128, 256, found 48"),
        ({"channels": 2}, "channels 1 or 3, or 32 for volumes, found 2"),
        ({"width": 0}, "width as a whole number above 0, found 0"),
        ({"kernel_size": 2.5}, "kernel_size as a whole number above 0"),
    ],
)
@pytest.mark.parametrize("build", [build_generator, build_discriminator])
def test_a_bad_option_is_refused(build, option, message):
    with pytest.raises(ValueError, match=message):
        build(**SMALL | option)
    with pytest.raises(ValueError, match="latent_dim as a whole number"):
        build_generator(latent_dim=-1, **SMALL)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_all_but_the_last_layers_compute_in_16_bits(precision):
    generator = build_generator(precision=precision, **SMALL)
    discriminator = build_discriminator(precision=precision, **SMALL)
    image = generator(np.ones([2, 100], np.float32))
    assert image.dtype == discriminator(image).dtype == "float32"
    for network in (generator, discriminator):
        *inner, last = network.layers[1:]
        half = precision.removeprefix("mixed_")
        assert {layer.compute_dtype for layer in inner} == {half}
        assert last.compute_dtype == "float32"
        assert {v.dtype for v in network.variables} == {"float32"}


def test_a_float32_copy_has_the_same_weights_of_its_own():
    half = build_generator(precision="mixed_float16", **SMALL)
    half.get_layer("project_norm").moving_mean.assign(np.full(16, 0.5))
    copy, plain = float32_copy(half), build_generator(**SMALL)
    plain.set_weights(half.get_weights())
    latent = np.ones([2, 100], np.float32)
    np.testing.assert_array_equal(copy(latent), plain(latent))
    assert {layer.compute_dtype for layer in copy.layers} == {"float32"}
    copy.set_weights([w + 1 for w in copy.get_weights()])
    assert not np.array_equal(copy.get_weights()[0], half.get_weights()[0])
    assert (copy.name, copy.input_shape) == (half.name, half.input_shape)


def test_a_copy_has_keras_layers_in_their_order():
    network = build_generator(size=32, channels=1, width=2, latent_dim=3)
    config = float32_copy(network).get_config()
    assert [layer["class_name"] for layer in config["layers"]] == [
        "InputLayer",
        *("Dense", "Reshape", "BatchNormalization", "ReLU"),
        *("Conv2DTranspose", "BatchNormalization", "ReLU") * 2,
        *("Conv2DTranspose", "Activation"),
    ]
    norms = of_kind(network, keras.layers.BatchNormalization)
    assert not any(layer.synchronized for layer in norms)
