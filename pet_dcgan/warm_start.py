"""A training that starts from the networks of an earlier run.

Networks trained on all stages together know what a brain looks like; those of
one stage then learn its difference from fewer subjects. Optimisers, averages
and steps begin anew. What is made afterwards rests on the subjects of both
runs, so the new run names them all.
"""

from pathlib import Path

from pet_dcgan.checkpoint import assign, newest_state, numbered
from pet_dcgan.config import TrainConfig
from pet_dcgan.data import Slices, require_disjoint, subjects_of
from pet_dcgan.model import DCGAN
from pet_dcgan.run import Run

# another value would give the same numbers another meaning
_MEANING = ("plane", "size", "spacing_mm", "suvr_max", "channels", "phantom")
# with another value there are other numbers
_SHAPE = ("latent_dim", "width", "kernel_size", "spectral_norm")
_PARTS = ("generator", "discriminator")


def subjects_behind(config: TrainConfig, slices: Slices) -> list[str]:
    """Every subject that a training will have seen: its own and before.

    Args:
        config: `warm_start` names the earlier run, if there is one.
        slices: What is trained on now.

    Raises:
        FileNotFoundError: If there is no such run, or it has no state.
        ValueError: If its images or networks were others in kind, or one of
            its subjects is now held out.
    """
    own = set(slices.subjects)
    if not config.warm_start:
        return sorted(own)
    earlier = _open(config)
    require_unseen(earlier.subjects, config)
    return sorted(own | set(earlier.subjects))


def require_unseen(subjects: list[str], config: TrainConfig) -> None:
    """Refuses subjects that the set keeps for validation or testing.

    Args:
        subjects: Those that the other run has trained on.
        config: What the new training is told.

    Raises:
        ValueError: If there are such, naming them.
    """
    for split in ("validation", "test"):
        held_out = subjects_of(config.data_dir, config.dataset, split=split)
        require_disjoint(subjects, held_out)


def start_from(model: DCGAN, config: TrainConfig) -> None:
    """Gives a new model the networks of the run in `config.warm_start`.

    The average starts as that run's, or as its generator where it has none.

    Args:
        model: A new one.
        config: What the new training is told.

    Raises:
        FileNotFoundError: If there is no such run or it has no state.
        ValueError: If it is of another architecture, or damaged.
    """
    folder = _open(config).path / "checkpoint"
    _, arrays = newest_state(folder)
    for part in _PARTS:
        _give(part, getattr(model, part), arrays, folder)
    if model.average is not None:
        has_own = any(name.startswith("average_") for name in arrays)
        part = "average" if has_own else "generator"
        _give(part, model.average, arrays, folder)


def _give(part: str, network, arrays: dict, folder: Path) -> None:
    own = {n: a for n, a in arrays.items() if n.startswith(f"{part}_")}
    assign(own, dict(numbered(part, network.variables)), folder)


def _open(config: TrainConfig) -> Run:
    run = Run.open(config.warm_start)
    for name in (*_MEANING, *_SHAPE):
        wanted, found = getattr(config, name), getattr(run.config, name)
        if wanted != found:
            remedy = f" or --set {name}={found}" if name in _SHAPE else ""
            raise ValueError(
                f"expected --warm-start from a run of {name} {wanted}, found "
                f"{found} in {run.path}: name another run{remedy}"
            )
    if not any((run.path / "checkpoint").glob("state_*.npz")):
        raise FileNotFoundError(
            f"expected the networks of a run to start from in {run.path}, "
            "found no state: name a run that has come past an epoch"
        )
    return run
