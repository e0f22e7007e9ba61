"""States that a training should not be in, recognised and put in words.

Every threshold lies between what healthy and what failing trainings were
measured to do; docs/training-curves.md has the numbers.
"""

import dataclasses
from collections.abc import Sequence

from pet_dcgan import remedies
from pet_dcgan.config import TrainConfig

NON_FINITE = "non_finite"
# looks in a row that must show a state before it is said
LOOKS = 5
# as many again before a training is said to stand still
PATIENT_LOOKS = 10
# share of images that a discriminator recognises which has won, or lost
_ALL, _FEW = 0.99, 0.2
# the generator's loss where D(G(z)) is under 1 in 100, and above 7 in 10
_DEAF, _AT_EASE = 5.0, 0.35
_ALIKE = 0.45
_FEW_KINDS = 0.05
# a misfit of images that show nothing yet
_NOISE = 0.7
_FAR = 0.3
# the mean of all subjects would be at 0.71, by half of the variance
_COPIES = 0.6
# what diversity rises by, or misfit falls by, while a training learns
_RISE, _FALL = 0.05, 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """What was measured at the end of an epoch.

    Args:
        epoch: Counted from 1.
        d_loss: The discriminator's loss, mean over the epoch.
        g_loss: The generator's loss, mean over the epoch.
        real_accuracy: Share of real images called real.
        fake_accuracy: Share of generated images called generated.
        diversity: 1 where generated images differ as real ones do, 0 where
            all are one; as the next three, from `pet_dcgan.vitals.Vitals`.
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
            self.recognised < _ALL
            and self.fake_accuracy > _FEW
            and self.diversity > _ALIKE
            and self.distinctness > _FEW_KINDS
            and self.misfit < _FAR
            and not self.training_distance < _COPIES
        )

    @property
    def recognised(self) -> float:
        """Share of images recognised, of the kind recognised less."""
        return min(self.real_accuracy, self.fake_accuracy)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """A state that a training is in.

    Args:
        state: Its name, as `"collapse"`.
        words: What was seen, with the numbers.
        remedy: What to do, by the names of options.
        failure: Whether going on is a waste. Memorisation is none: the
            images are good, and what was kept from before can be used.
    """

    state: str
    words: str
    remedy: str
    failure: bool = True

    def __str__(self) -> str:
        return f"{self.words}: {self.remedy}"


def examine(looks: Sequence[Look], config: TrainConfig) -> list[Finding]:
    """Recognises the states a training is in by its last looks.

    A cause stands for its consequences: where one network has won, that
    images are alike or do not improve is not another state.

    Args:
        looks: All looks of the training so far, in order.
        config: What it was told, for the remedy.

    Returns:
        What `LOOKS` looks in a row agree on; empty in a healthy training.
    """
    if len(looks) < LOOKS:
        return []
    recent = looks[-LOOKS:]
    causes = (
        _discriminator_won(recent, config),
        _generator_won(recent, config),
        _collapse(recent, config),
        _no_progress(looks[-PATIENT_LOOKS:], config),
    )
    first = [finding for finding in causes if finding][:1]
    copies = _memorisation(recent, config)
    return [*first, *([copies] if copies else [])]


def non_finite(found: str) -> Finding:
    """The state of a training whose numbers are none any more.

    Args:
        found: What is not finite, and its value.
    """
    return Finding(
        state=NON_FINITE,
        words=f"the training has diverged ({found})",
        remedy=remedies.against_divergence(),
    )


def _discriminator_won(
    looks: Sequence[Look], config: TrainConfig
) -> Finding | None:
    if any(k.recognised < _ALL or k.g_loss < _DEAF for k in looks):
        return None
    last = looks[-1]
    return Finding(
        state="discriminator_won",
        words=(
            f"the discriminator has won (it recognises {last.recognised:.0%} "
            f"of all images, and at a loss of {last.g_loss:.1f} the generator "
            "learns next to nothing from it)"
        ),
        remedy=remedies.against_imbalance(config),
    )


def _generator_won(
    looks: Sequence[Look], config: TrainConfig
) -> Finding | None:
    # at the start a discriminator may recognise none for being undecided
    if any(k.fake_accuracy > _FEW or k.g_loss > _AT_EASE for k in looks):
        return None
    last = looks[-1]
    return Finding(
        state="generator_won",
        words=(
            "the generator has won (the discriminator recognises only "
            f"{last.fake_accuracy:.0%} of its images, so that whatever it "
            "draws passes)"
        ),
        remedy=remedies.against_imbalance(config),
    )


def _collapse(looks: Sequence[Look], config: TrainConfig) -> Finding | None:
    last = looks[-1]
    if last.misfit > _NOISE:  # a young generator's images are alike too
        return None
    if all(k.distinctness < _FEW_KINDS for k in looks):
        found = (
            f"each of its images has another one {last.distinctness:.0%} as "
            "far as real subjects are from each other"
        )
    elif _stays_alike(looks):
        found = (
            f"its images differ from each other {last.diversity:.0%} as much "
            "as those of real subjects do"
        )
    else:
        return None
    return Finding(
        state="collapse",
        words=f"the generator has collapsed ({found})",
        remedy=remedies.against_sameness(config),
    )


def _stays_alike(looks: Sequence[Look]) -> bool:
    rising = looks[-1].diversity > looks[0].diversity + _RISE
    alike = all(k.diversity < _ALIKE for k in looks)
    return alike and not rising and not _learns(looks)


def _no_progress(looks: Sequence[Look], config: TrainConfig) -> Finding | None:
    last = looks[-1]
    far = all(k.misfit > _FAR for k in looks)
    if len(looks) < PATIENT_LOOKS or not far or _learns(looks):
        return None
    return Finding(
        state="no_progress",
        words=(
            "the training makes no progress (its images are as unlike real "
            f"ones as at epoch {looks[0].epoch}, with a misfit of "
            f"{last.misfit:.2f})"
        ),
        remedy=remedies.against_imbalance(config),
    )


def _memorisation(looks: Sequence[Look], config: TrainConfig) -> Finding | None:
    # false for NaN as well
    if not all(k.training_distance < _COPIES for k in looks):
        return None
    return Finding(
        state="memorisation",
        words=(
            "the generator begins to memorise (its images lie "
            f"{looks[-1].training_distance:.0%} as far from the nearest "
            "training image as images of new subjects do)"
        ),
        remedy=remedies.against_copies(config),
        failure=False,
    )


def _learns(looks: Sequence[Look]) -> bool:
    """Whether images have come closer to real ones since the first look."""
    best = min(k.misfit for k in looks[1:])
    return best < looks[0].misfit * (1 - _FALL)
