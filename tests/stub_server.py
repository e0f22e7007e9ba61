"""A model server in a thread, which answers from exported models over HTTP.

    with stub_server.serve(models_dir) as stub:
        requests to f"{stub.url}/v1/models/ad:predict"

It answers as tensorflow_model_server does at `/v1/models/NAME[/versions/N]`
and `...:predict`, with JSON by the rules of
tensorflow_serving/util/json_tensor.cc and statuses by those of
model_servers/http_server.cc. `stub.faults` is a list of what
happens to the next predictions instead: an HTTP status, `"drop"` (the
connection is closed without an answer), `"cut"` (half an answer) or seconds
to wait (a float) before the true answer. `stub.requests` holds the
predictions, as `(path, body)`.
"""

import base64
import contextlib
import functools
import json
import math
import re
import threading
from pathlib import Path

import canned_server
import numpy as np
import tensorflow as tf

_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?(:predict)?")
_FLOAT_MAX = float(np.finfo(np.float32).max)
_WHOLE_MAX = 2**24 - 1


class Refused(Exception):  # noqa: N818
    """An answer other than 200: HTTP status and the server's words."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


@functools.cache
def _load(folder, written_ns):
    """A model, loaded once for all stubs."""
    return tf.saved_model.load(str(folder))


class Models:
    """All models in a folder; versions that come later are seen."""

    def __init__(self, folder):
        self.folder = Path(folder)

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
        folder = self.folder / name / str(self.version(name, version))
        written = (folder / "saved_model.pb").stat().st_mtime_ns
        loaded = _load(folder, written)
        if wanted not in loaded.signatures:
            words = f'Serving signature name: "{wanted}" not found'
            raise Refused(400, f"{words} in signature def")
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


@contextlib.contextmanager
def serve(models_dir):
    """A `Stub` of `models_dir` on the loopback address while in the block."""
    stub = Stub(models_dir)
    try:
        with canned_server.running(_Handler) as server:
            server.stub, stub.url = stub, server.url
            yield stub
    finally:
        stub.finish()


class Stub:
    """What a test sees of the server."""

    def __init__(self, models_dir):
        self.models = Models(models_dir)
        self.faults = []
        self.requests = []
        self.stopping = threading.Event()
        self._busy = 0
        self._idle = threading.Condition()

    @contextlib.contextmanager
    def busy(self):
        """While a request is answered."""
        with self._idle:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def finish(self):
        """Waits for answers under way: no thread is in TensorFlow at exit."""
        self.stopping.set()
        with self._idle:
            self._idle.wait_for(lambda: not self._busy)

    def next_fault(self, path, body):
        with self._idle:
            self.requests.append((path, body))
            return self.faults.pop(0) if self.faults else None


class _Handler(canned_server.Handler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds without a word of the client

    def do_GET(self):  # noqa: N802
        self._reply(self._status)

    def do_POST(self):  # noqa: N802
        stub = self.server.stub
        with stub.busy():
            body = self.body()
            fault = stub.next_fault(self.path, body)
            if fault == "drop":
                self.close_connection = True
            elif isinstance(fault, int):
                self._send(fault, {"error": "made by the test"})
            else:
                if isinstance(fault, float):
                    stub.stopping.wait(fault)
                self._reply(lambda: self._predict(body), cut=fault == "cut")

    def _reply(self, answer, *, cut=False):
        try:
            status, content = 200, answer()
        except Refused as refused:
            status, content = refused.status, {"error": str(refused)}
        self._send(status, content, cut=cut)

    def _send(self, status, content, *, cut=False):
        payload = json.dumps(content).encode()
        sent = payload[: len(payload) // 2] if cut else payload
        self.send(status, sent, {"Content-Length": str(len(payload))})
        if cut:
            self.close_connection = True

    def _status(self):
        status = self.server.stub.models.status(*self._model())
        return {"model_version_status": status}

    def _predict(self, body):
        name, version = self._model()
        models = self.server.stub.models
        request = _object(body)
        wanted = request.get("signature_name") or "serving_default"
        signature = models.signature(name, version, wanted)
        specs = signature.structured_input_signature[1]
        outputs = models.answer(name, version, wanted, _inputs(request, specs))
        outputs = {
            key: _plain(values.tolist(), binary=key.endswith("_bytes"))
            for key, values in outputs.items()
        }
        if "instances" in request:
            return {"predictions": _by_row(outputs)}
        several = len(outputs) > 1
        return {"outputs": outputs if several else _the_only(outputs)}

    def _model(self):
        """Name and version in the path."""
        found = _PATH.fullmatch(self.path)
        if not found or bool(found[3]) != (self.command == "POST"):
            status = 400 if self.path.startswith("/v1/") else 404
            words = f"Malformed request: {self.command} {self.path}"
            raise Refused(status, words)
        return found[1], found[2]


def _object(body):
    try:
        request = json.loads(body)
    except ValueError as error:
        raise Refused(400, f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise Refused(400, f"JSON Value: {request!r} Is not object")
    return request


def _inputs(request, specs):
    """The inputs of a signature, in row or in column form, as arrays."""
    if ("instances" in request) == ("inputs" in request):
        raise Refused(400, "expecting one of 'inputs' or 'instances' keys")
    if "instances" in request:
        columns = _columns(request["instances"], list(specs))
    else:
        columns = request["inputs"]
        if not isinstance(columns, dict) and len(specs) == 1:
            columns = dict.fromkeys(specs, columns)
        for name in specs:
            if not isinstance(columns, dict) or name not in columns:
                raise Refused(400, f"Missing named input: {name} in 'inputs'")
    return {
        name: _as_array(columns[name], spec.dtype)
        for name, spec in specs.items()
    }


def _as_array(values, dtype):
    _check_leaves(values, dtype)
    kind = object if dtype == tf.string else dtype.as_numpy_dtype
    try:
        return np.array(values, kind)
    except ValueError as error:
        raise Refused(400, "list at unexpected size") from error


def _columns(rows, names):
    """The values of rows by name; rows of one input may be without it."""
    if not isinstance(rows, list) or not rows:
        raise Refused(400, "No values in 'instances' array")
    if len(names) == 1 and not isinstance(rows[0], dict):
        return {names[0]: rows}
    if any(not isinstance(x, dict) or set(x) != set(names) for x in rows):
        raise Refused(400, f"keys must be equal to: {','.join(names)}")
    return {name: [one[name] for one in rows] for name in names}


def _by_row(outputs):
    """Outputs row by row, without their name where there is one."""
    if len(outputs) == 1:
        return _the_only(outputs)
    rows = zip(*outputs.values(), strict=True)
    return [dict(zip(outputs, row, strict=True)) for row in rows]


def _the_only(outputs):
    (values,) = outputs.values()
    return values


def _check_leaves(value, dtype):
    if isinstance(value, list):
        for one in value:
            _check_leaves(one, dtype)
        return
    if dtype == tf.string:
        if not isinstance(value, str):
            raise Refused(400, f"JSON Value: {value!r} is not of expected type")
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if dtype == tf.int64:
        number = type(value) is int and -(2**63) <= value < 2**63
    if not number:
        raise Refused(400, f"JSON Value: {value!r} is not of expected type")
    most = _WHOLE_MAX if isinstance(value, int) else _FLOAT_MAX
    if dtype == tf.float32 and math.isfinite(value) and abs(value) > most:
        raise Refused(400, f"Cannot convert {value} without loss of precision")


def _plain(value, *, binary):
    if isinstance(value, list):
        return [_plain(one, binary=binary) for one in value]
    if isinstance(value, bytes):
        if not binary:
            return value.decode()
        return {"b64": base64.b64encode(value).decode()}
    return value
