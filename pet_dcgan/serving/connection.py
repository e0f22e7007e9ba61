"""Connections to a server whose answers have a deadline."""

import http.client
import io
import socket
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse
from urllib3.util.response import assert_header_parsing


class DeadlineAdapter(HTTPAdapter):
    """Sends requests; whatever is read of an answer must come in time.

    The timeout of a socket is for each read, which a server that sends a byte
    a second never exceeds. Here each read may take what is left of one time.

    Proxies, certificates and credentials are those that requests takes from
    the environment. What it makes of a response is left out: it reads the
    whole body of a redirect, unpacks it, and parses cookies.

    Args:
        seconds: Until the last byte.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def response(self, request: requests.Request) -> HTTPResponse:
        """Sends a request and returns the response, its body unread.

        Args:
            request: What to send.

        Raises:
            requests.RequestException: If there is none.
        """
        with requests.Session() as session:
            prepared = session.prepare_request(request)
            settings = session.merge_environment_settings(
                prepared.url, {}, True, None, None
            )
        return self.send(prepared, timeout=self._seconds, **settings)

    def build_response(self, req: Any, resp: HTTPResponse) -> HTTPResponse:
        """Returns the response as it is; called by `send`.

        Args:
            req: The request that it answers.
            resp: Of urllib3.
        """
        return resp

    def get_connection_with_tls_context(
        self, *args: Any, **named: Any
    ) -> HTTPConnectionPool:
        """Returns a pool whose connections keep the deadline, for `send`.

        Args:
            args: As in `HTTPAdapter`.
            named: As in `HTTPAdapter`.
        """
        pool = super().get_connection_with_tls_context(*args, **named)
        deadline = self._deadline

        class Response(http.client.HTTPResponse):
            def __init__(self, sock: socket.socket, **named: Any) -> None:
                super().__init__(sock, **named)
                timed = _Timed(sock, self.fp.detach(), deadline)
                self.fp = io.BufferedReader(timed)

            def begin(self) -> None:
                super().begin()
                # which urllib3 would log, with a traceback, and go on
                assert_header_parsing(self.headers)
                # of several, urllib3 would leave the socket open
                if not self.headers.get("Content-Length", "0").isdigit():
                    raise http.client.HTTPException("no length")

        class Connection(pool.ConnectionCls):
            response_class = Response

        pool.ConnectionCls = Connection
        return pool


class _Timed(io.RawIOBase):
    """What comes from a socket until a deadline."""

    def __init__(
        self, connected: socket.socket, stream: io.RawIOBase, deadline: float
    ) -> None:
        self._connected = connected
        self._stream = stream
        self._deadline = deadline

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Reads once, for as long as the deadline allows."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self._connected.settimeout(left)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        """Closes the socket's stream."""
        self._stream.close()
        super().close()
