"""A conditional generator without a training, which heeds all it is asked."""

import numpy as np

from pet_dcgan.conditions import Conditions
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.networks import build_generator

CONDITIONS = Conditions(
    names=("stage", "plane", "position", "age", "sex"),
    bands_mm={"axial": (-40.0, 50.0), "coronal": (-60.5, 37.3)},
    ages=(55.0, 90.0),
)
# what one plane of two stages and no people leaves
FEW = Conditions(
    names=("stage", "position"),
    stages=("NC", "AD"),
    bands_mm={"coronal": (-60.5, 37.3)},
)
FACTS = ImageFacts(
    stage="ALL", plane="ALL", spacing_mm=6.0, suvr_max=2.5, phantom=True
)
LATENT_DIM = 6


def lively_generator(conditions=CONDITIONS, *, seed=0):
    """Images that differ by latents and by conditions, in shades of grey."""
    generator = build_generator(
        size=32,
        channels=1,
        latent_dim=LATENT_DIM,
        width=4,
        conditions=conditions,
    )
    random = np.random.default_rng(seed)
    for variable in generator.weights:
        # the weight of the labels stays 1
        if variable.shape != ():
            noise = random.uniform(-0.2, 0.2, variable.shape)
            variable.assign(variable.numpy() + noise)
    return generator
