"""States that a training should not be in, recognised and put in words.

Every threshold lies between what healthy and what failing trainings were
measured to do; docs/training-curves.md has the numbers.
"""

import dataclasses
from collections.abc import Callable, Sequence

from pet_dcgan.config import TrainConfig
from pet_dcgan.training.health import remedies

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
            `pet_dcgan.training.health.vitals.Vitals`.
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


NON_FINITE = "non_finite"
# Looks in a row that show a state when it is said, for standing still, and
# when it is a failure: what had not gone by itself until then did not go.
LOOKS, PATIENT_LOOKS, FAILED_LOOKS = 5, 10, 20
# the generator's loss where D(G(z)) is under 1 in 100, and above 7 in 10
_DEAF, _AT_EASE = 5.0, 0.35
# what diversity rises by, or misfit falls by, while a training learns
_RISE, _FALL = 0.05, 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class HealthFinding:
    """A state that a training is in.

    Args:
        state: Its name, as `"collapse"`.
        words: What was seen, with the numbers.
        remedy: What to do, by the names of options.
        failure: Whether going on is a waste, as the state has lasted long.
            Memorisation is never one: the images are good, and what was kept
            from before can be used.
    """

    state: str
    words: str
    remedy: str
    failure: bool = False

    def __str__(self) -> str:
        return f"{self.words}: {self.remedy}"


def examine(
    looks: Sequence[HealthLook], config: TrainConfig
) -> list[HealthFinding]:
    """Recognises the states a training is in by its last looks.

    A cause stands for its consequences: where one network is winning, that
    images are alike is not another state, and that they do not improve is
    none where a cause was found not long ago.

    Args:
        looks: All looks of the training so far, in order.
        config: What it was told, for the remedy.

    Returns:
        What the last looks agree on; empty in a healthy training.
    """
    found = [_cause(looks, config)]
    lately = range(len(looks) - PATIENT_LOOKS + 1, len(looks) + 1)
    if not any(_cause(looks[: max(n, 0)], config) for n in lately):
        found = [_lasting(_no_progress, looks, PATIENT_LOOKS, config)]
    if len(looks) >= LOOKS:
        found.append(_memorisation(looks[-LOOKS:], config))
    return [finding for finding in found if finding]


def _cause(
    looks: Sequence[HealthLook], config: TrainConfig
) -> HealthFinding | None:
    """The state that keeps a training from learning, if any does."""
    for detector in (_discriminator_winning, _generator_winning, _collapse):
        finding = _lasting(detector, looks, LOOKS, config)
        if finding:
            return finding
    return None


def _lasting(
    detector: Callable[
        [Sequence[HealthLook], TrainConfig], HealthFinding | None
    ],
    looks: Sequence[HealthLook],
    count: int,
    config: TrainConfig,
) -> HealthFinding | None:
    """What `count` looks show, a failure where many do."""
    if len(looks) < count:
        return None
    finding = detector(looks[-count:], config)
    if finding is None or len(looks) < FAILED_LOOKS:
        return finding
    long = detector(looks[-FAILED_LOOKS:], config) is not None
    return dataclasses.replace(finding, failure=long)


def non_finite(found: str) -> HealthFinding:
    """The state of a training whose numbers are none any more.

    Args:
        found: What is not finite, and its value.
    """
    return HealthFinding(
        state=NON_FINITE,
        words=f"the training has diverged ({found})",
        remedy=remedies.against_divergence(),
        failure=True,
    )


def _discriminator_winning(
    looks: Sequence[HealthLook], config: TrainConfig
) -> HealthFinding | None:
    deaf = all(k.g_loss > _DEAF for k in looks)
    bad = all(k.misfit > FAR for k in looks) and not _learns(looks)
    if any(k.recognised < ALL for k in looks) or not (deaf or bad):
        return None
    last = looks[-1]
    return HealthFinding(
        state="discriminator_winning",
        words=(
            "the discriminator is winning (it recognises "
            f"{last.recognised:.0%} of all images, and at a loss of "
            f"{last.g_loss:.1f} the generator learns next to nothing from it)"
        ),
        remedy=remedies.against_imbalance(config),
    )


def _generator_winning(
    looks: Sequence[HealthLook], config: TrainConfig
) -> HealthFinding | None:
    # at the start a discriminator may recognise none for being undecided
    if any(k.fake_accuracy > FEW or k.g_loss > _AT_EASE for k in looks):
        return None
    last = looks[-1]
    return HealthFinding(
        state="generator_winning",
        words=(
            "the generator is winning (the discriminator recognises only "
            f"{last.fake_accuracy:.0%} of its images, so that whatever it "
            "draws passes)"
        ),
        remedy=remedies.against_imbalance(config),
    )


def _collapse(
    looks: Sequence[HealthLook], config: TrainConfig
) -> HealthFinding | None:
    last = looks[-1]
    if last.misfit > NOISE:  # a young generator's images are alike too
        return None
    if all(k.distinctness < FEW_KINDS for k in looks):
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
    return HealthFinding(
        state="collapse",
        words=f"the generator has collapsed ({found})",
        remedy=remedies.against_sameness(config),
    )


def _stays_alike(looks: Sequence[HealthLook]) -> bool:
    rising = looks[-1].diversity > looks[0].diversity + _RISE
    alike = all(k.diversity < ALIKE for k in looks)
    return alike and not rising and not _learns(looks)


def _no_progress(
    looks: Sequence[HealthLook], config: TrainConfig
) -> HealthFinding | None:
    last = looks[-1]
    far = all(k.misfit > FAR for k in looks)
    if not far or _learns(looks):
        return None
    return HealthFinding(
        state="no_progress",
        words=(
            "the training makes no progress (its images are as unlike real "
            f"ones as at epoch {looks[0].epoch}, with a misfit of "
            f"{last.misfit:.2f})"
        ),
        remedy=remedies.against_imbalance(config),
    )


def _memorisation(
    looks: Sequence[HealthLook], config: TrainConfig
) -> HealthFinding | None:
    # false for NaN as well
    if not all(k.training_distance < COPIES for k in looks):
        return None
    return HealthFinding(
        state="memorisation",
        words=(
            "the generator begins to memorise (its images lie "
            f"{looks[-1].training_distance:.0%} as far from the nearest "
            "training image as images of new subjects do)"
        ),
        remedy=remedies.against_copies(config),
    )


def _learns(looks: Sequence[HealthLook]) -> bool:
    """Whether images have come closer to real ones since the first look."""
    best = min(k.misfit for k in looks[1:])
    return best < looks[0].misfit * (1 - _FALL)
