"""The run that a training begins or goes on with, and whether it may."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pet_dcgan.config import OWN, SET_FACTS, TrainConfig
from pet_dcgan.data.leakage import require_disjoint, require_not_held_out
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.models.network_config import is_same_architecture
from pet_dcgan.models.own_networks import ROLES
from pet_dcgan.runs.absent_run import resume_command
from pet_dcgan.runs.fixed_files import RunFacts
from pet_dcgan.runs.run import Run
from pet_dcgan.training.checkpoint import has_state, remove_older_states
from pet_dcgan.utils.files import sweep

# may differ between a run and its continuation: both may have been moved
_MOVABLE = ("data_dir", "warm_start")
# a warm start needs a run with the same values: of these, or its images would
# be others, and of the next, or its weights would not fit
_IMAGES = (*SET_FACTS, "plane", "channels", "latent_dim")
_ARCHITECTURE = ("width", "kernel_size")
_SETTABLE = (*_ARCHITECTURE, "latent_dim")
# descriptions of own networks, by role
Networks = Mapping[str, dict[str, Any]]


def all_subjects(
    config: TrainConfig, slices: Slices, networks: Networks | None = None
) -> list[str]:
    """Every subject of a new run: its own and those of its warm start.

    Args:
        config: `warm_start` names the earlier run, if there is one.
        slices: The training slices.
        networks: Descriptions of own networks by role.

    Raises:
        FileNotFoundError: If there is no such run, or it has no state.
        ValueError: If it has other images or another architecture, or one of
            its subjects is now held out.
    """
    subjects = set(slices.subjects)
    if config.warm_start:
        earlier = warm_start_run(config, networks or {})
        seen = [*earlier.subjects, *earlier.validation]
        require_not_held_out(seen, config.data_dir, config.dataset)
        subjects |= set(earlier.subjects)
    return sorted(subjects)


def new_run(path: Path, facts: RunFacts, slices: Slices, chief: bool) -> Run:
    """Makes the run that a training begins; the chief makes its folder.

    Args:
        path: The folder.
        facts: What the run is; its subjects are filled in.
        slices: The training slices.
        chief: Whether this process writes.

    Raises:
        DataLeakageError: If somebody is both trained on and held out.
        FileExistsError: If the folder is not free.
        FileNotFoundError: If there is no run to start from.
        ValueError: If that one does not fit.
    """
    subjects = all_subjects(facts.config, slices, facts.networks)
    require_disjoint(subjects, facts.validation)
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
        if now[name] != before[name] and name not in _MOVABLE
    ]
    if changed:
        raise ValueError(
            f"expected the configuration of {run.path}, found "
            f"{', '.join(changed)}: resume with the options of its start, "
            f"{resume_command(run.config, run.path)}"
        )
    _require_same_networks(run, facts.networks)
    own = set(slices.subjects)
    trained_on = set(run.subjects)
    if run.config.warm_start:
        require_not_held_out(run.subjects, config.data_dir, config.dataset)
        trained_on &= own  # it names those of the earlier run, too
    if trained_on != own or run.validation != facts.validation:
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


def warm_start_run(config: TrainConfig, networks: Networks) -> Run:
    """Opens the run that `config.warm_start` names and checks that it fits.

    Args:
        config: Of the new run.
        networks: Descriptions of its own networks by role.

    Raises:
        FileNotFoundError: If there is no such run, or it has no state.
        ValueError: If it has other images or another architecture.
    """
    run = Run.open(config.warm_start)
    for role in ROLES:
        pair = networks.get(role), run.networks.get(role)
        if any(pair) and not (all(pair) and is_same_architecture(*pair)):
            raise ValueError(
                f"expected a warm start from a run of the same {role}, found "
                f"another in {run.path}: train both with the same {role}="
            )
    described = _ARCHITECTURE if len(networks) < len(ROLES) else ()
    for name in (*_IMAGES, *described):
        wanted, found = getattr(config, name), getattr(run.config, name)
        if wanted != found:
            remedy = f" or --set {name}={found}" * (name in _SETTABLE)
            raise ValueError(
                f"expected --warm-start from a run of {name} {wanted}, found "
                f"{found} in {run.path}: name another run{remedy}"
            )
    if not has_state(run.path / "checkpoint"):
        raise FileNotFoundError(
            f"the run in {run.path} has no state to start from: name a run "
            "that has completed an epoch"
        )
    return run
