"""A model server in a thread, which answers from exported models over HTTP.

    with stub_server.serve(models_dir) as stub:
        requests to f"{stub.url}/v1/models/ad:predict"

What it says is what tensorflow_model_server says at these paths:
`/v1/models/NAME[/versions/N]`, `.../metadata`, `...:predict` and
`/monitoring/prometheus/metrics`. `stub.faults` is a list of what happens to
the next predictions instead: an HTTP status, `"drop"` (the connection is
closed without an answer), `"cut"` (half an answer) or seconds to wait (a
float) before the true answer. `stub.requests` holds the predictions asked
for, as `(path, body)`.
"""

import contextlib
import http.server
import json
import re
import threading

import stub_json
from stub_models import Models, Refused

METRICS = "/monitoring/prometheus/metrics"
_PATH = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/(\d+))?(/metadata|:predict)?"
)


@contextlib.contextmanager
def serve(models_dir, *, port=0):
    """A `Stub` of `models_dir` on the loopback address while in the block."""
    stub = Stub(models_dir, port)
    thread = threading.Thread(target=stub.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield stub
    finally:
        stub.server.shutdown()
        thread.join()
        stub.finish()
        stub.server.server_close()


class Stub:
    """What a test sees of the server."""

    def __init__(self, models_dir, port=0):
        self.models = Models(models_dir)
        self.faults = []
        self.requests = []
        self.counts = {}
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self._busy = 0
        self._idle = threading.Condition()
        self.server = _Server(("127.0.0.1", port), _Handler)
        self.server.stub = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

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
        with self.lock:
            self.requests.append((path, body))
            return self.faults.pop(0) if self.faults else None

    def count(self, name, status):
        words = "OK" if status == 200 else "INVALID_ARGUMENT"
        with self.lock:
            key = (name, words)
            self.counts[key] = self.counts.get(key, 0) + 1


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that went away is no event."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds without a word of the client

    def log_message(self, format, *args):  # noqa: A002
        """Tests read no log."""

    def do_GET(self):
        self._reply(self._get)

    def do_POST(self):
        with self.server.stub.busy():
            self._post(self.server.stub)

    def _post(self, stub):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
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
        found = _PATH.fullmatch(self.path)
        if self.command == "POST" and found:
            self.server.stub.count(found[1], status)
        self._send(status, content, cut=cut)

    def _send(self, status, content, *, cut=False):
        text = isinstance(content, str)
        payload = (content if text else json.dumps(content)).encode()
        self.send_response(status)
        kind = "text/plain" if text else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload[: len(payload) // 2] if cut else payload)
        if cut:
            self.close_connection = True

    def _get(self):
        models = self.server.stub.models
        if self.path == METRICS:
            return _metrics(self.server.stub.counts)
        name, version, what = self._parsed("GET")
        if what is None:
            return {"model_version_status": models.status(name, version)}
        signatures = models.signatures(name, version)
        chosen = str(models.version(name, version))
        return {
            "model_spec": {
                "name": name,
                "signature_name": "",
                "version": chosen,
            },
            "metadata": {"signature_def": {"signature_def": signatures}},
        }

    def _predict(self, body):
        name, version, _ = self._parsed("POST")
        models = self.server.stub.models
        asked = _object(body)
        signature = asked.get("signature_name") or "serving_default"
        definition = models.signature(name, version, signature)
        inputs, row_form = stub_json.inputs_of(asked, definition)
        outputs = models.answer(name, version, signature, inputs)
        return stub_json.answer_of(outputs, row_form=row_form)

    def _parsed(self, method):
        found = _PATH.fullmatch(self.path)
        if not found or (found[3] == ":predict") != (method == "POST"):
            known = self.path.startswith("/v1/")
            raise Refused(
                400 if known else 404,
                f"Malformed request: {method} {self.path}",
            )
        return found.groups()


def _object(body):
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise Refused(400, f"JSON Parse error: {error}") from error
    if not isinstance(asked, dict):
        raise Refused(400, f"JSON Value: {asked!r} Is not object")
    if not isinstance(asked.get("signature_name", ""), str):
        raise Refused(400, "'signature_name' key must be a string value.")
    return asked


def _metrics(counts):
    lines = ["# TYPE :tensorflow:serving:request_count counter"]
    for (name, status), number in sorted(counts.items()):
        labels = f'model_name="{name}",status="{status}"'
        lines.append(f":tensorflow:serving:request_count{{{labels}}} {number}")
    return "\n".join(lines) + "\n"
