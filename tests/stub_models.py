"""Exported models as a model server holds them, for the stubs in tests.

`answer` runs a signature on arrays and raises `Refused` with the status that
tensorflow_model_server gives (model_servers/http_server.cc maps the codes).
"""

import functools
from pathlib import Path

import tensorflow as tf


class Refused(Exception):  # noqa: N818
    """An answer other than 200: HTTP status and the server's words."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Models:
    """All models in a folder; versions that come later are seen."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._load = functools.cache(tf.saved_model.load)

    def versions(self, name):
        base = self.folder / name
        found = base.iterdir() if base.is_dir() else []
        return sorted(int(p.name) for p in found if p.name.isdecimal())

    def version(self, name, version=None):
        """The chosen version, or the highest."""
        found = self.versions(name)
        if version is not None and int(version) in found:
            return int(version)
        if version is None and found:
            return found[-1]
        which = "Latest" if version is None else "Specific"
        words = name if version is None else f"{name}, {version}"
        raise Refused(404, f"Servable not found for request: {which}({words})")

    def status(self, name, version=None):
        try:
            chosen = self.version(name, version)
        except Refused:
            words = name if version is None else f"{name}, version {version}"
            raise Refused(
                404, f"Could not find any versions of model {words}"
            ) from None
        return [
            {
                "version": str(chosen),
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]

    def signature(self, name, version, wanted):
        """A signature as a function."""
        chosen = self.version(name, version)
        loaded = self._load(str(self.folder / name / str(chosen)))
        if wanted not in loaded.signatures:
            raise Refused(
                400,
                f'Serving signature name: "{wanted}" not found in '
                "signature def",
            )
        return loaded.signatures[wanted]

    def answer(self, name, version, wanted, inputs):
        """Outputs of a signature, a dict of arrays, for a dict of arrays."""
        signature = self.signature(name, version, wanted)
        try:
            outputs = signature(
                **{key: tf.constant(value) for key, value in inputs.items()}
            )
        except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
            raise Refused(400, str(error)) from error
        return {key: value.numpy() for key, value in outputs.items()}
