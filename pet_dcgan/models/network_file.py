"""A network's `.keras` file: the same bytes for the same weights.

The file is data, never code. `keras.models.load_model` reads it; here only the
weights are taken from it, for a network that is built already. HDF5 is not
parsed for that, since a hostile file can make its library wait without end:
`metadata.json` says where in the HDF5 file each weight lies.
"""

import hashlib
import io
import json
import math
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np

from pet_dcgan.utils.foreign_files import require_regular
from pet_dcgan.utils.foreign_text import parse_object

_FACTS, _CONFIG = "metadata.json", "config.json"
_STORE = "model.weights.h5"
_DATE = "date_saved"  # nothing reads it
_PLACES = "weights"
# of an archive's lists, of its texts, and of the groups of the HDF5 file
_OVERHEAD = 2**20


def save_network(network: keras.Model, path: str | Path) -> None:
    """Writes a network without the dates that Keras writes into the file.

    A `.keras` file is a zip, which holds when it was made: as the date of its
    entries, and in `metadata.json` (keras/src/saving/saving_lib.py).

    Args:
        network: What `keras.models.load_model` shall return, in float32.
        path: A new file whose name ends in `.keras`.
    """
    network.save(path)
    with zipfile.ZipFile(path) as file:
        entries = {name: file.read(name) for name in sorted(file.namelist())}
    facts = json.loads(entries[_FACTS])
    facts.pop(_DATE, None)
    facts[_PLACES] = list(_places(network, entries[_STORE]))
    entries[_FACTS] = json.dumps(facts, sort_keys=True).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in entries.items():
            # without a date of its own: 1980
            file.writestr(zipfile.ZipInfo(name), content)


def load_weights(network: keras.Model, path: Path) -> None:
    """Loads the weights of a file that `save_network` wrote into a network.

    Args:
        network: Of the same architecture; where an error is raised it keeps
            its own weights.
        path: The file.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is damaged or of another network. A damaged zip may
            raise any other exception of `zipfile` and `zlib`.
    """
    shapes = [tuple(weight.shape) for weight in network.weights]
    most = 4 * sum(map(math.prod, shapes)) + _OVERHEAD
    require_regular(path, path.stat(), most=most + _OVERHEAD)
    with zipfile.ZipFile(path) as file:
        found = sorted(member.filename for member in file.infolist())
        if found != sorted([_FACTS, _CONFIG, _STORE]):
            raise ValueError(f"other parts than those of a {path.suffix} file")
        # its checksum alone matters
        _content(file, _CONFIG, most=_OVERHEAD)
        facts = parse_object(
            _content(file, _FACTS, most=_OVERHEAD), source=_FACTS
        )
        store = _content(file, _STORE, most=most)
    places = facts.get(_PLACES)
    if not isinstance(places, list) or len(places) != len(shapes):
        raise ValueError(f"no place of each weight in {_FACTS}")
    pairs = zip(places, shapes, strict=True)
    network.set_weights([_weight(store, *pair) for pair in pairs])


def _places(network: keras.Model, store: bytes) -> Iterator[dict]:
    """Where in the HDF5 file each weight of a network begins.

    Keras nests its groups as layers are nested, so a weight is known by its
    values; of equal ones either will do.
    """
    found = defaultdict(list)

    def add(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype == np.dtype("<f4"):
            found[_key(item[()])].append(item.id.get_offset())

    with h5py.File(io.BytesIO(store)) as file:
        file.visititems(add)
    for weight in network.weights:
        value = np.asarray(weight)
        places = found[_key(value)]
        place = places.pop(0) if places else None
        if place is None:
            raise ValueError(
                f"expected float32 in one piece for {weight.path}, found "
                f"{value.dtype} elsewhere: save it as float32"
            )
        yield {"begin": place, "shape": list(value.shape)}


def _key(value: np.ndarray) -> tuple:
    """What equal weights share."""
    return value.shape, hashlib.sha256(value.tobytes()).digest()


def _content(file: zipfile.ZipFile, name: str, *, most: int) -> bytes:
    """The content of a member, if it unpacks to no more than `most` bytes."""
    size = file.getinfo(name).file_size
    if size > most:
        raise ValueError(f"{size:,} bytes of {name}")
    return file.read(name)  # no more than that, and with its checksum


def _weight(store: bytes, place: object, shape: tuple[int, ...]) -> np.ndarray:
    """The values of one weight."""
    begin = place.get("begin") if isinstance(place, dict) else None
    if type(begin) is not int or place.get("shape") != list(shape):
        raise ValueError(f"no weight of shape {list(shape)}")
    size = 4 * math.prod(shape)
    values = store[max(begin, 0) : max(begin, 0) + size]
    if len(values) != size:
        raise ValueError("a weight that ends too soon")
    array = np.frombuffer(values, "<f4").reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError("a weight that is not finite")
    return array
