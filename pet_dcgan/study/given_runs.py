"""Runs that a user gives a study, and where they fit."""

from collections.abc import Mapping, Sequence

from pet_dcgan.run import Run
from pet_dcgan.study.generators import Place, require_unchosen
from pet_dcgan.study.leakage import require_unseen, require_within
from pet_dcgan.study.material import Material
from pet_dcgan.study.settings import StudySettings

_SAME = ("size", "spacing_mm", "suvr_max", "phantom")


def fitting_runs(
    runs: Sequence[Run], settings: StudySettings, material: Material
) -> dict[Place, Run]:
    """Puts finished runs where they fit.

    A run belongs to the smallest fraction that holds all its subjects.

    Args:
        runs: What the user has.
        settings: Which generators are needed.
        material: Whose subjects are whose.

    Raises:
        DataLeakageError: If a run has seen a validation or test subject, or
            one outside of every fraction.
        FileNotFoundError: If a run has no generator.
        ValueError: If a run is of other images, or two are of one place.
    """
    taken: dict[Place, Run] = {}
    for run in runs:
        require_unseen(run, material.held_out)
        _require_alike(run, settings, material)
        require_unchosen(run.config, settings)
        place = Place(
            _fraction_of(run, settings, material),
            run.config.plane,
            run.config.stage,
        )
        if place in taken:
            raise ValueError(
                f"expected one run of {place}, found {taken[place].path} and "
                f"{run.path}: leave one out"
            )
        taken[place] = run
    return taken


def _require_alike(
    run: Run, settings: StudySettings, material: Material
) -> None:
    if not run.finished:
        run.load_generator()  # says what is missing
    config = run.config
    for name in _SAME:
        wanted, found = getattr(material.meta, name), getattr(config, name)
        if wanted != found:
            raise ValueError(
                f"expected a run of {name} {wanted}, as {settings.dataset} "
                f"is, found {found} in {run.path}: leave it out or choose "
                "another --config"
            )
    kinds: Mapping[str, tuple[str, ...]] = {
        "plane": settings.planes,
        "stage": settings.classes,
    }
    for name, wanted in kinds.items():
        if getattr(config, name) not in wanted:
            raise ValueError(
                f"expected a run of {name} {' or '.join(wanted)}, found "
                f"{getattr(config, name)} in {run.path}: leave it out or "
                "choose another --task or --planes"
            )


def _fraction_of(run: Run, settings: StudySettings, material: Material) -> int:
    seen = set(run.subjects)
    for fraction in settings.fractions[:-1]:
        if seen <= material.subjects(fraction):
            return fraction
    largest = settings.fractions[-1]
    require_within(run, material.subjects(largest), fraction=largest)
    return largest
