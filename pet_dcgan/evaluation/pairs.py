"""Images and the held-out real ones each of them is compared with."""

import dataclasses

import numpy as np

from pet_dcgan.metrics.pairing import nearest, random_pairs

RULES = {
    "nearest": (
        "each image with the held-out real image whose root mean square "
        "difference in SUVR is least; a real image only with those of other "
        "subjects, and a synthetic one without those of one subject as well, "
        "so that both have as many to be near to"
    ),
    "random": (
        "each image with a held-out real image drawn at random, seeded, with "
        "replacement; a real image only with those of other subjects, and a "
        "synthetic one with the same partner as a real one"
    ),
}


@dataclasses.dataclass(frozen=True)
class Pairs:
    """Images of one kind, each paired with held-out real ones by each rule.

    Args:
        images: `[n, size, size]` in SUVR.
        real: The held-out real images `[m, size, size]` in SUVR.
        partners: For each of `RULES`, indices `[n]` into `real`.
        distances: Root mean square difference to the nearest `[n]`, in SUVR.
    """

    images: np.ndarray
    real: np.ndarray
    partners: dict[str, np.ndarray]
    distances: np.ndarray

    def typical(self) -> tuple[np.ndarray, np.ndarray]:
        """An image and its nearest: the pair with the median distance.

        With an even number of pairs the nearer of the two in the middle.

        Returns:
            Both `[size, size]` in SUVR.
        """
        order = np.argsort(self.distances, kind="stable")
        row = order[(len(order) - 1) // 2]
        return self.images[row], self.real[self.partners["nearest"][row]]


def pair_with_real(
    images: np.ndarray,
    real: np.ndarray,
    *,
    seed: int,
    subjects: np.ndarray | None = None,
) -> Pairs:
    """Pairs images with held-out real ones by each of `RULES`.

    Args:
        images: `[n, size, size]` in SUVR.
        real: Held-out real images `[m, size, size]` in SUVR.
        seed: For the random pairs.
        subjects: Subject of each real image, as many as there are images.
            Image `i` is then not paired with a subject that is that of real
            image `i`: its own, where the images are the real ones. Synthetic
            images get as many candidates by it.

    Raises:
        ValueError: If an image has no partner.
    """
    apart = {"subjects": subjects, "pool_subjects": subjects}
    index, distances = nearest(images, real, **apart)
    drawn = random_pairs(len(images), len(real), seed=seed, **apart)
    partners = {"nearest": index, "random": drawn}
    return Pairs(images, real, partners, distances)
