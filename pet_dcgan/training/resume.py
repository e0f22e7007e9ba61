"""Trainings that continue earlier ones: `--resume` and `--warm-start`.

A warm start takes the networks of an earlier run, such as one trained on all
stages together; optimisers, EMA and steps begin anew. Its subjects count as
trained on, so the new run names them beside its own.
"""

import dataclasses
from pathlib import Path

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.leakage import require_not_held_out
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.runs.run import Run
from pet_dcgan.training.checkpoint import assign, newest_state, numbered

# may differ between a run and its continuation: both may have been moved
_MOVABLE = ("data_dir", "warm_start")
# with other values the same pixels would mean something else
_IMAGES = ("plane", "size", "spacing_mm", "suvr_max", "channels", "phantom")
# with other values the weights have other shapes
_ARCHITECTURE = ("latent_dim", "width", "kernel_size", "spectral_norm")


def continued_run(path: Path, config: TrainConfig, slices: Slices) -> Run:
    """Opens an unfinished run and checks that it is the one meant.

    Args:
        path: The run's folder.
        config: Configuration to resume with.
        slices: Training slices to resume with.

    Raises:
        FileNotFoundError: If there is no run.
        ValueError: If it is finished, has another configuration, or trained
            on other subjects.
    """
    run = Run.open(path)
    if run.finished:
        raise ValueError(
            f"the run in {path} is finished: leave out --resume and choose "
            "another --run"
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
    own = set(slices.subjects)
    trained_on = set(run.subjects)
    if run.config.warm_start:
        require_not_held_out(run.subjects, config.data_dir, config.dataset)
        trained_on &= own  # it names those of the earlier run, too
    if trained_on != own:
        raise ValueError(
            f"expected the {len(run.subjects)} subjects of {path}, found "
            f"{len(own)} others in the set: it was prepared anew, train under "
            "another --run"
        )
    return run


def all_subjects(config: TrainConfig, slices: Slices) -> list[str]:
    """Every subject behind a training: its own and those of its warm start.

    Args:
        config: `warm_start` names the earlier run, if there is one.
        slices: The training slices.

    Raises:
        FileNotFoundError: If there is no such run, or it has no state.
        ValueError: If it has other images or another architecture, or one of
            its subjects is now held out.
    """
    own = set(slices.subjects)
    if not config.warm_start:
        return sorted(own)
    earlier = _warm_start_run(config)
    require_not_held_out(earlier.subjects, config.data_dir, config.dataset)
    return sorted(own | set(earlier.subjects))


def start_from(model: DCGAN, config: TrainConfig) -> None:
    """Starts a new model from the networks of `config.warm_start`.

    The EMA starts from that run's, or from its generator if it has none.

    Args:
        model: A new one.
        config: Configuration of the new training.

    Raises:
        FileNotFoundError: If there is no such run or it has no state.
        ValueError: If it is of another architecture, or damaged.
    """
    folder = _warm_start_run(config).path / "checkpoint"
    _, arrays = newest_state(folder)
    sources = {"generator": "generator", "discriminator": "discriminator"}
    if model.average is not None:
        has_own = any(name.startswith("average_") for name in arrays)
        sources["average"] = "average" if has_own else "generator"
    for part, source in sources.items():
        own = {n: a for n, a in arrays.items() if n.startswith(f"{source}_")}
        variables = numbered(source, getattr(model, part).variables)
        assign(own, variables, folder)


def _warm_start_run(config: TrainConfig) -> Run:
    """Opens the run that `config.warm_start` names and checks that it fits."""
    run = Run.open(config.warm_start)
    for name in (*_IMAGES, *_ARCHITECTURE):
        wanted, found = getattr(config, name), getattr(run.config, name)
        if wanted != found:
            remedy = f" or --set {name}={found}" * (name in _ARCHITECTURE)
            raise ValueError(
                f"expected --warm-start from a run of {name} {wanted}, found "
                f"{found} in {run.path}: name another run{remedy}"
            )
    if not any((run.path / "checkpoint").glob("state_*.npz")):
        raise FileNotFoundError(
            f"the run in {run.path} has no state to start from: name a run "
            "that has completed an epoch"
        )
    return run
