"""States of a training to resume from: the last two, and the healthy one."""

import math
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.utils.array_files import read_arrays
from pet_dcgan.utils.files import replacing, sweep
from pet_dcgan.utils.foreign_text import one_line
from pet_dcgan.utils.progress import status

_KEPT = 2  # if one is damaged, the one before it remains
# "sound" marks the last healthy state
_NAME = re.compile(r"(state|sound)_(\d{1,9})\.npz")


class Checkpoint(keras.callbacks.Callback):
    """Keeps the complete state of a training after each of the last 2 epochs.

    That is both networks, both optimisers, the exponential moving average,
    the strength of augmentation and the number of steps. Latents,
    augmentations and the order of the slices follow from these and the seed.

    Keras's `BackupAndRestore` writes weights and epoch to two files, which a
    killed process can leave inconsistent, and HDF5 does not report a full disk
    as an error one can catch. Here the epoch is in the name of one NumPy
    archive, and one rename settles both.

    Args:
        folder: Where `state_0007.npz` goes.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self.folder = Path(folder)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Removes what a killed process left half-written."""
        sweep(self.folder)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes the state, then removes all but the one before it."""
        done = epoch + 1
        _write(self.model, self.folder, done)
        remove_older_states(self.folder, done)


def keep_start(model: DCGAN, folder: str | Path) -> None:
    """Writes the state that a training starts from, unless there is one.

    Args:
        model: As it is before the first epoch.
        folder: Where `Checkpoint` will write.
    """
    if not has_state(folder):
        _write(model, Path(folder), 0)


def has_state(folder: str | Path) -> bool:
    """Whether a state was saved, damaged or not.

    Args:
        folder: Where `Checkpoint` wrote; it need not exist.
    """
    return bool(_states(folder))


def remove_older_states(folder: str | Path, done: int | None = None) -> None:
    """Removes all states but the last ones.

    Args:
        folder: Where `Checkpoint` wrote; it need not exist.
        done: Completed epochs; as of the newest state where `None`.
    """
    states = _states(folder)
    done = max(states, default=0) if done is None else done
    for epochs, path in states.items():
        if not done - _KEPT < epochs <= done:
            path.unlink()


def restore(model: DCGAN, folder: str | Path) -> int:
    """Loads the last completed epoch into a compiled model.

    A damaged state is skipped for the one before it, with a line on stderr.

    Args:
        model: Of the same architecture as the one that was saved.
        folder: Where `Checkpoint` wrote; it need not exist.

    Returns:
        Completed epochs: 0 where nothing was saved.

    Raises:
        ValueError: If every state is damaged, or of another model.
    """
    named = _named(model)
    epochs, arrays = newest_state(folder, most=_most_bytes(named.values()))
    if arrays:
        _assign(arrays, named, _states(folder)[epochs])
    return epochs


def newest_state(
    folder: str | Path, *, most: int = 2**40
) -> tuple[int, dict[str, np.ndarray]]:
    """The arrays of the last undamaged state.

    Args:
        folder: Where `Checkpoint` wrote; it need not exist.
        most: Bytes that a state may have; one that is larger is damaged.

    Returns:
        Completed epochs, and arrays by name as `generator_0`; 0 and none
        where nothing was saved.

    Raises:
        ValueError: If every state is damaged.
    """
    states = _states(folder)
    if not states:
        return 0, {}
    for epochs in sorted(states, reverse=True):
        try:
            return epochs, _read(states[epochs], most)
        except (OSError, ValueError) as error:
            status(
                f"{states[epochs]} is damaged: trying the state before it "
                f"({one_line(error)})"
            )
    raise ValueError(
        f"every saved state is damaged, {states[max(states)]} the latest: "
        "train again under another --run"
    )


def keep_last_healthy(folder: str | Path, epochs: int) -> None:
    """Keeps a state when later ones replace it.

    A failing training is recognised late: the last states are as bad as the
    training itself, so that of the last healthy epoch is kept beside them.

    Args:
        folder: Where `Checkpoint` writes.
        epochs: Completed epochs of that state; nothing happens if it is gone.
    """
    state = _states(folder).get(epochs)
    if state is None:
        return
    kept = state.with_name(state.name.replace("state", "sound"))
    with replacing(kept) as temporary:
        try:
            os.link(state, temporary)
        except OSError:  # a disk without links
            shutil.copyfile(state, temporary)
    for other in _states(folder, "sound").values():
        if other != kept:
            other.unlink()


def drop_last_healthy(folder: str | Path) -> None:
    """Removes the kept state, when a training has finished."""
    for path in _states(folder, "sound").values():
        path.unlink()


def return_to_last_healthy(folder: str | Path) -> int:
    """Makes the kept state the newest one, to be resumed from.

    Args:
        folder: Where `keep_last_healthy` kept it.

    Returns:
        Its completed epochs; 0 where none was kept, and nothing changes.
    """
    kept = _states(folder, "sound")
    if not kept:
        return 0
    epochs = max(kept)
    healthy = kept[epochs]
    state = healthy.with_name(healthy.name.replace("sound", "state"))
    healthy.replace(state)
    healthy.unlink(missing_ok=True)  # renaming a link to another leaves both
    for later, path in _states(folder).items():
        if later > epochs:
            path.unlink()
    return epochs


def _assign(
    arrays: dict[str, np.ndarray],
    variables: dict[str, keras.Variable],
    path: str | Path,
) -> None:
    """Assigns variables their arrays, all or, where one does not fit, none."""
    wanted = {name: tuple(v.shape) for name, v in variables.items()}
    found = {name: array.shape for name, array in arrays.items()}
    for name in [*wanted, *found]:
        if wanted.get(name) != found.get(name):
            raise ValueError(
                f"the state in {path} is of another architecture "
                f"({one_line(name, most=40)}: "
                f"expected {wanted.get(name)}, found {found.get(name)}): use "
                "the options that it was trained with, see its config.json"
            )
    for name, variable in variables.items():
        variable.assign(arrays[name])


def _numbered(part: str, variables: Iterable) -> dict[str, keras.Variable]:
    """Variables by their names in a state, as `generator_0`."""
    return {f"{part}_{index}": each for index, each in enumerate(variables)}


def _named(model: DCGAN) -> dict[str, keras.Variable]:
    """All variables that a training depends on, by name."""
    named = {}
    for part, variables in model.state.items():
        named |= _numbered(part, variables)
    return named


def _write(model: DCGAN, folder: Path, done: int) -> None:
    """Writes the state after so many epochs."""
    arrays = {key: np.asarray(v) for key, v in _named(model).items()}
    path = folder / f"state_{done:04}.npz"
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
        # the final name must not reach the disk before the arrays
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path, most: int) -> dict[str, np.ndarray]:
    """The arrays of a state, after its checksums have been verified."""
    arrays = read_arrays(path, most=most)
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
            raise ValueError(f"{name} is not of finite numbers")
    return arrays


def _most_bytes(variables: Iterable) -> int:
    """What the state of a model can take, of another architecture even."""
    return 2**26 + 64 * sum(math.prod(each.shape) for each in variables)


def _states(folder: str | Path, kind: str = "state") -> dict[int, Path]:
    """Paths of the saved states by their completed epochs."""
    paths = Path(folder).glob(f"{kind}_*.npz")
    matches = ((path, _NAME.fullmatch(path.name)) for path in paths)
    return {int(match[2]): path for path, match in matches if match}
