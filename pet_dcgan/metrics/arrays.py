"""Checks of the arrays that metrics take."""

import numpy as np


def checked_pair(
    real: np.ndarray, image: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays as finite float64 `[..., height, width]` of the same shape.

    Args:
        real: Real images.
        image: Images to compare with them.

    Returns:
        The two arrays.

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
    """Raises a `ValueError` if an array of any shape holds NaN or infinity."""
    if not all(np.isfinite(a).all() for a in arrays):
        raise ValueError(
            "expected finite values, found NaN or infinity in an image: "
            "check whether the generator diverged"
        )


def checked_rows(*arrays: np.ndarray, least: int = 1) -> list[np.ndarray]:
    """Arrays as finite float64 rows `[n, d]` of the same length `d`.

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
            f"expected rows [n, d] of one length, found shapes {found}: use "
            "the same encoder for both"
        )
    if any(len(a) < least or 0 in a.shape for a in arrays):
        found = " and ".join(str(len(a)) for a in arrays)
        raise ValueError(
            f"expected at least {least} rows, found {found}: use more images"
        )
    require_finite(*arrays)
    return [a.reshape(len(a), -1).astype(np.float64) for a in arrays]


def subject_codes(
    subjects: np.ndarray | None, count: int, *, least: int = 1
) -> np.ndarray:
    """The subject of each row as a number from 0.

    Args:
        subjects: Names `[count]`; None if every row is a subject of its own.
        count: Number of rows.
        least: How many different subjects there must be.

    Returns:
        int64 `[count]`, in the order of the names.

    Raises:
        ValueError: If the count differs or there are too few subjects.
    """
    if subjects is None:
        return np.arange(count)
    names, codes = np.unique(subjects, return_inverse=True)
    if len(codes) != count or len(names) < least:
        raise ValueError(
            f"expected a subject for each of {count} rows and at least "
            f"{least} different subjects, found {len(codes)} and {len(names)}"
        )
    return codes
