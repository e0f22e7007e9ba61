"""Joint histogram of the pixel intensities of two images."""

import numpy as np

from pet_dcgan.metrics.arrays import checked_pair


def joint_histogram(
    x: np.ndarray, y: np.ndarray, *, suvr_max: float, bins: int = 64
) -> np.ndarray:
    """Share of pixels for each pair of intensities of two images.

    The 2-D histogram of Figure 9 in Islam & Zhang (2020), doi
    10.1186/s40708-020-00104-2: two equal images fill the diagonal only, two
    images that are alike lie close to it.

    Args:
        x: Image or images `[..., height, width]` in SUVR.
        y: Array of the same shape; its intensities run along the second axis.
        suvr_max: Intensities from 0 to this are counted; values outside are
            counted in the outermost bins.
        bins: Number of bins of each axis, all of one width.

    Returns:
        Shares `[bins, bins]` that sum to one, float64.

    Raises:
        ValueError: If the shapes differ, a value is not finite, or `bins` or
            `suvr_max` is not positive.
    """
    if bins < 1 or not suvr_max > 0:
        raise ValueError(
            "joint_histogram: expected at least one bin and a positive "
            f"suvr_max, found {bins} and {suvr_max}"
        )
    x, y = checked_pair(x, y)
    cells = [
        np.clip(v / suvr_max * bins, 0, bins - 1).astype(np.int64).ravel()
        for v in (x, y)
    ]
    counts = np.bincount(cells[0] * bins + cells[1], minlength=bins * bins)
    return counts.reshape(bins, bins) / counts.sum()
