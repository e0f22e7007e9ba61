"""The run that a training begins or goes on with, and whether it may."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pet_dcgan.config import OWN
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.models.network_config import is_same_architecture
from pet_dcgan.runs.absent_run import resume_command
from pet_dcgan.runs.fixed_files import RunFacts
from pet_dcgan.runs.run import Run
from pet_dcgan.training.checkpoint import remove_older_states
from pet_dcgan.utils.files import sweep

# descriptions of own networks, by role
Networks = Mapping[str, dict[str, Any]]


def new_run(path: Path, facts: RunFacts, slices: Slices, chief: bool) -> Run:
    """Makes the run that a training begins; the chief makes its folder.

    Args:
        path: The folder.
        facts: What the run is; its subjects are filled in.
        slices: The training slices.
        chief: Whether this process writes.

    Raises:
        FileExistsError: If the folder is not free.
    """
    subjects = sorted(set(slices.subjects))
    make = Run.create if chief else Run
    return make(path, *facts._replace(subjects=subjects))


def unfinished_run(
    path: Path, facts: RunFacts, slices: Slices, chief: bool
) -> Run:
    """Opens the run that a training goes on with; the chief tidies it.

    Args:
        path: The folder.
        facts: As of `new_run`; networks that are not given are the run's.
        slices: The training slices.
        chief: Whether this process writes.

    Raises:
        FileNotFoundError: If there is no such run.
        ValueError: If it is finished, or another one.
    """
    run = Run.open(path)
    _require_same_run(run, facts, slices)
    if chief:
        sweep(path)
        # a process killed after its last epoch may have kept one more
        remove_older_states(path / "checkpoint")
    return run


def _require_same_run(run: Run, facts: RunFacts, slices: Slices) -> None:
    """Refuses to resume a run that is finished or not the one meant."""
    config = facts.config
    if run.finished:
        raise ValueError(
            f"the run in {run.path} is finished: leave out --resume and "
            "choose another --run"
        )
    if run.config.preset == OWN:
        raise ValueError(
            f"expected a run that train began, found one of a model in "
            f"{run.path}: choose another --run"
        )
    before, now = vars(run.config), vars(config)
    changed = [
        f"{name} {now[name]} instead of {before[name]}"
        for name in now
        # the set may have been moved
        if now[name] != before[name] and name != "data_dir"
    ]
    if changed:
        raise ValueError(
            f"expected the configuration of {run.path}, found "
            f"{', '.join(changed)}: resume with the options of its start, "
            f"{resume_command(run.config, run.path)}"
        )
    if run.conditions != facts.conditions:
        raise ValueError(
            f"expected {run.conditions} of {run.path}, found "
            f"{facts.conditions}: the set was prepared anew, train under "
            "another --run"
        )
    _require_same_networks(run, facts.networks)
    own = set(slices.subjects)
    if set(run.subjects) != own or run.validation != facts.validation:
        raise ValueError(
            f"expected the {len(run.subjects)} subjects of {run.path}, found "
            f"{len(own)} others in the set: it was prepared anew, train under "
            "another --run"
        )


def _require_same_networks(run: Run, networks: Networks) -> None:
    """Refuses own networks that are not those of the run to resume."""
    for role, given in networks.items():
        kept = run.networks.get(role)
        if kept is None or not is_same_architecture(kept, given):
            raise ValueError(
                f"expected the {role} that {run.path} began with, found "
                f"another: resume without {role}=, or train it under another "
                "path"
            )
