"""One look at a training: what it measured, and whether that is sound.

Every threshold lies between what healthy and what failing trainings were
measured to do; docs/training-curves.md has the numbers.
"""

import dataclasses

# share of images that a discriminator recognises which wins, or loses
ALL, FEW = 0.99, 0.2
# diversity under which images are alike
ALIKE = 0.45
# distinctness under which images come in few kinds
FEW_KINDS = 0.05
# misfit above which images are bad, and above which they are noise
FAR, NOISE = 0.3, 0.7
# distance under which images copy; the mean of all subjects would be at 0.71,
# by half of the variance
COPIES = 0.6


@dataclasses.dataclass(frozen=True, kw_only=True)
class HealthLook:
    """What was measured at the end of an epoch.

    Args:
        epoch: Counted from 1.
        d_loss: The discriminator's loss, mean over the epoch.
        g_loss: The generator's loss, mean over the epoch.
        real_accuracy: Share of real images called real.
        fake_accuracy: Share of generated images called generated.
        diversity: 1 where generated images differ as real ones do, 0 where
            all are one; as the next three, from
            `pet_dcgan.health.vitals.Vitals`.
        distinctness: 0 where generated images come in few kinds.
        misfit: 0 where generated images are distributed as real ones, up to
            1.
        training_distance: About 1 for images as new as those of a new
            subject, 0 for copies.
    """

    epoch: int
    d_loss: float
    g_loss: float
    real_accuracy: float
    fake_accuracy: float
    diversity: float
    distinctness: float
    misfit: float
    training_distance: float

    @property
    def sound(self) -> bool:
        """Whether this look alone shows nothing of any state."""
        return (
            self.recognised < ALL
            and self.fake_accuracy > FEW
            and self.diversity > ALIKE
            and self.distinctness > FEW_KINDS
            and self.misfit < FAR
            and not self.training_distance < COPIES
        )

    @property
    def recognised(self) -> float:
        """Share of images recognised, of the kind recognised less."""
        return min(self.real_accuracy, self.fake_accuracy)
