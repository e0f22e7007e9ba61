"""Images for an evaluation without a run, of random pixels."""

from types import SimpleNamespace

import numpy as np

from pet_dcgan.evaluation.images import EvaluationImages, RealSlices

CONFIG = SimpleNamespace(
    stage="AD",
    plane="axial",
    preset="demo",
    epochs=1,
    phantom=True,
    spacing_mm=6.0,
    suvr_max=2.5,
    reference="brain",
    select_every=0,
)


def slices(subjects, each, seed=0, side=2):
    """`each` slices of normal pixels for every one of the subjects."""
    rng = np.random.default_rng(seed)
    images = rng.normal(size=[subjects * each, side, side])
    return RealSlices(images, np.repeat(np.arange(subjects).astype(str), each))


def evaluation(real, synthetic, others=None, training=None, searched=None):
    """All of them as an evaluation takes them; seeds are row numbers."""
    nobody = RealSlices(real.images[:0], real.subjects[:0])
    return EvaluationImages(
        config=CONFIG,
        seed=0,
        real=real,
        synthetic=synthetic,
        searched=synthetic if searched is None else searched,
        draw=lambda seeds: synthetic[seeds],
        test=real,
        validation=nobody if others is None else others,
        training=training,
    )
