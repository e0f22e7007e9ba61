"""Generators of volumes without a training, and what they show."""

import keras
import numpy as np

from pet_dcgan.conditions import Conditions
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.networks import build_generator

SIZE, LATENT_DIM = 32, 6
CONDITIONS = Conditions(names=("stage",), bands_mm={"volume": (0.0, 0.0)})
TEMPLATE = "MNI152NLin2009cAsym"


def volume_facts(*, stage="ALL", space="native"):
    """Of a phantom's volumes of 32 voxels of 7 mm."""
    return ImageFacts(
        stage=stage,
        plane="volume",
        spacing_mm=7.0,
        suvr_max=2.5,
        phantom=True,
        space=space,
    )


def volume_generator(*, conditions=CONDITIONS, seed=0, tissue_suvr_max=None):
    """Volumes that differ by latents, by voxels, and by the stage."""
    generator = build_generator(
        size=SIZE,
        channels=SIZE,
        latent_dim=LATENT_DIM,
        width=4,
        conditions=conditions,
        tissue_suvr_max=tissue_suvr_max,
    )
    random = np.random.default_rng(seed)
    for variable in generator.weights:
        # the weight of the labels stays 1
        if variable.shape != ():
            noise = random.uniform(-0.2, 0.2, variable.shape)
            variable.assign(variable.numpy() + noise)
    return generator


def right_sided():
    """A generator of one volume: a hot spot on the right, low at the front.

    Voxel (24, 26, 10) and its neighbours have SUVR 2, all others 0.5.
    """
    spot = np.full([SIZE, SIZE, SIZE], 0.5, np.float32)
    spot[23:26, 25:28, 9:12] = 2.0
    latent = keras.Input([LATENT_DIM])
    nothing = keras.layers.Rescaling(0.0)(latent)
    constant = keras.layers.Dense(
        spot.size,
        bias_initializer=keras.initializers.Constant(
            np.arctanh(spot.reshape(-1) / 1.25 - 1.0)
        ),
    )(nothing)
    image = keras.layers.Activation("tanh")(
        keras.layers.Reshape(spot.shape)(constant)
    )
    return keras.Model(latent, image)
