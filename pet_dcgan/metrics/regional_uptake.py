"""Uptake in five bands of the brain, and how well two images agree on it."""

from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import checked_pair, require_finite

_NAMES = {
    "axial": ("front", "back", "left", "right", "centre"),
    "coronal": ("top", "bottom", "left", "right", "centre"),
    "sagittal": ("top", "bottom", "front", "back", "centre"),
}
# scalp lies below this share of an image's strong uptake, white matter above
_BRAIN = 0.2
# of the brain, left out of the box at each side
_STRAY = 0.005
_CHUNK = 256


class BlandAltman(NamedTuple):
    """Agreement of two ways to have a number, for instance two kinds of image.

    Args:
        bias: Mean difference.
        lower: Lower limit of agreement, `bias - 1.96 sd`.
        upper: Upper limit of agreement, `bias + 1.96 sd`.
        averages: Average of each pair `[n, ...]`, the horizontal axis of the
            figure.
        differences: Difference of each pair `[n, ...]`, synthetic minus real,
            its vertical axis.
    """

    bias: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    averages: np.ndarray
    differences: np.ndarray


def region_names(plane: str) -> tuple[str, str, str, str, str]:
    """What the five bands are called in slices of a plane.

    Args:
        plane: `"axial"`, `"coronal"` or `"sagittal"`.

    Returns:
        Names of the first and the last rows, of the first and the last
        columns between them, and of what remains in the middle.

    Raises:
        ValueError: If there is no such plane.
    """
    if plane not in _NAMES:
        raise ValueError(
            f"expected a plane among {', '.join(_NAMES)}, found {plane!r}"
        )
    return _NAMES[plane]


def regional_uptake(images: np.ndarray) -> np.ndarray:
    """Mean SUVR of each image in five bands of its brain.

    The brain of an image is where its SUVR is above a fifth of the image's
    99th percentile, which keeps white matter and leaves out most of the
    scalp. The box around it (without half a percent at each side, so that
    stray pixels do not widen it) is cut into thirds by rows and by columns.
    The first third of the rows is one band, the last another; the middle
    third falls into three by columns. The bands cover the box once. The mean
    is over the pixels of the brain in a band, and over all of its pixels
    where it holds no brain.

    What the bands mean depends on the plane: see `region_names`. In axial
    slices they are front, back, left, right and centre, of the person shown.

    Args:
        images: `[n, height, width]` in SUVR.

    Returns:
        float64 `[n, 5]` in SUVR; 0 for an image without any.

    Raises:
        ValueError: If the shape is another or a value is not finite.
    """
    images = np.asarray(images)
    if images.ndim != 3 or min(images.shape[1:]) < 3 or not len(images):
        raise ValueError(
            "expected images [n, height, width] of 3 pixels or more on each "
            f"side, found shape {images.shape}"
        )
    require_finite(images)
    starts = range(0, len(images), _CHUNK)
    return np.concatenate(
        [_uptake(images[start : start + _CHUNK]) for start in starts]
    )


def bland_altman(
    real_means: np.ndarray, synthetic_means: np.ndarray
) -> BlandAltman:
    """Bias and limits of agreement of paired numbers.

    Bland & Altman (1986), doi 10.1016/S0140-6736(86)90837-8: 95 % of the
    differences lie between the limits where they are normal.

    Synthetic and real images are not paired by nature. Pair each synthetic
    image with the nearest held-out real one (`metrics.pairing.nearest`) and,
    as the baseline, each real image with the nearest real one of another
    subject: nearness makes differences small in both alike. Slices of one
    subject are not independent; the interval of the bias is therefore that of
    `metrics.intervals.mean_interval` of the differences, over subjects.

    Args:
        real_means: `[n, ...]`, two or more; of `[n, 5]` from `regional_uptake`
            each band is taken on its own.
        synthetic_means: Those of the image each is paired with `[n, ...]`.

    Returns:
        Bias and limits `[...]`, and what the figure shows.

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


def _uptake(images: np.ndarray) -> np.ndarray:
    images, _ = checked_pair(images, images)
    strong = np.quantile(images, 0.99, axis=(1, 2))
    brain = images > np.maximum(_BRAIN * strong, 0)[:, None, None]
    rows, columns = (_thirds(brain.sum(axis=axis)) for axis in (2, 1))
    cells = [
        np.matmul(np.matmul(rows, x.astype(np.float64)), columns.swapaxes(1, 2))
        for x in (images * brain, brain, images, np.ones_like(images))
    ]
    uptake, inside, everything, area = map(_joined, cells)
    where = inside > 0
    sums, counts = (
        np.where(where, *pair)
        for pair in ((uptake, everything), (inside, area))
    )
    return np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)


def _thirds(counts: np.ndarray) -> np.ndarray:
    """Which lines belong to each third of the box `[n, 3, lines]`, as 0 and 1.

    Args:
        counts: Pixels of the brain in each line `[n, lines]`.
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


def _joined(cells: np.ndarray) -> np.ndarray:
    """Sums of nine cells `[n, 3, 3]` to those of the five bands `[n, 5]`."""
    outer = cells[:, [0, 2]].sum(axis=2)
    return np.concatenate([outer, cells[:, 1, [0, 2, 1]]], axis=1)
