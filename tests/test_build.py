"""A configuration to a compiled model."""

import keras
import pytest

from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.losses import NonSaturating


def test_all_options_are_off_by_default(tiny_config):
    config = tiny_config(channels=3, g_learning_rate=3e-4, beta_1=0.25, seed=9)
    model = build_dcgan(config)
    assert model.generator.output_shape == (None, 32, 32, 3)
    assert (model.latent_dim, model.seed) == (6, 9)
    assert model.jit_compile is False
    assert model.average is model.augmenter is None
    assert isinstance(model.loss_of, NonSaturating)
    assert model.facts == ImageFacts.of(config)
    for optimizer, rate in (
        (model.g_optimizer, 3e-4),
        (model.d_optimizer, config.d_learning_rate),
    ):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(rate)
        assert optimizer.beta_1 == 0.25
    norm = model.discriminator.get_layer("down_16_norm")
    assert norm.compute_dtype == "float32"
    assert type(norm) is keras.layers.BatchNormalization


def test_every_option_reaches_the_model(tiny_config):
    model = build_dcgan(
        tiny_config(
            ema_decay=0.9,
            augment="cutout, scale",
            augment_probability=0.25,
            augment_target=0.6,
            precision="mixed_float16",
            xla=True,
            seed=4,
        )
    )
    assert model.ema_decay == 0.9
    assert model.augmenter.names == ("cutout", "scale")
    assert float(model.augmenter.probability) == 0.25
    assert (model.augmenter.target, model.augmenter.seed) == (0.6, 4)
    assert model.generator.get_layer("up_8").compute_dtype == "float16"
    for optimizer in (model.g_optimizer, model.d_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    assert model.jit_compile is True


def test_bfloat16_does_without_a_loss_scale(tiny_config):
    """It has as many exponent bits as float32."""
    model = build_dcgan(tiny_config(precision="mixed_bfloat16"))
    assert isinstance(model.g_optimizer, keras.optimizers.Adam)
