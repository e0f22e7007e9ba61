"""Training from earlier states: `--resume`, warm start, the last healthy one.

A failing training is not recognised at once, so the epochs in between are as
bad as the last and no state to start from: the state of the last epoch found
healthy is kept beside them.

A warm start takes the networks of an earlier run. Networks trained on all
stages together know what a brain looks like; those of one stage then learn its
difference from fewer subjects. Optimisers, averages and steps begin anew. What
is made afterwards rests on the subjects of both runs, so the new run names
them all.
"""

import dataclasses
import os
import re
import shutil
from pathlib import Path

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.leakage import require_not_held_out
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.runs.run import Run
from pet_dcgan.training.checkpoint import assign, newest_state, numbered
from pet_dcgan.utils.files import replacing

_NAME = re.compile(r"(state|sound)_(\d+)\.npz")


def keep_last_healthy(folder: str | Path, epochs: int) -> None:
    """Keeps the state of an epoch when later ones take its place.

    Args:
        folder: Where `pet_dcgan.training.checkpoint.Checkpoint` writes.
        epochs: Epochs behind in that state; without such a state nothing is
            done.
    """
    folder = Path(folder)
    state = _found(folder, "state").get(epochs)
    if state is None:
        return
    kept = folder / state.name.replace("state", "sound")
    with replacing(kept) as temporary:
        _copy(state, temporary)
    for other in _found(folder, "sound").values():
        if other != kept:
            other.unlink()


def drop_last_healthy(folder: str | Path) -> None:
    """Removes the kept state, when a training has come to its end."""
    for path in _found(Path(folder), "sound").values():
        path.unlink()


def return_to_last_healthy(folder: str | Path) -> int:
    """Makes the kept state the newest one, for whoever goes on from it.

    Args:
        folder: Where `keep_last_healthy` kept it.

    Returns:
        Epochs behind in it; 0 where none was kept, and nothing is changed.
    """
    folder = Path(folder)
    kept = _found(folder, "sound")
    if not kept:
        return 0
    epochs = max(kept)
    sound = kept[epochs]
    state = folder / sound.name.replace("sound", "state")
    if state.exists() and state.samefile(sound):
        sound.unlink()  # a renaming would leave both names
    else:
        os.replace(sound, state)
    for later, path in _found(folder, "state").items():
        if later > epochs:
            path.unlink()
    return epochs


def _copy(source: Path, target: Path) -> None:
    """By a second name of the same file, where the disk has such."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _found(folder: Path, kind: str) -> dict[int, Path]:
    matches = ((p, _NAME.fullmatch(p.name)) for p in folder.glob("*.npz"))
    return {int(m[2]): path for path, m in matches if m and m[1] == kind}


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
    require_not_held_out(earlier.subjects, config.data_dir, config.dataset)
    return sorted(own | set(earlier.subjects))


def start_from(model: DCGAN, config: TrainConfig) -> None:
    """Starts a new model from the networks of `config.warm_start`.

    The average starts as that run's, or as its generator where it has none.

    Args:
        model: A new one.
        config: Configuration of the new training.

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


# may differ between a run and its continuation: both may have been moved
_MOVABLE = {"data_dir", "warm_start"}


def continued_run(path: Path, config: TrainConfig, slices: Slices) -> Run:
    """The unfinished run in a folder, found to be the one that is meant.

    Args:
        path: The run's folder.
        config: Configuration that it would resume with.
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
        require_not_held_out(run.subjects, config.data_dir, config.dataset)
        behind &= set(slices.subjects)  # it names those before it, too
    if behind != set(slices.subjects):
        raise ValueError(
            f"expected the {len(run.subjects)} subjects of {path}, found "
            f"{len(set(slices.subjects))} others in the set: it was prepared "
            "anew, train under another --run"
        )
    return run
