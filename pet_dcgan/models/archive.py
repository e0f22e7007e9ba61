"""A generator as the archive that a model server loads.

`DCGAN.export` and `pet_dcgan.export` write it, and `pet_dcgan.generate` draws
from one where it is given a network.
"""

import os
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from pet_dcgan.config import OWN
from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.models.graph_check import foreign_parts
from pet_dcgan.models.model_info import GRAPH_FILE, ModelInfo
from pet_dcgan.models.plain_generator import (
    described,
    generator_of,
    require_range,
)
from pet_dcgan.models.saved_model import compare_model, save_model
from pet_dcgan.models.warmup import write_warmup
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_text import one_line

_ARCHIVE = "tf_saved_model"
# of networks without normalisation; what a seed alone and in a batch differ by
_OWN_ROUNDING = 1e-4, 3


def write_archive(network: keras.Model, folder: Path, info: ModelInfo) -> None:
    """Writes a version's folder: the model, its facts, warm-up requests.

    The model was loaded again and gave the live network's images, and
    `generate` will not refuse it. The same network and facts give the same
    bytes.

    Args:
        network: Latents to images, in float32, from `generator_of`.
        folder: Folder to make.
        info: Of the model.

    Raises:
        ValueError: If the network cannot be exported faithfully, or has a
            layer that does more than compute on tensors.
    """
    # the comparison is meant for one kind of arithmetic, the CPU's
    with tf.device("CPU:0"):
        require_range(network)
        _save(network, folder, info)
        if foreign := foreign_parts(folder / GRAPH_FILE):
            raise ValueError(
                "expected layers that compute on tensors alone, the same for "
                f"the same latents, found {one_line(', '.join(foreign))} in "
                "the generator's graph: replace the layers that make them"
            )
        rounding = _OWN_ROUNDING if info.preset == OWN else ()
        compare_model(network, folder, info, *rounding)
    info.write(folder)
    write_warmup(folder, info)


def _save(network: keras.Model, folder: Path, info: ModelInfo) -> None:
    """Saves, with whatever a network of one's own raises in one line."""
    try:
        save_model(network, folder, info)
    except (OSError, tf.errors.OpError):  # a full disk
        raise
    except Exception as error:
        if isinstance(error, ValueError) and str(error).isprintable():
            raise
        raise ValueError(
            "expected a generator that TensorFlow can trace and save, found "
            f"one that fails with {type(error).__name__} "
            f"({one_line(error, most=200)}): see its layers' call"
        ) from error


def export_model(
    model: keras.Model,
    path: str | Path,
    *,
    format: str = _ARCHIVE,  # noqa: A002
    facts: ImageFacts | None = None,
    verbose: bool | None = None,
    **options: Any,
) -> None:
    """Writes the archive of a model, or another format of Keras.

    Args:
        model: A `DCGAN`, or a generator.
        path: Folder of the archive, or file of another format.
        format: `"tf_saved_model"`, or another one of Keras.
        facts: What the images mean, where the model has no facts.
        verbose: Whether to print a line; by default yes, as Keras.
        **options: For another format, as of `keras.Model.export`.

    Raises:
        FileExistsError: If `path` holds anything.
        ValueError: If there are no facts, an option is of another format, or
            the generator cannot be exported faithfully.
    """
    if format != _ARCHIVE:
        network = generator_of(model)
        require_range(network)  # Keras also wants one that was called
        network.export(path, format=format, verbose=verbose, **options)
        return
    if options := [name for name, v in options.items() if v is not None]:
        raise ValueError(
            f"expected no {', '.join(options)} with format {_ARCHIVE}: the "
            "archive has signatures of its own, see pet_dcgan.DCGAN.export"
        )
    network, info = described(model, facts)
    path = Path(os.path.abspath(path))
    if path.is_symlink() or (
        path.exists() and (not path.is_dir() or any(path.iterdir()))
    ):
        raise FileExistsError(
            f"expected a new or an empty folder, found something in {path}: "
            "choose another"
        )
    with replacing(path) as folder:
        write_archive(network, folder, info)
    if verbose or verbose is None:
        print(f"{path}: exported, and verified against the generator")
