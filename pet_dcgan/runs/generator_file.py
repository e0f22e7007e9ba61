"""`generator.keras`: the trained network of a run, written and read."""

from pathlib import Path

import keras

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.network_file import load_weights, save_network
from pet_dcgan.models.networks import build_generator, float32_copy
from pet_dcgan.runs.absent_run import resume_command
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_text import fault

_ARCHITECTURE = ("size", "channels", "latent_dim", "width", "kernel_size")


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
        config: Of the run; it says how the network is built, and only the
            weights are the file's.

    Raises:
        ValueError: If the file is damaged, or holds another network.
    """
    facts = {name: getattr(config, name) for name in _ARCHITECTURE}
    network = float32_copy(build_generator(**facts))
    try:
        load_weights(network, path)
    # zipfile and zlib report damage as anything
    except Exception as error:
        raise ValueError(
            f"expected in {path} the generator that config.json describes, "
            f"found a damaged file or another network ({fault(error)}): "
            f"remove it and go on with {resume_command(config, path.parent)}, "
            "which writes it again from the last state"
        ) from error
    return network
