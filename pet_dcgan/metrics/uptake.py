"""Uptake: histograms of SUVR and their distances."""

import numpy as np

from pet_dcgan.metrics.arrays import checked_pair, require_finite


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
