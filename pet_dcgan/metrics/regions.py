"""Uptake by region: means of nine parts of the brain, and their agreement.

A slice is in the scanner's grid, not in that of a template, and a synthetic
one has no position: an atlas cannot be laid upon it. The regions are those of
a grid of three by three over each brain's own box.
"""

from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import require_finite

# names of the rows and of the columns, as `tfds_adni` orients slices
_LINES = {
    "axial": (("front", "middle", "back"), ("left", "middle", "right")),
    "coronal": (("top", "middle", "bottom"), ("left", "middle", "right")),
    "sagittal": (("top", "middle", "bottom"), ("front", "middle", "back")),
}
# of an image's strong uptake: scalp lies below, white matter above
_BRAIN = 0.2
# of the brain, left out of the box at each side
_STRAY = 0.005
_CHUNK = 256


class BlandAltman(NamedTuple):
    """Agreement of paired measurements, from `bland_altman`.

    Args:
        bias: Mean difference `[...]`.
        lower: Lower limit of agreement, `bias - 1.96 sd`.
        upper: Upper limit of agreement, `bias + 1.96 sd`.
        averages: Mean of each pair `[n, ...]`.
        differences: Synthetic minus real of each pair `[n, ...]`.
    """

    bias: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    averages: np.ndarray
    differences: np.ndarray


def region_names(plane: str) -> tuple[str, ...]:
    """Names of the nine regions in slices of a plane, row by row.

    Args:
        plane: `"axial"`, `"coronal"` or `"sagittal"`.

    Returns:
        Such as `"front left"`; the one in the middle is `"centre"`.

    Raises:
        ValueError: If there is no such plane.
    """
    rows, columns = _lines(plane)
    names = [f"{row} {column}" for row in rows for column in columns]
    return *names[:4], "centre", *names[5:]


def asymmetry_names(plane: str) -> tuple[str, ...]:
    """Names of the rows whose left and right can be compared.

    Args:
        plane: `"axial"`, `"coronal"` or `"sagittal"`, whose slices show one
            side and have no such rows.

    Raises:
        ValueError: If there is no such plane.
    """
    rows, columns = _lines(plane)
    return rows if "left" in columns else ()


def _lines(plane: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the rows and columns of a known plane."""
    if plane not in _LINES:
        raise ValueError(
            f"expected a plane among {', '.join(_LINES)}, found {plane!r}"
        )
    return _LINES[plane]


def regional_uptake(images: np.ndarray) -> np.ndarray:
    """Mean SUVR of each image in nine regions of its brain.

    The brain is where SUVR is above a fifth of the image's 99th percentile,
    which keeps white matter and leaves out most of the scalp. The box around
    it (less half a percent at each side, for stray pixels) is cut into thirds
    by rows and by columns. A mean is over the brain in a region, or over all
    of the region if it holds none.

    Args:
        images: `[n, height, width]` in SUVR.

    Returns:
        float64 `[n, 9]` in SUVR, row by row; 0 for an image without any.

    Raises:
        ValueError: If the shape is wrong or a value is not finite.
    """
    images = np.asarray(images)
    if images.ndim != 3 or min(images.shape[1:]) < 3 or not len(images):
        raise ValueError(
            "expected images [n, height, width] of 3 pixels or more on each "
            f"side, found shape {images.shape}"
        )
    require_finite(images)
    starts = range(0, len(images), _CHUNK)
    return np.concatenate([_uptake(images[i : i + _CHUNK]) for i in starts])


def brain_mask(images: np.ndarray) -> np.ndarray:
    """Where each image's SUVR is above a fifth of its 99th percentile.

    Args:
        images: `[n, height, width]` in SUVR.

    Returns:
        bool `[n, height, width]`; nowhere in an image without uptake.
    """
    strong = np.quantile(images, 0.99, axis=(1, 2))
    return images > np.maximum(_BRAIN * strong, 0)[:, None, None]


def _uptake(images: np.ndarray) -> np.ndarray:
    """`regional_uptake` of one chunk."""
    images = images.astype(np.float64)
    brain = brain_mask(images)
    rows, columns = (_thirds(brain.sum(axis=axis)) for axis in (2, 1))

    def region_sums(x: np.ndarray) -> np.ndarray:
        """Sums over the nine regions `[n, 9]`."""
        nine = np.matmul(np.matmul(rows, x), columns.swapaxes(1, 2))
        return nine.reshape(len(nine), 9)

    inside = region_sums(brain.astype(np.float64))
    has_brain = inside > 0
    sums = np.where(has_brain, region_sums(images * brain), region_sums(images))
    counts = np.where(has_brain, inside, region_sums(np.ones_like(images)))
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)


def _thirds(counts: np.ndarray) -> np.ndarray:
    """Which lines lie in each third of the box, zeros and ones `[n, 3, lines]`.

    Args:
        counts: Brain pixels of each line `[n, lines]`.
    """
    reached = np.cumsum(counts, axis=1)
    total = reached[:, -1:]
    # argmax: the first line where it is so
    first = np.argmax(reached > _STRAY * total, axis=1)
    last = np.argmax(reached >= (1 - _STRAY) * total, axis=1)
    steps = np.arange(4) / 3
    edges = np.rint(first[:, None] + (last + 1 - first)[:, None] * steps)
    lines = np.arange(counts.shape[1])
    inside = (lines >= edges[:, :3, None]) & (lines < edges[:, 1:, None])
    return inside.astype(np.float64)


def left_right_asymmetry(uptake: np.ndarray) -> np.ndarray:
    """`(left - right) / ((left + right) / 2)` of each row of regions.

    The usual asymmetry index of PET, as a share of the mean of both sides.

    Args:
        uptake: From `regional_uptake`, of axial or coronal slices `[n, 9]`.

    Returns:
        float64 `[n, 3]`, above 0 for more on the left; 0 without any uptake.

    Raises:
        ValueError: If there are not nine regions.
    """
    uptake = np.asarray(uptake, np.float64)
    if uptake.ndim != 2 or uptake.shape[1] != 9:
        raise ValueError(
            f"expected nine regions [n, 9], found shape {uptake.shape}"
        )
    left, right = uptake[:, 0::3], uptake[:, 2::3]
    mean = (left + right) / 2
    return np.divide(
        left - right, mean, out=np.zeros_like(mean), where=mean > 0
    )


def bland_altman(
    real_means: np.ndarray, synthetic_means: np.ndarray
) -> BlandAltman:
    """Bias and limits of agreement of paired measurements.

    Bland & Altman (1986), doi 10.1016/S0140-6736(86)90837-8: 95 % of normally
    distributed differences lie between the limits.

    Synthetic and real images have no natural pairs: use `neighbors.nearest`,
    and compare with real images paired with those of other subjects.

    Args:
        real_means: `[n, ...]`, two or more, such as `regional_uptake`, whose
            columns are taken separately.
        synthetic_means: The same of the paired images `[n, ...]`.

    Raises:
        ValueError: If the shapes differ, there are fewer than two pairs, or a
            value is not finite.
    """
    real = np.asarray(real_means, np.float64)
    synthetic = np.asarray(synthetic_means, np.float64)
    if real.shape != synthetic.shape or real.ndim < 1 or len(real) < 2:
        raise ValueError(
            "expected two or more pairs of numbers [n, ...], found shapes "
            f"{real.shape} and {synthetic.shape}"
        )
    require_finite(real, synthetic)
    differences = synthetic - real
    bias = differences.mean(axis=0)
    reach = 1.96 * differences.std(axis=0, ddof=1)
    averages = (real + synthetic) / 2
    return BlandAltman(bias, bias - reach, bias + reach, averages, differences)
