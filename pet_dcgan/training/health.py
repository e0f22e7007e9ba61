"""States of a failing training, and which options help against each.

Every threshold lies between what healthy and failing trainings were measured
to do; docs/training-curves.md has the numbers. The learning rates advised are
those of the robust preset: every training there whose settings were sensible
became healthy with them, and none did with the failing rates.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pet_dcgan.config import AUGMENTATIONS, TrainConfig
from pet_dcgan.presets import FEW_COPIES_BEND_MM, PRESETS
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
_PRESET = "robust"
_RATES = ("g_learning_rate", "d_learning_rate")


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
    is winning, nor lack of progress where a cause was found recently.

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
    found.append(_detect("memorisation", records))
    return [
        HealthFinding(
            state=name,
            description=description,
            remedy=_remedy(_STATES[name].options(config), config.preset),
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
    vanishing = all(r.g_loss > _VANISHING_LOSS for r in records)
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
    if any(r.fake_accuracy > FEW or r.g_loss > _EASY_LOSS for r in records):
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


def _learns(records: Sequence[HealthRecord]) -> bool:
    """Whether images have come closer to real ones since the first record."""
    best = min(r.misfit for r in records[1:])
    return best < records[0].misfit * (1 - _FALL)


def _balance(config: TrainConfig) -> list[str]:
    """Learning rates that work; where they are set, what else steadies."""
    preset = {name: PRESETS[_PRESET][name] for name in _RATES}
    own = {name: getattr(config, name) for name in _RATES}
    if not all(0.5 < own[n] / preset[n] < 2 for n in _RATES):
        return [_set_options(preset)]
    halved = {name: rate / 2 for name, rate in own.items()}
    return [*_augmentation(config), _set_options(halved)]


def _variety(config: TrainConfig) -> list[str]:
    """Options that make generated images differ."""
    options = []
    if config.latent_dim < 16:
        options.append("--set latent_dim=100")
    if config.beta_1 > 0.5:
        options.append("--set beta_1=0.5")
    return options + _balance(config)


def _novelty(config: TrainConfig) -> list[str]:
    """Options that keep a generator from copying training images."""
    options = [f"more subjects than {config.stage} has here"]
    if not config.patience:
        options.append(
            f"--set select_every={config.select_every or 5} --set patience=4 "
            "(which keeps the best generator and ends the training)"
        )
    if config.bend_mm < FEW_COPIES_BEND_MM:
        options.append(f"--set bend_mm={FEW_COPIES_BEND_MM}")
    return options + _augmentation(config)


def _augmentation(config: TrainConfig) -> list[str]:
    """Adaptive augmentation, unless images are augmented already."""
    if config.augmentations:
        return []
    return [f"--set augment={','.join(AUGMENTATIONS)} --set augment_target=0.6"]


def _set_options(values: dict[str, float]) -> str:
    """Values as `--set` options."""
    return " ".join(f"--set {name}={v:.2g}" for name, v in values.items())


def _remedy(options: list[str], preset: str) -> str:
    """Joins the options of a remedy into one line."""
    if preset != _PRESET:
        options = [f"--preset {_PRESET}", *options]
    return f"train under another --run with {', or '.join(options)}"


class _State(NamedTuple):
    """How a state is described from its records, and the options against it."""

    describe: Callable[[Sequence[HealthRecord]], str]
    options: Callable[[TrainConfig], list[str]]
    window: int = WINDOW
    can_fail: bool = True


_STATES = {
    "discriminator_winning": _State(_discriminator_winning, _balance),
    "generator_winning": _State(_generator_winning, _balance),
    "collapse": _State(_collapse, _variety),
    "no_progress": _State(_no_progress, _balance, LONG_WINDOW),
    "memorisation": _State(_memorisation, _novelty, can_fail=False),
}
