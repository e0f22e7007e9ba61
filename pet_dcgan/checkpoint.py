"""The state of a training after each epoch, to go on from."""

import re
from pathlib import Path

import keras

from pet_dcgan.files import replacing

_NAME = re.compile(r"epoch_(\d+)\.weights\.h5")


class Checkpoint(keras.callbacks.Callback):
    """Keeps the weights and optimisers of the last whole epoch.

    Keras's `BackupAndRestore` writes the weights and the epoch to two files,
    which a killed process can leave apart; here the epoch is the file's name,
    so one rename settles both.

    Args:
        folder: Where `epoch_0007.weights.h5` goes.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self.folder = Path(folder)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes the state, then removes the earlier one."""
        earlier = _states(self.folder)
        newest = self.folder / f"epoch_{epoch + 1:04}.weights.h5"
        with replacing(newest) as temporary:
            self.model.save_weights(temporary)
        for path in earlier.values():
            if path != newest:
                path.unlink()


def restore(model: keras.Model, folder: str | Path) -> int:
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
    # keras and h5py report what does not fit as any of these
    try:
        model.load_weights(states[epochs])
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(
            f"expected the weights of this run in {states[epochs]}, found a "
            "damaged file: train again under another --run"
        ) from error
    return epochs


def _states(folder: Path) -> dict[int, Path]:
    matches = ((p, _NAME.fullmatch(p.name)) for p in folder.glob("epoch_*"))
    return {int(match[1]): path for path, match in matches if match}
