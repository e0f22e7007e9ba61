"""Exported models as a model server holds them, for the stubs in tests.

`answer` runs a signature on arrays and raises `Refused` with the status that
tensorflow_model_server gives (model_servers/http_server.cc maps the codes).
"""

import functools
import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2

DTYPES = {"DT_INT64": np.int64, "DT_FLOAT": np.float32, "DT_STRING": object}


class Refused(Exception):  # noqa: N818
    """An answer other than 200: HTTP status and the server's words."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Models:
    """All models in a folder; versions that come later are seen."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._loaded = {}

    def versions(self, name):
        base = self.folder / name
        found = base.iterdir() if base.is_dir() else []
        return sorted(int(p.name) for p in found if p.name.isdecimal())

    def version(self, name, version=None):
        """The version asked for, or the highest."""
        found = self.versions(name)
        if version is not None and int(version) in found:
            return int(version)
        if version is None and found:
            return found[-1]
        which = "Latest" if version is None else "Specific"
        asked = name if version is None else f"{name}, {version}"
        raise Refused(404, f"Servable not found for request: {which}({asked})")

    def status(self, name, version=None):
        found = self.versions(name)
        if version is not None:
            found = [one for one in found if one == int(version)]
        if not found:
            asked = name if version is None else f"{name}, version {version}"
            raise Refused(404, f"Could not find any versions of model {asked}")
        return [
            {
                "version": str(one),
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
            for one in reversed(found[-1:] if version is None else found)
        ]

    def signatures(self, name, version=None):
        """Signature definitions as JSON, straight from saved_model.pb."""
        path = self.folder / name / str(self.version(name, version))
        return _signatures(path / "saved_model.pb")

    def signature(self, name, version, wanted):
        found = self.signatures(name, version)
        if wanted not in found:
            raise Refused(
                400,
                f'Serving signature name: "{wanted}" not found in '
                "signature def",
            )
        return found[wanted]

    def answer(self, name, version, wanted, inputs):
        """Outputs of a signature, a dict of arrays, for a dict of arrays."""
        path = self.folder / name / str(self.version(name, version))
        loaded = self._loaded.setdefault(path, _Lazy(path)).value
        self.signature(name, version, wanted)
        try:
            outputs = loaded.signatures[wanted](
                **{key: tf.constant(value) for key, value in inputs.items()}
            )
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            raise Refused(400, str(error)) from error
        return {key: value.numpy() for key, value in outputs.items()}


class _Lazy:
    def __init__(self, path):
        self._path = path

    @functools.cached_property
    def value(self):
        return tf.saved_model.load(str(self._path))


@functools.cache
def _signatures(path):
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    definitions = saved.meta_graphs[0].signature_def
    return {
        name: json.loads(
            json_format.MessageToJson(
                definition,
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
            )
        )
        for name, definition in definitions.items()
    }
