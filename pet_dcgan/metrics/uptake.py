"""Uptake: histograms of SUVR, means of brain regions, and their agreement."""

from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import checked_pair, require_finite

_REGIONS = {
    "axial": ("front", "back", "left", "right", "centre"),
    "coronal": ("top", "bottom", "left", "right", "centre"),
    "sagittal": ("top", "bottom", "front", "back", "centre"),
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


def joint_histogram(
    x: np.ndarray, y: np.ndarray, *, suvr_max: float, bins: int = 64
) -> np.ndarray:
    """Share of pixels for each pair of intensities of two images.

    The 2-D histogram of Figure 9 in Islam & Zhang (2020), doi
    10.1186/s40708-020-00104-2: equal images fill only the diagonal.

    Args:
        x: Image or images `[..., height, width]` in SUVR.
        y: Array of the same shape; its intensities run along the second axis.
        suvr_max: Upper end of the bins, which start at 0; values outside
            count in the outermost bins.
        bins: Number of bins of each axis, all of one width.

    Returns:
        Shares `[bins, bins]` that sum to one, float64.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or `bins` or
            `suvr_max` is not positive.
    """
    x, y = checked_pair(x, y)
    cells = [_bins_of(v, bins, suvr_max).ravel() for v in (x, y)]
    counts = np.bincount(cells[0] * bins + cells[1], minlength=bins * bins)
    return counts.reshape(bins, bins) / counts.sum()


def intensity_histogram(
    images: np.ndarray, *, suvr_max: float, bins: int = 64
) -> np.ndarray:
    """Share of the pixels of each image in each bin of intensity.

    Arguments and errors are those of `joint_histogram`.

    Returns:
        Shares `[..., bins]`, those of an image summing to one, float64.
    """
    images, _ = checked_pair(images, images)
    count = int(np.prod(images.shape[:-2]))
    cells = _bins_of(images, bins, suvr_max).reshape(count, -1)
    cells += np.arange(count)[:, None] * bins
    counts = np.bincount(cells.ravel(), minlength=count * bins)
    return counts.reshape(*images.shape[:-2], bins) / cells.shape[1]


def _bins_of(x: np.ndarray, bins: int, suvr_max: float) -> np.ndarray:
    """The bin of each value."""
    if bins < 1 or not suvr_max > 0:
        raise ValueError(
            "histogram: expected at least one bin and a positive suvr_max, "
            f"found {bins} and {suvr_max}"
        )
    return np.clip(x / suvr_max * bins, 0, bins - 1).astype(np.int64)


def histogram_distance(
    a: np.ndarray, b: np.ndarray, *, suvr_max: float
) -> np.ndarray:
    """Wasserstein distance of two histograms over the same bins.

    Off from `wasserstein` by at most one bin; fast enough for resampling.

    Args:
        a: Shares `[..., bins]` from `intensity_histogram`.
        b: Shares of as many bins.
        suvr_max: Upper end of the histograms in SUVR.

    Returns:
        Distance in SUVR `[...]`, float64.

    Raises:
        ValueError: If the numbers of bins differ.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim < 1 or b.ndim < 1 or a.shape[-1] != b.shape[-1]:
        raise ValueError(
            f"expected two histograms of the same bins, found {a.shape} and "
            f"{b.shape}"
        )
    beyond = np.cumsum(a, axis=-1) - np.cumsum(b, axis=-1)
    return np.abs(beyond).sum(axis=-1) * suvr_max / a.shape[-1]


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein distance (of order 1) of two samples of intensities.

    How far SUVR has to be moved, on average, to turn one sample into the other
    (Vallender 1974, doi 10.1137/1118101). Exact; the samples may differ in
    size.

    Args:
        a: SUVR of any shape, such as all pixels of real images.
        b: SUVR of any shape.

    Returns:
        Distance in SUVR, 0 for equal samples.

    Raises:
        ValueError: If a sample is empty or a value is not finite.
    """
    a, b = (np.sort(np.asarray(x), axis=None) for x in (a, b))
    if not len(a) or not len(b):
        raise ValueError(
            f"expected two samples, found {len(a)} and {len(b)} values"
        )
    require_finite(a, b)
    if len(a) == len(b):
        return float(np.mean(np.abs(a - b), dtype=np.float64))
    # the quantile functions are flat between these ranks, as whole numbers
    rank_a, rank_b = (
        np.arange(1, len(x) + 1) * len(y) for x, y in ((a, b), (b, a))
    )
    ends = np.sort(np.concatenate([rank_a, rank_b]))
    apart = np.abs(
        a[np.searchsorted(rank_a, ends)].astype(np.float64)
        - b[np.searchsorted(rank_b, ends)]
    )
    return float(np.diff(ends, prepend=0) @ apart / ends[-1])


def region_names(plane: str) -> tuple[str, ...]:
    """Names of the five regions in slices of a plane.

    Args:
        plane: `"axial"`, `"coronal"` or `"sagittal"`.

    Returns:
        Names of the first and last rows, of the first and last columns
        between them, and of the middle.

    Raises:
        ValueError: If there is no such plane.
    """
    if plane not in _REGIONS:
        raise ValueError(
            f"expected a plane among {', '.join(_REGIONS)}, found {plane!r}"
        )
    return _REGIONS[plane]


def regional_uptake(images: np.ndarray) -> np.ndarray:
    """Mean SUVR of each image in five regions of its brain.

    The brain is where SUVR is above a fifth of the image's 99th percentile,
    which keeps white matter and leaves out most of the scalp. Of the box around
    it (less half a percent at each side, for stray pixels), two regions are the
    first and last third of the rows; the middle third is cut by columns. A mean
    is over the brain in a region, or over all of the region if it holds none.

    Args:
        images: `[n, height, width]` in SUVR.

    Returns:
        float64 `[n, 5]` in SUVR; 0 for an image without any.

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


def _uptake(images: np.ndarray) -> np.ndarray:
    """`regional_uptake` of one chunk."""
    images = images.astype(np.float64)
    strong = np.quantile(images, 0.99, axis=(1, 2))
    brain = images > np.maximum(_BRAIN * strong, 0)[:, None, None]
    rows, columns = (_thirds(brain.sum(axis=axis)) for axis in (2, 1))

    def region_sums(x: np.ndarray) -> np.ndarray:
        """Sums over the five regions `[n, 5]`."""
        nine = np.matmul(np.matmul(rows, x), columns.swapaxes(1, 2))
        outer = nine[:, [0, 2]].sum(axis=2)
        return np.concatenate([outer, nine[:, 1, [0, 2, 1]]], axis=1)

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
