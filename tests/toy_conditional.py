"""A small conditional GAN, and batches for it."""

import numpy as np

from pet_dcgan.conditions import Conditions
from pet_dcgan.models.conditional_dcgan import ConditionalDCGAN
from pet_dcgan.models.networks import build_discriminator, build_generator

BANDS = {"axial": (0.0, 36.0), "coronal": (-54.0, -18.0)}
ALL_NAMES = ("stage", "plane", "position", "age", "sex")
SHAPE = {"size": 32, "channels": 1, "width": 4}


def make_conditions(names=ALL_NAMES, bands_mm=BANDS):
    ages = (50.0, 90.0) if "age" in names else None
    return Conditions(names=names, bands_mm=bands_mm, ages=ages)


def make_networks(conditions=None, *, seed=0, precision="float32"):
    """Generator of latents of 6, and discriminator, of 32 pixels."""
    options = SHAPE | {
        "conditions": conditions or make_conditions(),
        "seed": seed,
        "precision": precision,
    }
    return (
        build_generator(latent_dim=6, **options),
        build_discriminator(**options),
    )


def make_conditional(conditions=None, *, seed=0, **options):
    """A compiled `ConditionalDCGAN`."""
    pair = make_networks(conditions, seed=seed)
    model = ConditionalDCGAN(*pair, seed=seed, **options)
    model.compile()
    return model


def make_batch(count=8, *, seed=0):
    """Images and every condition of `ALL_NAMES`, as a dictionary."""
    rng = np.random.default_rng(seed)
    eye = np.eye(3, dtype=np.float32)
    plane = rng.integers(0, 2, count)
    low = np.array([0.0, -54.0])[plane]
    return {
        "image": rng.uniform(-1, 1, [count, 32, 32, 1]).astype(np.float32),
        "stage": eye[np.arange(count) % 3],
        "plane": eye[plane],
        "position_mm": (low + rng.uniform(0, 36, count)).astype(np.float32),
        "age": rng.uniform(50, 90, count).astype(np.float32),
        "sex": rng.integers(0, 2, count).astype(np.float32),
    }


def spread(model, factor=12):
    """Larger weights, as after a training: conditions show in the images."""
    rng = np.random.default_rng(0)
    network = model.sampler_network
    for weight in network.weights:
        value = np.asarray(weight)
        name = weight.path.split("/")[0]
        if "condition" in name:
            weight.assign(rng.normal(0, 0.5, value.shape))
        elif value.ndim > 1:
            weight.assign(value * factor)
    return network
