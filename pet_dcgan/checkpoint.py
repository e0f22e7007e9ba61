"""The state of a training after each epoch, to go on from."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from pet_dcgan.files import replacing
from pet_dcgan.model import DCGAN

_NAME = re.compile(r"state_(\d+)\.npz")
# what NumPy and Keras raise for a damaged archive, or one that does not fit
_DAMAGED = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile)
_PARTS = ("generator", "discriminator", "g_optimizer", "d_optimizer")


class Checkpoint(keras.callbacks.Callback):
    """Keeps networks and optimisers as they are after the last whole epoch.

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
        for path in self.folder.glob(".partial-*"):
            path.unlink()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes the state, then removes the earlier one."""
        earlier = _states(self.folder)
        newest = self.folder / f"state_{epoch + 1:04}.npz"
        arrays = {key: np.asarray(v) for key, v in _variables(self.model)}
        with replacing(newest) as temporary:
            np.savez(temporary, **arrays)
        for path in earlier.values():
            if path != newest:
                path.unlink()


def restore(model: DCGAN, folder: str | Path) -> int:
    """Loads the last whole epoch into a compiled model.

    Args:
        model: Of the same shape as the one that was saved.
        folder: Where `Checkpoint` wrote; it need not exist.

    Returns:
        Epochs behind: 0 where nothing was saved.

    Raises:
        ValueError: If the file is damaged or of another model.
    """
    states = _states(Path(folder))
    if not states:
        return 0
    epochs = max(states)
    try:
        with states[epochs].open("rb") as file, np.load(file) as arrays:
            for key, variable in _variables(model):
                variable.assign(arrays[key])
    except _DAMAGED as error:
        raise ValueError(
            f"expected the state of this run in {states[epochs]}, found a "
            "damaged file: train again under another --run"
        ) from error
    return epochs


def _variables(model: DCGAN) -> Iterator[tuple[str, keras.Variable]]:
    for part in _PARTS:
        for index, variable in enumerate(getattr(model, part).variables):
            yield f"{part}_{index}", variable


def _states(folder: Path) -> dict[int, Path]:
    matches = ((p, _NAME.fullmatch(p.name)) for p in folder.glob("state_*"))
    return {int(match[1]): path for path, match in matches if match}
