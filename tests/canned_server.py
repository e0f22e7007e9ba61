"""An HTTP server in a thread that gives prepared answers.

    with canned_server.serve([(200, b"{}", {})]) as server:
        one request to server.url

Each answer is a status, a body and headers; the last one is given again and
again. `server.asked` holds `(method, path, body)` of each request.
"""

import contextlib
import http.server
import threading


@contextlib.contextmanager
def serve(answers):
    server = _Server(("127.0.0.1", 0), _Handler)
    server.answers, server.asked = list(answers), []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away is no event."""


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, format, *args):  # noqa: A002
        """Tests read no log."""

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self._answer()

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server = self.server
        server.asked.append((self.command, self.path, body))
        answers = server.answers
        status, content, headers = (
            answers.pop(0) if len(answers) > 1 else answers[0]
        )
        if status is None:
            self.wfile.write(content)
            return
        self.send_response(status)
        for name, value in {
            "Content-Length": str(len(content)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
