"""States of a failing training, and which options help against each.

Every threshold lies between what healthy and failing trainings were measured
to do; docs/training-curves.md has the numbers.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pet_dcgan.config import TrainConfig
from pet_dcgan.training import remedies
from pet_dcgan.training.condition_health import (
    describe_collapse,
    describe_ignored,
    is_failing,
)
from pet_dcgan.training.condition_vitals import ConditionalRecord
from pet_dcgan.training.vitals import HealthRecord

# share of images a winning discriminator recognises, and a losing one
ALL, FEW = 0.99, 0.2
# diversity below which images are alike
ALIKE = 0.45
# distinctness below which images come in few kinds
FEW_KINDS = 0.05
# misfit above which images are bad, and above which they are noise
FAR, NOISE = 0.3, 0.7
# distance below which images are copies; the mean of all subjects would be
# at 0.71, half the variance
COPIES = 0.6
# records in a row that show a state before it is reported, the same for no
# progress, and the number after which it counts as a failure
WINDOW, LONG_WINDOW, FAILURE_WINDOW = 5, 10, 20
# the generator's loss where D(G(z)) is below 0.01, and above 0.7
_VANISHING_LOSS, _EASY_LOSS = 5.0, 0.35
# rise of diversity, and relative fall of misfit, while a training learns
_RISE, _FALL = 0.05, 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class HealthFinding:
    """A state that a training is in.

    Args:
        state: Its name, as `"collapse"`.
        description: What was measured.
        remedy: The options that help.
        failure: Whether it has lasted too long to go on. Memorisation never
            is: the images are good, and the best generator so far is usable.
    """

    state: str
    description: str
    remedy: str
    failure: bool = False

    def __str__(self) -> str:
        return f"{self.description}: {self.remedy}"


def is_healthy(record: HealthRecord) -> bool:
    """Whether one record alone shows no sign of any state."""
    return (
        _recognised(record) < ALL
        and record.fake_accuracy > FEW
        and record.diversity > ALIKE
        and record.distinctness > FEW_KINDS
        and record.misfit < FAR
        and not record.training_distance < COPIES
        and not (isinstance(record, ConditionalRecord) and is_failing(record))
    )


def non_finite(found: str) -> HealthFinding:
    """The state of a diverged training.

    Args:
        found: What is not finite, and its value.
    """
    return HealthFinding(
        state="non_finite",
        description=f"the training has diverged ({found})",
        remedy="train under another --run with lower --set g_learning_rate= "
        "and --set d_learning_rate=",
        failure=True,
    )


def examine(
    records: Sequence[HealthRecord], config: TrainConfig
) -> list[HealthFinding]:
    """Finds the states that the last records of a training agree on.

    A cause hides its consequences: sameness is not reported where one network
    is winning, nor lack of progress where a cause was found recently, nor what
    becomes of conditions where either is.

    Args:
        records: All records of the training so far, in order.
        config: Its configuration, for the remedy.

    Returns:
        What was found; empty for a healthy training.
    """
    found = [_cause(records)]
    recent = range(len(records) - LONG_WINDOW + 1, len(records) + 1)
    if not any(_cause(records[: max(end, 0)]) for end in recent):
        found = [_detect("no_progress", records)]
    last = records[-1] if records else None
    if not any(found) and isinstance(last, ConditionalRecord):
        found = [_detect(name, records) for name in _OF_CONDITIONS]
    found.append(_detect("memorisation", records))
    return [
        HealthFinding(
            state=name,
            description=description,
            remedy=remedies.joined(_STATES[name].options(config), config),
            failure=bool(
                _STATES[name].can_fail
                and _detect(name, records, FAILURE_WINDOW)
            ),
        )
        for name, description in filter(None, found)
    ]


def _cause(records: Sequence[HealthRecord]) -> tuple[str, str] | None:
    """The state that keeps a training from learning, if any."""
    causes = ("discriminator_winning", "generator_winning", "collapse")
    found = (_detect(name, records) for name in causes)
    return next(filter(None, found), None)


def _detect(
    name: str, records: Sequence[HealthRecord], window: int | None = None
) -> tuple[str, str] | None:
    """A state and its description, if the last records show it."""
    window = window or _STATES[name].window
    if len(records) < window:
        return None
    description = _STATES[name].describe(records[-window:])
    return (name, description) if description else None


def _discriminator_winning(records: Sequence[HealthRecord]) -> str:
    """Describes a generator that gets no usable gradient."""
    vanishing = all(_generator_loss(r) > _VANISHING_LOSS for r in records)
    bad = all(r.misfit > FAR for r in records) and not _learns(records)
    if any(_recognised(r) < ALL for r in records) or not (vanishing or bad):
        return ""
    return (
        "the discriminator is winning (it recognises "
        f"{_recognised(records[-1]):.0%} of all images, and at a loss of "
        f"{records[-1].g_loss:.1f} the generator learns next to nothing "
        "from it)"
    )


def _generator_winning(records: Sequence[HealthRecord]) -> str:
    """Describes a discriminator that accepts every generated image."""
    # early on a discriminator may recognise none because it is undecided
    if any(
        r.fake_accuracy > FEW or _generator_loss(r) > _EASY_LOSS
        for r in records
    ):
        return ""
    return (
        "the generator is winning (the discriminator recognises only "
        f"{records[-1].fake_accuracy:.0%} of its images, so anything it draws "
        "passes)"
    )


def _collapse(records: Sequence[HealthRecord]) -> str:
    """Describes images that are alike, or come in few kinds."""
    first, last = records[0], records[-1]
    if last.misfit > NOISE:  # a young generator's images are alike too
        return ""
    if all(r.distinctness < FEW_KINDS for r in records):
        return (
            "the generator has collapsed (the distance of an image to the "
            f"nearest other is {last.distinctness:.0%} of that between two "
            "real subjects)"
        )
    alike = all(r.diversity < ALIKE for r in records)
    rising = last.diversity > first.diversity + _RISE
    if not alike or rising or _learns(records):
        return ""
    return (
        "the generator has collapsed (its images differ from each other "
        f"only {last.diversity:.0%} as much as those of real subjects)"
    )


def _no_progress(records: Sequence[HealthRecord]) -> str:
    """Describes images that stay unlike real ones."""
    if not all(r.misfit > FAR for r in records) or _learns(records):
        return ""
    return (
        "the training makes no progress (its images are as unlike real ones "
        f"as at epoch {records[0].epoch}, with a misfit of "
        f"{records[-1].misfit:.2f})"
    )


def _memorisation(records: Sequence[HealthRecord]) -> str:
    """Describes images that are copies of training images."""
    # false for NaN as well
    if not all(r.training_distance < COPIES for r in records):
        return ""
    return (
        "the generator has begun to memorise (its images lie "
        f"{records[-1].training_distance:.0%} as far from the nearest "
        "training image as images of new subjects do)"
    )


def _recognised(record: HealthRecord) -> float:
    """Share of images recognised, of the kind recognised less often."""
    return min(record.real_accuracy, record.fake_accuracy)


def _generator_loss(record: HealthRecord) -> float:
    """The generator's loss, for each question of the discriminator."""
    questions = 1.0
    if isinstance(record, ConditionalRecord):
        questions += record.label_weight
    return record.g_loss / questions


def _learns(records: Sequence[HealthRecord]) -> bool:
    """Whether images have come closer to real ones since the first record."""
    best = min(r.misfit for r in records[1:])
    return best < records[0].misfit * (1 - _FALL)


class _State(NamedTuple):
    """How a state is described from its records, and the options against it."""

    describe: Callable[[Sequence[HealthRecord]], str]
    options: Callable[[TrainConfig], list[str]]
    window: int = WINDOW
    can_fail: bool = True


_OF_CONDITIONS = ("conditional_collapse", "condition_ignored")
_STATES = {
    "discriminator_winning": _State(_discriminator_winning, remedies.balance),
    "generator_winning": _State(_generator_winning, remedies.balance),
    "collapse": _State(_collapse, remedies.variety),
    "no_progress": _State(_no_progress, remedies.balance, LONG_WINDOW),
    "conditional_collapse": _State(
        describe_collapse, remedies.variety_within_conditions
    ),
    "condition_ignored": _State(
        describe_ignored,
        remedies.obedience,
        LONG_WINDOW,
        can_fail=False,
    ),
    "memorisation": _State(_memorisation, remedies.novelty, can_fail=False),
}
