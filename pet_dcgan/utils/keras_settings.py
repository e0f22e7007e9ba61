"""Keras's own defaults in place of a user's global settings.

`~/.keras/keras.json`, `KERAS_BACKEND` and code that ran before may have set
another precision, order of axes or backend for every network. Those here are
made for Keras's defaults on TensorFlow.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pet_dcgan.utils.foreign_text import read_object

_BACKEND = "tensorflow"


@contextlib.contextmanager
def keras_defaults() -> Iterator[None]:
    """Sets Keras's own defaults for a block or, as a decorator, a function.

    They are those of `floatx`, `epsilon`, `image_data_format` and the dtype
    policy; the user's own are set again at the end.
    """
    from keras import config

    defaults = {
        "floatx": "float32",
        "epsilon": 1e-7,
        "image_data_format": "channels_last",
        "dtype_policy": "float32",
    }
    before = {name: getattr(config, name)() for name in defaults}
    try:
        for name, value in defaults.items():
            getattr(config, f"set_{name}")(value)
        yield
    finally:
        for name, value in before.items():
            getattr(config, f"set_{name}")(value)


def require_tensorflow_backend() -> None:
    """Refuses another backend of Keras, without importing Keras.

    Raises:
        ImportError: If Keras runs, or would run, on another one.
    """
    found, where = _backend()
    if found != _BACKEND:
        raise ImportError(
            f"expected the TensorFlow backend of Keras, found {found} "
            f"({where}); set KERAS_BACKEND={_BACKEND} before Keras is imported"
        )


def _backend() -> tuple[str, str]:
    """The backend of Keras, and what chose it, in the order Keras looks."""
    if keras := sys.modules.get("keras"):
        return keras.config.backend(), "Keras is imported already"
    if named := os.environ.get("KERAS_BACKEND"):
        return named, "KERAS_BACKEND"
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    path = Path(home, "keras.json")
    # Keras itself ignores a file that it cannot read
    with contextlib.suppress(OSError, ValueError):
        return str(read_object(path).get("backend", _BACKEND)), str(path)
    return _BACKEND, "by default"
