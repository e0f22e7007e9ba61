"""Runs that a user gives to a study, in place of generators it would train."""

import itertools
from collections.abc import Sequence

from pet_dcgan.config import SET_FACTS
from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.runs.run import Run
from pet_dcgan.study.data import StudyData
from pet_dcgan.study.generator_specs import GeneratorSpec, spec_of
from pet_dcgan.study.generators import require_trained_within
from pet_dcgan.study.settings import CONDITIONAL, SEPARATE, StudySettings
from pet_dcgan.study.splits import Place


def assign_runs(
    runs: Sequence[Run], data: StudyData
) -> dict[GeneratorSpec, Run]:
    """Assigns finished runs to the generators that they can serve as.

    A run serves once: at the smallest fraction that holds all its subjects,
    in the first split and repetition where one does and no other run serves.

    Args:
        runs: Runs of the user.
        data: Settings and subjects of the study.

    Raises:
        DataLeakageError: If a run has seen, in every split, a validation or
            test subject, or one outside of every fraction.
        FileNotFoundError: If a run has no generator.
        ValueError: If a run is of other images, or too many serve as the same.
    """
    assigned: dict[GeneratorSpec, Run] = {}
    for run in runs:
        _require_alike(run, data)
        fitting = _fitting(run, data)
        free = [spec for spec in fitting if spec not in assigned]
        if not free:
            raise ValueError(
                f"expected {len(fitting)} runs or fewer of {fitting[0]}, found "
                f"more, as {run.path}: leave one out"
            )
        assigned[free[0]] = run
    return assigned


def _fitting(run: Run, data: StudyData) -> list[GeneratorSpec]:
    """The generators that a run can serve as, one in each repetition."""
    settings, fitting, first = data.settings, [], None
    kind = SEPARATE if run.conditions is None else CONDITIONAL
    for split, seed in itertools.product(
        range(settings.splits), range(settings.seeds)
    ):
        for fraction in settings.fractions:
            spec = spec_of(
                kind,
                Place(split, seed, fraction),
                run.config.plane,
                run.config.stage,
                settings,
            )
            try:
                require_trained_within(run, spec, data)
            except DataLeakageError as error:
                # what is wrong with it in the first split, at 100 %
                first = error if not (split or seed) else first
            else:
                fitting.append(spec)
                break
    if not fitting:
        remedy = " (--splits 1 tests the set's own test subjects)"
        raise DataLeakageError(f"{first}{remedy * (settings.splits > 1)}")
    return fitting


def _require_alike(run: Run, data: StudyData) -> None:
    """Raises if a run is unfinished or of other images than the study's."""
    if not run.finished:
        run.load_generator()  # raises with what is missing
    settings = data.settings
    allowed = {name: (getattr(data.meta, name),) for name in SET_FACTS}
    kind = SEPARATE if run.conditions is None else CONDITIONAL
    if kind not in settings.generators:
        raise ValueError(
            f"expected runs of {' or '.join(settings.generators)} generators, "
            f"found a {kind} one in {run.path}: leave it out, or add it with "
            f"--generators {SEPARATE},{CONDITIONAL}"
        )
    if run.conditions is None:
        allowed |= {"plane": settings.planes, "stage": settings.classes}
    else:
        _require_conditions(run, settings)
    for name, wanted in allowed.items():
        found = getattr(run.config, name)
        if found not in wanted:
            options = "--config" if name in SET_FACTS else "--task or --planes"
            raise ValueError(
                f"expected a run of {name} {' or '.join(map(str, wanted))}, "
                f"found {found} in {run.path}: leave it out or choose another "
                f"{options}"
            )


def _require_conditions(run: Run, settings: StudySettings) -> None:
    """Raises unless a conditional run draws all that a study needs."""
    wanted = {"planes": settings.planes, "stages": settings.classes}
    for name, needed in wanted.items():
        found = getattr(run.conditions, name)
        if not set(needed) <= set(found):
            raise ValueError(
                f"expected a run of the {name} {', '.join(needed)}, found "
                f"{', '.join(found)} in {run.path}: leave it out and the "
                "study trains one"
            )
