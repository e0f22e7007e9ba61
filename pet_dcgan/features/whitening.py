"""Correlated numbers of a network to features of about one scale."""

import dataclasses

import numpy as np

RIDGE = 1.0


@dataclasses.dataclass(frozen=True)
class Whitening:
    """A linear map fitted to what a network makes of training images.

    Args:
        mean: Numbers of the network `[r]`, on average.
        basis: What turns `[n, r]` without its mean to features `[n, d]`.
    """

    mean: np.ndarray
    basis: np.ndarray

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Features float32 `[n, d]` of the network's numbers `[n, r]`."""
        return ((raw - self.mean) @ self.basis).astype(np.float32)


def fit_whitening(raw: np.ndarray, *, components: int) -> Whitening:
    """Standardises, rotates to principal components and evens these out.

    A component of variance `v` is divided by `sqrt(v + RIDGE)`, so that few
    large ones do not speak for all in a polynomial kernel, and ones that are
    mere noise in few images are not blown up.

    Args:
        raw: Numbers of a network `[n, r]` for training images.
        components: Features to keep, those of the largest variance.
    """
    raw = np.asarray(raw, np.float64)
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    # a number that never changes says nothing, however it is scaled
    spread = np.where(spread > 1e-8 * (1 + np.abs(mean)), spread, 1.0)
    standard = (raw - mean) / spread
    values, vectors = np.linalg.eigh(standard.T @ standard / len(raw))
    values, vectors = values[::-1][:components], vectors[:, ::-1]
    scale = 1 / np.sqrt(np.maximum(values, 0) + RIDGE)
    basis = vectors[:, :components] / spread[:, None] * scale
    return Whitening(mean, basis)
