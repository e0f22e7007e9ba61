"""Suspected copies among what a generator draws while it is trained."""

import numpy as np

from pet_dcgan.data.suvr import suvr_from_png
from pet_dcgan.metrics.centring import centred_images
from pet_dcgan.metrics.copy_search import search
from pet_dcgan.metrics.repeated_subjects import merged_subjects

_CHUNK = 512
_VOLUMES = 16  # of a chunk


class SuspectedCopies:
    """Images like one training subject and no other, as `evaluate` finds them.

    With few training subjects images of new people are suspects as well
    (`pet_dcgan.metrics.copy_search`), so only what goes beyond their share
    counts. Of one subject, or of several whose images are near duplicates,
    copies cannot be told, and there are none.

    Args:
        train: Training slices as stored, uint16 `[n, size, size]`, or volumes
            `[n, size, size, size]`, in memory or on disk.
        subjects: Subject of each `[n]`.
        suvr_max: SUVR of the stored value 65535.
        held_out: Images of others in SUVR, of the same shape.

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
        self.held_out_share = self._share(centred_images(held_out))

    def excess(self, rows: np.ndarray) -> float:
        """Share of suspects beyond that among held-out images, 0 to 1.

        Args:
            rows: Synthetic images `[n, 32, 32]`, volumes `[n, 16, 16, 16]`,
                from `pet_dcgan.metrics.centring.centred_images`.

        Raises:
            ValueError: If a value is not finite.
        """
        return max(0.0, self._share(rows) - self.held_out_share)

    def _share(self, rows: np.ndarray) -> float:
        """Share of suspects among centred images."""
        if not self.owners.any():  # numbered from 0
            return 0.0
        found = search(rows, self.train, self.owners)
        return float(found.suspects.mean())


def centred_stored(stored: np.ndarray, suvr_max: float) -> np.ndarray:
    """Like `centred_images`, for images as a prepared set stores them.

    A part at a time, since all in full may be much.

    Args:
        stored: uint16 `[n, size, size]`, or `[n, size, size, size]`, one or
            more, in memory or on disk.
        suvr_max: SUVR of the stored value 65535.

    Returns:
        float32 `[n, 32, 32]`, of volumes `[n, 16, 16, 16]`.

    Raises:
        ValueError: If the images are of another kind or shape.
    """
    chunk = _VOLUMES if stored.ndim == 4 else _CHUNK
    parts = [
        centred_images(suvr_from_png(stored[start : start + chunk], suvr_max))
        for start in range(0, len(stored), chunk)
    ]
    return np.concatenate(parts)
