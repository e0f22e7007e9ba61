"""A configuration to a compiled model."""

import keras

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.dcgan import DCGAN, paper_adam
from pet_dcgan.models.networks import build_discriminator, build_generator


def build_dcgan(config: TrainConfig) -> DCGAN:
    """The compiled model a configuration describes.

    Args:
        config: Networks, optimisers, what steadies the training, and seed.
    """
    shape = {
        "size": config.size,
        "channels": config.channels,
        "width": config.width,
        "kernel_size": config.kernel_size,
        "precision": config.precision,
        "seed": config.seed,
    }
    model = DCGAN(
        build_generator(latent_dim=config.latent_dim, **shape),
        build_discriminator(
            spectral_norm=config.spectral_norm,
            twice_differentiable=config.r1_weight > 0,
            **shape,
        ),
        seed=config.seed,
        ema_decay=config.ema_decay,
        augmenter=_augmenter(config),
        label_smoothing=config.label_smoothing,
        r1_weight=config.r1_weight,
        r1_every=config.r1_every,
        name="dcgan",
    )
    model.compile(
        g_optimizer=_optimizer(config, config.g_learning_rate),
        d_optimizer=_optimizer(config, config.d_learning_rate),
        jit_compile=config.xla,
    )
    return model


def _augmenter(config: TrainConfig) -> Augmenter | None:
    if not config.augmentations:
        return None
    return Augmenter(
        config.augmentations,
        config.augment_probability,
        target=config.augment_target,
        seed=config.seed,
    )


def _optimizer(
    config: TrainConfig, learning_rate: float
) -> keras.optimizers.Optimizer:
    adam = paper_adam(learning_rate, beta_1=config.beta_1, beta_2=config.beta_2)
    if config.precision != "mixed_float16":
        return adam
    # 16 bits hold nothing below 6e-8, where many gradients lie
    return keras.optimizers.LossScaleOptimizer(adam)
