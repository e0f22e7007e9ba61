import dataclasses
import math
import re

import keras
import pytest
from toy_networks import own_discriminator, own_generator
from toy_volumes import volume_model

from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.bending import Bender
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.networks import build_discriminator, build_generator
from pet_dcgan.training.dry_run import (
    dry_run,
    forward_operations,
    step_operations,
)


def test_the_papers_networks_take_1_7_gflop_an_image_each():
    generator = forward_operations(build_generator())
    discriminator = forward_operations(build_discriminator())
    # 5x5 taps from 1024 to 512 channels at 4x4 places, and three more layers
    # that halve both channels and double both sides: the same number
    large = 2 * 25 * 1024 * 512 * 16
    assert [generator[f"up_{side}"] for side in (8, 16, 32, 64)] == [large] * 4
    assert [discriminator[f"down_{s}"] for s in (32, 16, 8, 4)] == [large] * 4
    # from 64 to 3 channels and back at 64x64 places, and the dense layers
    small = 2 * 25 * 64 * 3 * 64 * 64
    assert sum(generator.values()) == 4 * large + small + 2 * 100 * 16384
    assert sum(discriminator.values()) == 4 * large + small + 2 * 16384


def test_own_networks_are_estimated(tiny_config, tmp_path):
    config = tiny_config()
    text = dry_run(
        config, generator=own_generator, discriminator=own_discriminator
    )
    # dense 6 to 256, block and last convolution of 3x3 taps, at 4 filters
    generator = 6 * 256 + 256 + (9 * 4 + 1) * 4 + 2 * 4 + 9 * 4 + 1
    assert f"{generator:,}" in text
    counts = forward_operations(own_generator(config, block=False))
    assert list(counts.values()) == [2 * 6 * 256, 2 * 9 * 4 * 32 * 32]
    with pytest.raises(ValueError, match="expected a generator from"):
        dry_run(tiny_config(latent_dim=7), generator=own_generator(config))


def test_networks_within_one_may_use_a_name_again():
    images = keras.Input([8, 8, 4])
    inner = [
        keras.Sequential(
            [keras.Input([8, 8, 4]), keras.layers.Dense(4, name="mixed")]
        )
        for _ in range(2)
    ]
    outer = keras.Model(images, inner[1](inner[0](images)))
    # 64 pixels, 4 by 4 weights, a multiply-add is two
    assert forward_operations(outer) == {"mixed": 2 * 64 * 16 * 2}


def test_a_step_has_these_operations(tiny_model):
    model = tiny_model()
    g = forward_operations(model.generator)
    d = forward_operations(model.discriminator)
    forward_and_back = 3 * sum(d.values()) - d["down_16"]
    generator_back = 3 * sum(g.values()) - g["project"]
    expected = 2 * forward_and_back + 2 * sum(d.values()) + generator_back
    assert step_operations(model) == expected


def test_data_steps_parameters_and_time_are_estimated(
    tiny_config, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    config = tiny_config(epochs=3, batch_size=5)
    model = build_dcgan(config)
    # 6 steps of 5 images at the speed that makes them 60 s
    speed = step_operations(model) * 5 * 6 / 60 / 0.6

    def at(speed):
        with monkeypatch.context() as patch:
            rate = "pet_dcgan.training.dry_run._matrix_product_rate"
            patch.setattr(rate, lambda: speed)
            return dry_run(config)

    text = at(speed)
    counts = [
        sum(w.numpy().size for w in network.trainable_weights)
        for network in (model.generator, model.discriminator)
    ]
    assert "3 subjects, 12 slices" in text
    assert "2 per epoch, 6 in total" in text
    assert f"generator {counts[0]:,}, discriminator {counts[1]:,}" in text
    assert "60 s at 60% of the 0 GFLOP/s" in text
    assert " GB (process 0.70, " in text
    # the values stand below each other
    lines = [line for line in text.splitlines() if line]
    width = text.index("demo")
    assert {line.ljust(width)[width - 1] for line in lines} == {" "}
    assert "\naugment_probability 0.0\n" in text
    assert not list(tmp_path.iterdir())
    assert "100 min at" in at(speed / 100)
    assert "16.7 h at" in at(speed / 1000)
    # measured by default
    assert re.search(r"of the [1-9]\d* GFLOP/s", dry_run(config))


def test_what_could_not_start_is_refused(tiny_config):
    with pytest.raises(ValueError, match="--set batch_size=12"):
        dry_run(dataclasses.replace(tiny_config(), batch_size=64))


def test_transposed_convolutions_of_volumes_count_by_their_inputs():
    model = volume_model()
    found = forward_operations(model.generator)
    # each tap at every one of 4 x 4 x 4 places
    layer = model.generator.get_layer("up_8")
    taps = math.prod(layer.kernel.shape)
    assert found["up_8"] == 2 * taps * 4**3


def test_moving_volumes_counts(tiny_config):
    plain, moved, cut_out = (
        step_operations(volume_model(**options))
        for options in (
            {},
            {"augmenter": Augmenter(("scale",), 1.0), "bender": Bender(1, 4)},
            {"augmenter": Augmenter(("cutout",), 1.0)},
        )
    )
    # twelve products of 32 x 32 matrices with 32 x 32 lines
    assert moved - plain == 12 * 2 * 32**4
    assert cut_out == plain


def test_a_gpu_is_estimated_with_what_is_assumed(tiny_config, monkeypatch):
    config = tiny_config(epochs=3, batch_size=5)
    # 6 steps that take no time but 10 ms each
    (line,) = (x for x in dry_run(config).splitlines() if x.startswith("GPU"))
    assert "0 s on a T4, 0 s on an A100, 0.5 GB on it (never" in line
    assert "30% of 8.1 and 19.5 TFLOP/s in float32, and steps of 10 ms" in line
    operations = step_operations(build_dcgan(config))
    monkeypatch.setattr(
        "pet_dcgan.training.dry_run._GPU_RATES",
        {"a slow one": operations * 5 * 6 / 0.3 / 60},
    )
    assert "60 s on a slow one" in dry_run(config)
