"""The DCGAN that a configuration describes."""

import keras

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import TrainConfig
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.augmentation import Augmenter
from pet_dcgan.models.bending import REACH_MM, Bender
from pet_dcgan.models.conditional_dcgan import ConditionalDCGAN
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.networks import build_discriminator, build_generator
from pet_dcgan.models.optimization import paper_adam
from pet_dcgan.models.tissue_mean import tissue_suvr_max


def build_dcgan(
    config: TrainConfig,
    *,
    generator: keras.Model | None = None,
    discriminator: keras.Model | None = None,
    conditions: Conditions | None = None,
    steps: int = 0,
) -> DCGAN:
    """The compiled model that a configuration describes.

    Args:
        config: The configuration.
        generator: In place of the one that it describes.
        discriminator: In place of the one that it describes.
        conditions: Of a conditional generator, what they mean.
        steps: Of the whole training; a transition is a part of them.

    Raises:
        ValueError: If the configuration names other conditions, or has a
            transition and `steps` are not given.
    """
    wanted = config.condition_names
    found = conditions.names if conditions else ()
    if wanted != found:
        raise ValueError(
            f"expected the conditions {', '.join(wanted) or 'none'}, found "
            f"{', '.join(found) or 'none'}: give conditions="
            "pet_dcgan.conditions_for(slices, config.condition_names)"
        )
    shape = {
        "size": config.size,
        "channels": config.channels,
        "width": config.width,
        "kernel_size": config.kernel_size,
        "precision": config.precision,
        "seed": config.seed,
        "conditions": conditions,
    }
    kind, options = DCGAN, {}
    if conditions is not None:
        kind = ConditionalDCGAN
        # slices lie a voxel apart
        options["jitter_mm"] = config.spacing_mm / 2
        if config.transition:
            options["transition"] = _transition(steps)
    generator = generator or build_generator(
        latent_dim=config.latent_dim,
        tissue_suvr_max=tissue_suvr_max(config),
        **shape,
    )
    model = kind(
        generator,
        discriminator or build_discriminator(**shape),
        seed=config.seed,
        ema_decay=config.ema_decay,
        facts=ImageFacts.of(config),
        augmenter=_augmenter(config),
        bender=_bender(config),
        name="dcgan",
        **options,
    )
    model.compile(
        g_optimizer=_optimizer(config, config.g_learning_rate),
        d_optimizer=_optimizer(config, config.d_learning_rate),
        jit_compile=config.xla,
    )
    return model


def _transition(steps: int) -> tuple[int, int]:
    """Between which steps a training becomes conditional."""
    if steps < 1:
        raise ValueError(
            f"expected steps with a transition, found {steps}: give steps= of "
            "the whole training, or set transition to false"
        )
    return steps // 4, steps // 2


def _augmenter(config: TrainConfig) -> Augmenter | None:
    if not config.augmentations:
        return None
    return Augmenter(
        config.augmentations,
        config.augment_probability,
        target=config.augment_target,
        seed=config.seed,
    )


def _bender(config: TrainConfig) -> Bender | None:
    if not config.bend_mm:
        return None
    return Bender(
        config.bend_mm / config.spacing_mm,
        REACH_MM / config.spacing_mm,
        seed=config.seed,
    )


def _optimizer(
    config: TrainConfig, learning_rate: float
) -> keras.optimizers.Optimizer:
    return paper_adam(learning_rate, beta_1=config.beta_1, beta_2=config.beta_2)
