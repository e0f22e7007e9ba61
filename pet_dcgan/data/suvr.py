"""SUVR as stored in a 16-bit PNG.

Both maps are linear: a stored `v` is `v / 65535 * suvr_max`, a network's `x`
is `(x + 1) / 2 * suvr_max` (see `pet_dcgan.models.sampling`). Images therefore
stay quantitative all the way.
"""

import numpy as np

PNG_MAX = 65535


def suvr_from_png(stored: np.ndarray, suvr_max: float) -> np.ndarray:
    """Stored values to SUVR.

    Args:
        stored: uint16 array of any shape.
        suvr_max: SUVR that 65535 stands for, above 0.

    Returns:
        float32 array of the same shape in [0, suvr_max].

    Raises:
        ValueError: If `stored` is not uint16, or `suvr_max` not above 0.
    """
    stored = np.asarray(stored)
    if stored.dtype != np.uint16:
        raise ValueError(
            f"expected stored pixels as uint16, found {stored.dtype}"
        )
    suvr = np.empty(stored.shape, np.float32)
    # rounded once, without an array of doubles in between
    factor = _positive(suvr_max) / PNG_MAX
    return np.multiply(stored, factor, out=suvr, dtype=np.float64)


def png_from_suvr(suvr: np.ndarray, suvr_max: float) -> np.ndarray:
    """SUVR to stored values, clipped to [0, suvr_max] and rounded.

    Args:
        suvr: Finite array of any shape.
        suvr_max: SUVR that 65535 stands for, above 0.

    Returns:
        uint16 array of the same shape.

    Raises:
        ValueError: If a value is not finite, or `suvr_max` not above 0.
    """
    suvr = np.asarray(suvr, np.float64)
    if not np.isfinite(suvr).all():
        raise ValueError(
            "expected finite SUVR values, found "
            f"{np.count_nonzero(~np.isfinite(suvr))} NaN or infinite ones"
        )
    scaled = np.clip(suvr / _positive(suvr_max), 0.0, 1.0) * PNG_MAX
    return np.rint(scaled).astype(np.uint16)


def _positive(suvr_max: float) -> float:
    """The SUVR of full scale, if it is finite and above 0."""
    if not (np.isfinite(suvr_max) and suvr_max > 0):
        raise ValueError(f"expected suvr_max above 0, found {suvr_max!r}")
    return float(suvr_max)
