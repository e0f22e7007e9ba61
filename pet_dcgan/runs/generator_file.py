"""`generator.keras`: the trained network of a run, written and read.

The file is data, never code: a run's configuration says how its network is
built, and only the weights are taken from the file.
"""

import io
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.models.networks import build_generator, float32_copy
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.foreign_files import require_regular
from pet_dcgan.utils.foreign_text import one_line, parse_object

_ARCHITECTURE = ("size", "channels", "latent_dim", "width", "kernel_size")
_WEIGHTS = "model.weights.h5"
_TEXTS = ("config.json", "metadata.json")
# of an archive's own lists, of the texts, and of HDF5's groups
_OVERHEAD = 2**20


def write_generator(path: Path, model: keras.Model) -> None:
    """Writes a generator, whole or not at all.

    Args:
        path: Of the file, which ends in `.keras`.
        model: Of any precision; the file holds it in float32.
    """
    with replacing(path) as temporary:
        float32_copy(model).save(temporary)


def read_generator(path: Path, config: TrainConfig) -> keras.Model:
    """Reads what `write_generator` wrote: `latent` to `image` in [-1, 1].

    Args:
        path: Of the file.
        config: Of the run; the network is built from it.

    Raises:
        ValueError: If the file is damaged, or holds another network.
    """
    facts = {name: getattr(config, name) for name in _ARCHITECTURE}
    # of Keras's own layers, as it was saved
    network = float32_copy(build_generator(**facts))
    try:
        weights = _stored_weights(path, size=4 * network.count_params())
        with h5py.File(io.BytesIO(weights)) as file:
            _assign(network, _child(file, "layers"))
    # zipfile, zlib and h5py report damage as anything
    except Exception as error:
        raise ValueError(
            f"expected in {path} the generator that config.json beside it "
            f"describes, found a damaged file or another network "
            f"({one_line(error)}): restore it, or train again under another "
            "--run"
        ) from error
    return network


def _stored_weights(path: Path, *, size: int) -> bytes:
    """The HDF5 file of some bytes of weights, all checksums verified."""
    most = size + _OVERHEAD
    require_regular(path, path.stat(), most=most + _OVERHEAD)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        names = sorted([*_TEXTS, _WEIGHTS])
        if sorted(each.filename for each in members) != names:
            raise ValueError(f"other parts than {', '.join(names)}")
        for name in _TEXTS:
            parse_object(_member(archive, name, most=_OVERHEAD), source=name)
        return _member(archive, _WEIGHTS, most=most)


def _member(archive: zipfile.ZipFile, name: str, *, most: int) -> bytes:
    """The content of a member, if it unpacks to no more than `most` bytes."""
    size = archive.getinfo(name).file_size
    if size > most:
        raise ValueError(f"{size:,} bytes in {name}")
    return archive.read(name)  # no more than that, with its checksum


def _assign(network: keras.Model, stored: h5py.Group) -> None:
    """Assigns every layer its weights; none may miss or be left over."""
    groups = [_child(_child(stored, name), "vars") for name in stored]
    found = {group.attrs["name"]: group for group in groups if len(group)}
    layers = {each.name: each for each in network.layers if each.weights}
    if found.keys() != layers.keys():
        raise ValueError("weights of other layers")
    for name, layer in layers.items():
        group = found[name]
        if len(group) != len(layer.weights):
            raise ValueError(f"{len(group)} weights of {name}")
        layer.set_weights(
            [
                _array(_child(group, str(index)), tuple(weight.shape))
                for index, weight in enumerate(layer.weights)
            ]
        )


def _child(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
    """A group or array in the file itself."""
    # other links lead elsewhere, even out of the file
    if type(group.get(name, getlink=True)) is not h5py.HardLink:
        raise ValueError(f"a link instead of {one_line(name)}")
    return group[name]


def _array(stored: h5py.Dataset, shape: tuple[int, ...]) -> np.ndarray:
    """The values of an array that lies in the file as it is."""
    if stored.shape != shape or stored.dtype != np.float32:
        raise ValueError(f"weights {stored.dtype} {stored.shape}, not {shape}")
    if stored.chunks or stored.external or stored.is_virtual:
        raise ValueError("weights that are packed or lie elsewhere")
    values = stored[()]
    if not np.isfinite(values).all():
        raise ValueError("weights that are not finite")
    return values
