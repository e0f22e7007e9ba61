"""`generator.keras`: the trained network of a run, written and read."""

from pathlib import Path

import keras

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.network_file import save_network
from pet_dcgan.models.networks import float32_copy
from pet_dcgan.utils.files import replacing


def write_generator(path: Path, model: keras.Model) -> None:
    """Writes a generator, whole or not at all.

    The same weights give the same bytes.

    Args:
        path: Of the file, which ends in `.keras`.
        model: Of any precision; the file holds it in float32.
    """
    with replacing(path) as temporary:
        save_network(float32_copy(model), temporary)


def read_generator(path: Path, config: TrainConfig) -> keras.Model:
    """Reads what `write_generator` wrote: `latent` to `image` in [-1, 1].

    Args:
        path: Of the file.
        config: Of the run; the network is built from it.

    Raises:
        ValueError: If the file is damaged.
    """
    # Keras reports a damaged archive as any of these
    try:
        return keras.models.load_model(path, compile=False)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(
            f"expected a generator in {path}, found a damaged file: train "
            "again under another --run"
        ) from error
