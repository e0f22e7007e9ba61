"""Invented subjects whose slices are alike: a disc with its own pattern."""

import numpy as np
from scipy import ndimage

SIZE = 32
SLICES = 6


def subjects_slices(count, *, seed, slices=SLICES):
    """Slices of `count` subjects.

    Returns images float32 `[count * slices, 32, 32]` in SUVR, the subject of
    each (`"s<seed>_<number>"`) and its position in millimetres.
    """
    random = np.random.default_rng(seed)
    parts = [_subject(random, slices) for _ in range(count)]
    names = [f"s{seed}_{n}" for n in range(count) for _ in range(slices)]
    positions = np.tile(6.0 * np.arange(slices), count)
    return np.concatenate(parts), np.array(names), positions


def _subject(random, slices):
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    distance = np.hypot(y / random.uniform(0.9, 1.1), x)
    own = _smooth(random) * 0.3
    radii = random.uniform(11, 13) - 0.5 * np.arange(slices)
    images = [
        np.clip(r + 0.5 - distance, 0, 1)
        * (1.3 + own + 0.06 * _smooth(random) - 0.05 * i)
        for i, r in enumerate(radii)
    ]
    return np.maximum(images, 0).astype(np.float32)


def _smooth(random):
    field = ndimage.gaussian_filter(random.normal(size=(SIZE, SIZE)), 3)
    return field / field.std()
