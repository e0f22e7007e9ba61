"""What every metric asks of the arrays it is given."""

import numpy as np


def checked_pair(
    real: np.ndarray, image: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays as finite float64 `[..., height, width]` of one shape.

    Args:
        real: Real images.
        image: Images to compare with them.

    Returns:
        Both as float64.

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
    """Raises a `ValueError` if any array, of any shape, has NaN or infinity."""
    if not all(np.isfinite(a).all() for a in arrays):
        raise ValueError(
            "expected finite values, found NaN or infinity in an image: "
            "see whether the generator diverged"
        )


def checked_rows(*arrays: np.ndarray, least: int = 1) -> list[np.ndarray]:
    """Arrays as finite float64 rows `[n, d]` of one length `d`.

    Args:
        *arrays: Features `[n, d]`, or images `[n, height, width]`, each of
            which becomes a row.
        least: Rows that each array must have.

    Raises:
        ValueError: If the rows differ in shape, are too few, or a value is
            not finite.
    """
    arrays = tuple(np.asarray(a) for a in arrays)
    shapes = [a.shape for a in arrays]
    if any(a.ndim < 2 or a.shape[1:] != shapes[0][1:] for a in arrays):
        found = " and ".join(map(str, shapes))
        raise ValueError(
            f"expected rows [n, d] of one length, found shapes {found}: take "
            "the features of both by the same encoder"
        )
    if any(len(a) < least or 0 in a.shape for a in arrays):
        found = " and ".join(str(len(a)) for a in arrays)
        raise ValueError(
            f"expected at least {least} rows, found {found}: give more images"
        )
    require_finite(*arrays)
    return [a.reshape(len(a), -1).astype(np.float64) for a in arrays]
