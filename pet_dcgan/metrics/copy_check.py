"""Everything that tells of copies, and what it comes to in words."""

import dataclasses

import numpy as np

from pet_dcgan.metrics.alignment import centred
from pet_dcgan.metrics.copies import CopyTest, authenticity, copy_test
from pet_dcgan.metrics.neighbours import nearest_rows, subject_ratios

# a twin is twice as near to one training subject as to any other
TWIN_RATIO = 0.5
_TWIN_SHARE = 0.01
_P_VALUE = 0.01
_FAR = 3.0


@dataclasses.dataclass(frozen=True)
class CopyCheck:
    """What was found about copies.

    Args:
        test: C_T, a held-out subject counting as one observation.
        authenticity: Share of synthetic images that are no copy, the other
            training image being of another subject.
        held_out_authenticity: The same for held-out real images.
        twins: Share of synthetic images that lie less than half as far from
            one training subject as from any other.
        held_out_twins: The same for held-out real images.
        held_out_subjects: Their number.
        nearest: Training image nearest to each synthetic one `[n]`.
        ratios: Distance of each synthetic image to its nearest training
            subject, divided by that to the second nearest `[n]`; the lowest
            are the pairs to look at.
    """

    test: CopyTest
    authenticity: float
    held_out_authenticity: float
    twins: float
    held_out_twins: float
    held_out_subjects: int
    nearest: np.ndarray
    ratios: np.ndarray

    @property
    def verdict(self) -> str:
        """`"copies"`, `"nearer"`, `"no sign"` or `"too far to tell"`."""
        if self.twins > max(_TWIN_SHARE, 3 * self.held_out_twins):
            return "copies"
        if self.test.p_value < _P_VALUE:
            return "nearer"
        return "too far to tell" if self.test.z_score > _FAR else "no sign"

    @property
    def words(self) -> str:
        """The verdict in a sentence or two, with what it rests on."""
        numbers = (
            f"{self.twins:.1%} of the synthetic images lie less than half as "
            "far from one training subject as from any other (held-out real "
            f"images: {self.held_out_twins:.1%}), and a synthetic image is "
            "nearer to the training images than a held-out one with "
            f"probability {self.test.share_nearer:.2f} (0.5 is as near; "
            f"C_T {self.test.z_score:+.1f} by {self.held_out_subjects} "
            "held-out subjects)"
        )
        return f"{_OPENINGS[self.verdict]} {numbers}."


_OPENINGS = {
    "copies": "Copies of training subjects:",
    "nearer": (
        "No copies, but nearer to the training images than new subjects are, "
        "be it that they remember them or that they are too smooth; look at "
        "the nearest pairs:"
    ),
    "no sign": "No sign of copies:",
    "too far to tell": (
        "No sign of copies, though images as far from all real ones would "
        "show none:"
    ),
}


def check_copies(
    train: np.ndarray,
    held_out: np.ndarray,
    synthetic: np.ndarray,
    *,
    train_subjects: np.ndarray,
    held_out_subjects: np.ndarray,
) -> CopyCheck:
    """Looks for training images among synthetic ones.

    Images are compared centred and pooled to 32x32 (`centred`), so that a
    shift of a few pixels, noise, or some blur does not hide a copy. Not
    recognised are mirrored copies, mixtures of several subjects, and copies
    whose uptake is scaled by more than about a tenth.

    A twin compares an image with training subjects alone, so it needs no
    held-out subjects and finds single copies among many honest images, which
    the C_T test, a test of the whole, does not.

    Args:
        train: Training slices `[l, size, size]` in SUVR.
        held_out: Slices of subjects that were not trained on `[m, ...]`.
        synthetic: Synthetic slices `[n, ...]`, of seeds drawn independently.
        train_subjects: Subject of each training slice, two or more.
        held_out_subjects: Subject of each held-out slice.

    Raises:
        ValueError: If the shapes do not fit, a value is not finite, or there
            are fewer than two training subjects.
    """
    train, held_out, synthetic = map(centred, (train, held_out, synthetic))
    of_synthetic, of_held_out = (
        subject_ratios(images, train, train_subjects)
        for images in (synthetic, held_out)
    )
    return CopyCheck(
        test=copy_test(
            train, held_out, synthetic, held_out_subjects=held_out_subjects
        ),
        authenticity=authenticity(train, synthetic, subjects=train_subjects),
        held_out_authenticity=authenticity(
            train, held_out, subjects=train_subjects
        ),
        twins=float(np.mean(of_synthetic < TWIN_RATIO)),
        held_out_twins=float(np.mean(of_held_out < TWIN_RATIO)),
        held_out_subjects=len(np.unique(held_out_subjects)),
        nearest=nearest_rows(synthetic, train)[0],
        ratios=of_synthetic,
    )
