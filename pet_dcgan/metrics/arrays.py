"""What every metric asks of the arrays it is given."""

import numpy as np


def checked_pair(
    real: np.ndarray, image: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays as finite float64 `[..., height, width]` of one shape.

    Raises:
        ValueError: If the shapes differ or a value is not finite.
    """
    real = np.asarray(real, np.float64)
    image = np.asarray(image, np.float64)
    if real.shape != image.shape or real.ndim < 2 or 0 in real.shape[-2:]:
        raise ValueError(
            "expected two arrays of one shape [..., height, width], found "
            f"{real.shape} and {image.shape}: pair the images first"
        )
    require_finite(real, image)
    return real, image


def require_finite(*arrays: np.ndarray) -> None:
    """Raises a `ValueError` if any array holds a NaN or an infinity."""
    if not all(np.isfinite(a).all() for a in arrays):
        raise ValueError(
            "expected finite values, found NaN or infinity in an image: "
            "see whether the generator diverged"
        )
