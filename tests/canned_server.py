"""An HTTP server in a thread that gives prepared answers.

    with canned_server.serve([(200, b"{}", {})]) as server:
        one request to server.url

Each answer is a status, a body and headers; the last one is given again and
again. `server.asked` holds `(method, path, body)` of each request.

    with canned_server.drip(b"HTTP/1.1 200 OK\\r\\n\\r\\n", b"x") as server:
        one request to server.url, whose answer does not end
"""

import contextlib
import http.server
import socketserver
import threading


@contextlib.contextmanager
def running(handler):
    """A server on the loopback address, with its `url`, while in the block."""
    server = _Server(("127.0.0.1", 0), handler)
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def serve(answers):
    with running(_Canned) as server:
        server.answers, server.asked = list(answers), []
        yield server


@contextlib.contextmanager
def drip(begun, then, *, every=0.05):
    """A server that sends `begun`, and `then` every so many seconds.

    It never ends; `server.left` is set once a client has.
    """
    with running(_Dripping) as server:
        server.begun, server.then, server.every = begun, then, every
        server.left, server.stopping = threading.Event(), threading.Event()
        try:
            yield server
        finally:
            server.stopping.set()


class _Dripping(socketserver.BaseRequestHandler):
    def handle(self):
        server = self.server
        try:
            self.request.recv(2**16)
            self.request.sendall(server.begun)
            while not server.stopping.wait(server.every):
                self.request.sendall(server.then)
        except OSError:
            server.left.set()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that went away is no event."""


class Handler(http.server.BaseHTTPRequestHandler):
    """A request's body, and an answer in one call."""

    def log_message(self, format, *args):  # noqa: A002
        """Tests read no log."""

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def send(self, status, content, headers):
        self.send_response(status)
        length = {"Content-Length": str(len(content))}
        for name, value in (length | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class _Canned(Handler):
    def do_GET(self):
        server = self.server
        server.asked.append((self.command, self.path, self.body()))
        answers = server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer[0] is None:  # no HTTP
            self.wfile.write(answer[1])
        else:
            self.send(*answer)

    do_POST = do_GET  # noqa: N815
