"""A network's `.keras` file, the same bytes for the same weights."""

import json
import zipfile
from pathlib import Path

import keras

_FACTS = "metadata.json"
_DATE = "date_saved"  # nothing reads it


def save_network(network: keras.Model, path: str | Path) -> None:
    """Writes a network without the dates that Keras writes into the file.

    A `.keras` file is a zip, which holds when it was made: as the date of its
    entries, and in `metadata.json` (keras/src/saving/saving_lib.py).

    Args:
        network: What `keras.models.load_model` shall return.
        path: A new file whose name ends in `.keras`.
    """
    network.save(path)
    with zipfile.ZipFile(path) as file:
        entries = {name: file.read(name) for name in sorted(file.namelist())}
    facts = json.loads(entries[_FACTS])
    facts.pop(_DATE, None)
    entries[_FACTS] = json.dumps(facts, sort_keys=True).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in entries.items():
            # without a date of its own: 1980
            file.writestr(zipfile.ZipInfo(name), content)
