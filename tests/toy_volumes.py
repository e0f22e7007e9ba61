"""Invented subjects whose volumes are alike: a ball with its own pattern.

Beside them a small generator of volumes.
"""

import numpy as np
from scipy import ndimage

from pet_dcgan.conditions import Conditions
from pet_dcgan.data.slices import SetMeta, Slices
from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.conditional_dcgan import ConditionalDCGAN
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.networks import build_discriminator, build_generator

SIZE = 32
SUVR_MAX = 2.5
STAGES = ("NC", "MCI", "AD")
META = SetMeta(
    size=SIZE,
    spacing_mm=7.0,
    suvr_max=SUVR_MAX,
    reference="brain",
    phantom=True,
    planes=("volume",),
    dataset="volume_32",
    version="2.0.0",
)


def subjects_volumes(count, *, seed, each=1):
    """Volumes of `count` subjects, `each` of every one.

    Returns float32 `[count * each, 32, 32, 32]` in SUVR and the subject of
    each (`"v<seed>_<number>"`).
    """
    random = np.random.default_rng(seed)
    parts = [_subject(random, each) for _ in range(count)]
    names = [f"v{seed}_{n}" for n in range(count) for _ in range(each)]
    return np.concatenate(parts), np.array(names)


def volume_slices(count, *, seed=0):
    """`Slices` of `count` subjects of each stage, darker from NC to AD."""
    volumes, subjects = subjects_volumes(3 * count, seed=seed)
    stages = np.repeat(STAGES, count)
    volumes *= np.repeat([1.0, 0.9, 0.8], count)[:, None, None, None]
    number = len(volumes)
    return Slices(
        images=png_from_suvr(volumes, SUVR_MAX),
        subjects=subjects,
        scans=np.array([f"I{n}" for n in range(number)]),
        positions_mm=np.zeros(number, np.float32),
        stages=stages,
        planes=np.full(number, "volume"),
        ages=np.full(number, 75.0, np.float32),
        sexes=np.full(number, "F"),
        meta=META,
        stage="ALL",
        plane="volume",
        data_dir="data",
    )


def volume_conditions():
    """Those of a generator of volumes of every stage."""
    return Conditions(names=("stage",), bands_mm={"volume": (0.0, 0.0)})


def volume_model(*, conditional=True, seed=0, **options):
    """A compiled `DCGAN` of volumes, conditional or of one stage."""
    shape = {"size": SIZE, "channels": SIZE, "width": 2, "seed": seed}
    facts = ImageFacts(
        stage="ALL" if conditional else "NC",
        plane="volume",
        spacing_mm=7.0,
        suvr_max=SUVR_MAX,
        phantom=True,
    )
    kind = DCGAN
    if conditional:
        kind = ConditionalDCGAN
        shape["conditions"] = volume_conditions()
    model = kind(
        build_generator(latent_dim=6, **shape),
        build_discriminator(**shape),
        seed=seed,
        facts=facts,
        **options,
    )
    model.compile()
    return model


def _subject(random, each):
    x, y, z = np.mgrid[:SIZE, :SIZE, :SIZE] - (SIZE - 1) / 2
    # no mirror image of itself
    distance = np.sqrt((x - 1) ** 2 + (y / random.uniform(0.9, 1.1)) ** 2)
    distance = np.hypot(distance, z)
    own = _smooth(random) * 0.3
    ball = np.clip(random.uniform(11, 13) - distance, 0, 1)
    volumes = [ball * (1.3 + own + 0.05 * _smooth(random)) for _ in range(each)]
    return np.maximum(volumes, 0).astype(np.float32)


def _smooth(random):
    field = ndimage.gaussian_filter(random.normal(size=[SIZE] * 3), 3)
    return field / field.std()
