"""An exported model on disk, loaded to be called."""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from pet_dcgan.serving.model_info import ExportedModel

_SIGNATURE, _OUTPUT = "generate_png", "image_bytes"
# tensorflow reports a damaged or truncated model as any of these
_DAMAGED = (OSError, ValueError, IndexError, RuntimeError, tf.errors.OpError)


class LocalModel:
    """One version of a model in a folder.

    Args:
        served: Where it lies.

    Raises:
        ValueError: If the model is damaged or another one.
    """

    # a process must not end while TensorFlow computes
    awaited = True
    # while files are written, one alone would leave a core idle
    at_once = 2

    def __init__(self, served: ExportedModel) -> None:
        self.facts = served.facts
        self.version = served.version
        self.name = served.name
        # named, to stay alive with its variables
        self._loaded = _load(served.path)
        self._signature = _signature(self._loaded, served.path)

    @classmethod
    def open(cls, model: str | Path) -> "LocalModel":
        """Loads a version, or the highest one in a model's folder.

        Raises:
            FileNotFoundError: If there is no exported model.
            ValueError: If the model is damaged.
        """
        return cls(ExportedModel.open(model))

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """The 16-bit PNG of each seed."""
        found = self._signature(seed=tf.constant(seeds, tf.int64))
        return found[_OUTPUT].numpy().tolist()

    def close(self) -> None:
        """Nothing is waited for."""


def _load(path: Path):
    try:
        return tf.saved_model.load(str(path))
    except _DAMAGED as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"expected a whole model in {path}, found a damaged one "
            f"({reason}): export the run again"
        ) from error


def _signature(loaded, path: Path):
    if _SIGNATURE not in loaded.signatures:
        raise ValueError(
            f"expected the signature {_SIGNATURE} in {path}, found "
            f"{', '.join(loaded.signatures) or 'none'}: export the run again"
        )
    return loaded.signatures[_SIGNATURE]
