"""`generator.keras`: the trained network of a run, written and read."""

import warnings
from pathlib import Path
from typing import Any

import keras

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import OWN, TrainConfig
from pet_dcgan.models.network_config import rebuild
from pet_dcgan.models.network_file import load_weights, save_network
from pet_dcgan.models.networks import build_generator, float32_copy
from pet_dcgan.models.own_networks import require_shapes
from pet_dcgan.models.tissue_mean import tissue_suvr_max
from pet_dcgan.runs.absent_run import finishing
from pet_dcgan.runs.fixed_files import NETWORKS
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


def read_generator(
    path: Path,
    config: TrainConfig,
    own: dict[str, Any] | None = None,
    *,
    conditions: Conditions | None = None,
) -> keras.Model:
    """Reads what `write_generator` wrote: `latent` to `image` in [-1, 1].

    Args:
        path: Of the file.
        config: Of the run; it says how the network is built, and only the
            weights are the file's.
        own: In place of that, the description of a network of the user's own.
        conditions: Of a conditional generator, what they mean.

    Raises:
        ValueError: If the file is damaged, or holds another network, or the
            description is none that is known.
    """
    network = _own(path, config, own) if own else _ours(config, conditions)
    try:
        load_weights(network, path)
    # zipfile and zlib report damage as anything
    except Exception as error:
        described = NETWORKS if own else "config.json"
        raise ValueError(
            f"expected in {path} the generator that {described} describes, "
            f"found a damaged file or another network ({fault(error)}): "
            f"{_remedy(path, config)}"
        ) from error
    return network


def _ours(config: TrainConfig, conditions: Conditions | None) -> keras.Model:
    """The network that a configuration describes."""
    facts = {name: getattr(config, name) for name in _ARCHITECTURE}
    return float32_copy(
        build_generator(
            **facts,
            conditions=conditions,
            tissue_suvr_max=tissue_suvr_max(config),
        )
    )


def _own(path: Path, config: TrainConfig, own: dict[str, Any]) -> keras.Model:
    """The network that a run has a description of."""
    try:
        # its weights are all in the file, uncompressed
        network = rebuild(own, most=path.stat().st_size // 4)
        require_shapes("generator", network, config)
    except ValueError as error:
        raise ValueError(
            f"{path.with_name('networks.json')}: {error}"
        ) from None
    with warnings.catch_warnings():
        # of layers as their author has chosen them
        warnings.simplefilter("ignore")
        return float32_copy(network)


def _remedy(path: Path, config: TrainConfig) -> str:
    """How to come by the file again."""
    remedy = finishing(config, path.parent)
    if config.preset == OWN:
        return remedy
    return f"remove it and {remedy}, which writes it again from the last state"
