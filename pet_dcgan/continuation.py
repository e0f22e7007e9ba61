"""A stopped run, and whether it may go on."""

import dataclasses
from pathlib import Path

from pet_dcgan.config import TrainConfig
from pet_dcgan.data import Slices
from pet_dcgan.run import Run
from pet_dcgan.warm_start import require_unseen

# may differ between a run and its continuation: both may have been moved
_MOVABLE = {"data_dir", "warm_start"}


def continued_run(path: Path, config: TrainConfig, slices: Slices) -> Run:
    """The unfinished run in a folder, found to be the one that is meant.

    Args:
        path: The run's folder.
        config: What it is told to go on with.
        slices: What it would go on with.

    Raises:
        FileNotFoundError: If there is no run.
        ValueError: If it is finished, was told something else, or trained on
            other subjects.
    """
    run = Run.open(path)
    if run.finished:
        raise ValueError(
            f"expected an unfinished run in {path}, found a finished one: "
            "leave out --resume and choose another --run"
        )
    before, now = dataclasses.asdict(run.config), dataclasses.asdict(config)
    changed = [
        f"{name} {now[name]} instead of {before[name]}"
        for name in now
        if now[name] != before[name] and name not in _MOVABLE
    ]
    if changed:
        raise ValueError(
            f"expected the configuration of {path}, found "
            f"{', '.join(changed)}: resume with the options of its start"
        )
    behind = set(run.subjects)
    if run.config.warm_start:
        require_unseen(run.subjects, config)
        behind &= set(slices.subjects)  # it names those before it, too
    if behind != set(slices.subjects):
        raise ValueError(
            f"expected the {len(run.subjects)} subjects of {path}, found "
            f"{len(set(slices.subjects))} others in the set: it was prepared "
            "anew, train under another --run"
        )
    return run
