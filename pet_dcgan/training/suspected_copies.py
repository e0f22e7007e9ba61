"""Suspected copies among what a generator draws while it is trained."""

import numpy as np

from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.metrics.centring import centred
from pet_dcgan.metrics.copy_search import search
from pet_dcgan.metrics.repeated_subjects import merged_subjects

_CHUNK = 512


class SuspectedCopies:
    """Images like one training subject and no other, as `evaluate` finds them.

    With few training subjects slices of new people are suspects as well
    (`pet_dcgan.metrics.copy_search`), so only what goes beyond their share
    counts. Of one subject, or of several whose slices are near duplicates,
    copies cannot be told, and there are none.

    Args:
        train: Training slices as stored, uint16 `[n, size, size]`, in memory
            or on disk.
        subjects: Subject of each `[n]`.
        suvr_max: SUVR of the stored value 65535.
        held_out: Slices of others `[m, size, size]` in SUVR.

    Raises:
        ValueError: If the shapes do not fit, or the size is no multiple of 32.
    """

    def __init__(
        self,
        train: np.ndarray,
        subjects: np.ndarray,
        *,
        suvr_max: float,
        held_out: np.ndarray,
    ) -> None:
        self.train = centred_stored(train, suvr_max)
        self.owners = merged_subjects(self.train, subjects)
        self.held_out_share = self._share(held_out)

    def excess(self, images: np.ndarray) -> float:
        """Share of suspects beyond that among held-out slices, 0 to 1.

        Args:
            images: Synthetic slices `[n, size, size]` in SUVR.

        Raises:
            ValueError: If a value is not finite.
        """
        return max(0.0, self._share(images) - self.held_out_share)

    def _share(self, images: np.ndarray) -> float:
        """Share of suspects among images in SUVR."""
        if not self.owners.any():  # numbered from 0
            return 0.0
        found = search(centred(images), self.train, self.owners)
        return float(found.suspects.mean())


def centred_stored(stored: np.ndarray, suvr_max: float) -> np.ndarray:
    """Like `centred`, for images as a prepared set stores them.

    A part at a time, since all in full may be much.

    Args:
        stored: uint16 `[n, size, size]`, one or more, in memory or on disk.
        suvr_max: SUVR of the stored value 65535.

    Returns:
        float32 `[n, 32, 32]`.

    Raises:
        ValueError: If the images are of another kind or shape.
    """
    parts = [
        centred(suvr_from_png(stored[start : start + _CHUNK], suvr_max))
        for start in range(0, len(stored), _CHUNK)
    ]
    return np.concatenate(parts)
