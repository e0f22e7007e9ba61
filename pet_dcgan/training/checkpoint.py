"""The state of a training after each epoch, to go on from."""

import os
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import keras
import numpy as np

from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.utils.files import replacing, sweep
from pet_dcgan.utils.progress import status

KEPT = 2  # states: a damaged one leaves the one before it
_NAME = re.compile(r"state_(\d+)\.npz")
# what NumPy and zipfile raise for a damaged archive
_DAMAGED = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
)


class Checkpoint(keras.callbacks.Callback):
    """Keeps all of a training as it is after each of the last two epochs.

    That is both networks, both optimisers, the average, the strength of the
    augmentation and the number of steps; latents, augmentations and the order
    of the slices follow from the seed and those.

    Keras's `BackupAndRestore` writes the weights and the epoch to two files,
    which a killed process can leave apart, and HDF5 does not report a full
    disk as an error one can catch. Here the epoch is the name of one NumPy
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
        arrays = {key: np.asarray(v) for key, v in _variables(self.model)}
        with replacing(_path(self.folder, done)) as temporary:
            _write(temporary, arrays)
        for epochs, path in _states(self.folder).items():
            if not done - KEPT < epochs <= done:
                path.unlink()


def restore(model: DCGAN, folder: str | Path) -> int:
    """Loads the last whole epoch into a compiled model.

    A damaged state is passed over for the one before it, which is said in a
    line on stderr.

    Args:
        model: Of the same shape as the one that was saved.
        folder: Where `Checkpoint` wrote; it need not exist.

    Returns:
        Epochs behind: 0 where nothing was saved.

    Raises:
        ValueError: If every state is damaged, or of another model.
    """
    epochs, arrays = newest_state(folder)
    if epochs:
        assign(arrays, dict(_variables(model)), _path(Path(folder), epochs))
    return epochs


def newest_state(folder: str | Path) -> tuple[int, dict[str, np.ndarray]]:
    """The arrays of the last undamaged state.

    Args:
        folder: Where `Checkpoint` wrote; it need not exist.

    Returns:
        Epochs behind, and arrays by name as `generator_0`; 0 and none where
        nothing was saved.

    Raises:
        ValueError: If every state is damaged.
    """
    states = sorted(_states(Path(folder)).items(), reverse=True)
    for epochs, path in states:
        try:
            return epochs, _read(path)
        except _DAMAGED:
            status(f"{path} is damaged: looking for the state before it")
    if states:
        raise ValueError(
            f"expected the state of this run in {states[0][1]}, found a "
            "damaged file and no whole one before it: train again under "
            "another --run"
        )
    return 0, {}


def assign(
    arrays: dict[str, np.ndarray],
    variables: dict[str, keras.Variable],
    path: str | Path,
) -> None:
    """Assigns each variable the value of its name.

    Args:
        arrays: Of a state.
        variables: Every name that `arrays` has to have, and no other.
        path: Where the arrays come from, for the message.

    Raises:
        ValueError: If names or shapes differ; nothing is assigned then.
    """
    wanted = {name: tuple(v.shape) for name, v in variables.items()}
    found = {name: array.shape for name, array in arrays.items()}
    if wanted != found:
        raise ValueError(
            f"expected in {path} the state of these networks, found another "
            f"architecture ({_difference(wanted, found)}): give the options "
            "that it was trained with, as its config.json has them"
        )
    for name, variable in variables.items():
        variable.assign(arrays[name])


def numbered(part: str, variables: Iterable) -> Iterator[tuple]:
    """Variables by the names they have in a state, as `generator_0`.

    Args:
        part: Name of the network or optimiser.
        variables: Its variables, in order.
    """
    for index, variable in enumerate(variables):
        yield f"{part}_{index}", variable


def _variables(model: DCGAN) -> Iterator[tuple[str, keras.Variable]]:
    for part, variables in model.state.items():
        yield from numbered(part, variables)


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)
        # the final name must not reach the disk before the arrays
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        # checksums first: a damaged header could ask for any memory
        damaged = archive.testzip()
    if damaged:
        raise zipfile.BadZipFile(damaged)
    with np.load(path) as arrays:
        return dict(arrays)


def _difference(wanted: dict, found: dict) -> str:
    for name in [*wanted, *found]:
        if wanted.get(name) != found.get(name):
            return f"{name} {found.get(name)} instead of {wanted.get(name)}"
    return "nothing"


def _path(folder: Path, epochs: int) -> Path:
    return folder / f"state_{epochs:04}.npz"


def _states(folder: Path) -> dict[int, Path]:
    matches = ((p, _NAME.fullmatch(p.name)) for p in folder.glob("state_*"))
    return {int(match[1]): path for path, match in matches if match}
