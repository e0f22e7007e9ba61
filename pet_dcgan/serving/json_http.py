"""JSON over HTTP, with retries while a server is busy, starting or away."""

import contextlib
import http.client
import re
import threading
from typing import Any

import requests
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError as _Urllib3Error
from urllib3.exceptions import TimeoutError as _ReadTimeout

from pet_dcgan.serving.connection import DeadlineAdapter
from pet_dcgan.utils.foreign_text import one_line, parse_object
from pet_dcgan.utils.prefetch import begin
from pet_dcgan.utils.progress import status

RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each further attempt
_PIECE = 2**16
# may succeed a moment later (RFC 9110, section 15; RFC 6585)
_TRANSIENT = frozenset({408, 425, 429})
_HEADERS = {
    # kept alive, a response of TensorFlow Serving comes about 40 ms later
    "Connection": "close",
    # compressing PNGs costs a server time and saves nothing
    "Accept-Encoding": "identity",
}


class HttpStatusError(ValueError):
    """A request that a server answered with an error that will not pass.

    Args:
        message: One line.
        status: The HTTP status.
        reason: What the server said, as one line.
    """

    def __init__(self, message: str, *, status: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class _TransientError(Exception):
    """A failure that another attempt may not meet."""


class JsonClient:
    """Sends requests, and repeats those whose failure may be transient.

    Retried are: no connection, no answer in time, an incomplete response, and
    the statuses 408, 425, 429 and 5xx. The loop is ours since the retries of
    requests end with the header, in silence, and cannot be stopped while they
    wait. Proxies are those of the environment.

    Args:
        timeout: Seconds per attempt, from the search for the server's address
            to the last byte of its answer.
    """

    def __init__(self, *, timeout: float = 60.0) -> None:
        self.timeout = timeout
        self._closed = threading.Event()

    def close(self) -> None:
        """Ends all waiting; a request under way is the last."""
        self._closed.set()

    def request(
        self, url: str, content: Any = None, *, most_bytes: int = 2**20
    ) -> dict[str, Any]:
        """Sends a GET, or a POST of JSON, and parses the JSON response.

        Args:
            url: Address, without a password.
            content: Anything JSON can hold, to be posted; None for a GET.
            most_bytes: Length of the longest response that makes sense.

        Returns:
            The parsed response.

        Raises:
            ConnectionError: If the last attempt fails as well.
            HttpStatusError: If the server answers with an error.
            ValueError: If the URL or the certificate is invalid, or the
                response is no JSON object or too long.
        """
        attempts = len(RETRY_DELAYS) + 1
        for number, delay in enumerate((*RETRY_DELAYS, None), start=1):
            try:
                body = self._attempt(url, content, most_bytes)
                break
            except _TransientError as error:
                if delay is None:
                    raise ConnectionError(
                        f"no usable answer from {url} in {attempts} attempts "
                        f"({error}): check that the server is running and can "
                        "be reached from here"
                    ) from error
                self.pause(
                    delay, f"{error}; attempt {number + 1} of {attempts}"
                )
        try:
            return parse_object(body, source=f"the answer of {url}")
        except ValueError as error:
            beginning = one_line(body[:80].decode("utf-8", "replace"), most=40)
            raise ValueError(
                f"{error} (it begins with {beginning or 'nothing'}): is this "
                "the server's REST port?"
            ) from error

    def pause(self, seconds: float, reason: str) -> None:
        """Waits, with a status line that says why.

        Args:
            seconds: How long.
            reason: Beginning of the line.

        Raises:
            ConnectionAbortedError: If `close` is called.
        """
        status(f"{reason} in {seconds:g} s")
        if self._closed.wait(seconds):
            raise ConnectionAbortedError("stopped while waiting for a server")

    def _attempt(self, url: str, content: Any, most_bytes: int) -> bytes:
        """Returns the body of one response.

        It is received in a thread, which ends soon after: the search for an
        address has no timeout, and each address found has the whole one.
        """
        exchange = begin(
            lambda _: _exchange(url, content, self.timeout, most_bytes)
        )
        try:
            return exchange.result(self.timeout)
        except requests.exceptions.SSLError as error:
            raise ValueError(
                f"{url} is not trusted ({_cause(error)}): check its "
                "certificate, or write http://"
            ) from error
        except (OSError, _Urllib3Error) as error:
            # of requests: a bad URL or proxy, before anything is sent, or a
            # bad header, which can only be the server's
            if isinstance(error, ValueError) and not isinstance(
                error, requests.exceptions.InvalidHeader
            ):
                raise ValueError(
                    f"cannot ask {url} ({_words(error)}): check the URL and "
                    "the proxy of the environment"
                ) from error
            raise _TransientError(_cause(error)) from error


def _exchange(url: str, content: Any, timeout: float, most_bytes: int) -> bytes:
    """Sends one request and returns the body of its response."""
    method = "GET" if content is None else "POST"
    request = requests.Request(method, url, json=content, headers=_HEADERS)
    with (
        contextlib.closing(DeadlineAdapter(timeout)) as adapter,
        contextlib.closing(adapter.response(request)) as response,
    ):
        if response.status >= 300:
            raise _status_error(url, response)
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding.lower() != "identity":
            raise ValueError(
                f"expected plain JSON from {url}, found {one_line(encoding)}, "
                "which was not asked for: is this the server's REST port?"
            )
        body = _read(response, most_bytes)
    if len(body) > most_bytes:
        raise ValueError(
            f"expected at most {most_bytes} bytes from {url}, found more: is "
            "this the server's REST port?"
        )
    return body


def _read(response: HTTPResponse, most: int) -> bytes:
    """Returns the body, or a little more than its first `most` bytes."""
    body = bytearray()
    while len(body) <= most and (piece := response.read1(_PIECE)):
        body += piece
    return bytes(body)


def _status_error(url: str, response: HTTPResponse) -> Exception:
    """Returns the error that an HTTP status stands for."""
    try:
        answer = parse_object(_read(response, _PIECE), source=url)
        reason = answer.get("error")
    except (OSError, ValueError, _Urllib3Error):
        reason = None
    if not isinstance(reason, str):
        reason = response.reason or ""
    reason = _words(reason) or "no reason given"
    found = f"HTTP {response.status} ({reason})"
    if response.status >= 500 or response.status in _TRANSIENT:
        return _TransientError(found)
    location = _words(response.headers.get("Location", ""))
    remedy = f"use {location}" if location else "see the server's log"
    return HttpStatusError(
        f"{url} answered {found}: {remedy}",
        status=response.status,
        reason=reason,
    )


def _words(found: object) -> str:
    """Returns one line of what others wrote, without passwords in URLs."""
    return re.sub(r"//[^/]*@", "//...@", one_line(found))


def _cause(error: BaseException) -> str:
    """Returns the innermost reason of a failure."""
    if isinstance(error, TimeoutError | requests.Timeout | _ReadTimeout):
        return "no answer in time"
    while inner := error.__cause__ or error.__context__:
        error = inner
    # the texts of others are Python's, as "invalid literal for int()"
    if not isinstance(error, OSError) or isinstance(
        error, requests.RequestException | http.client.HTTPException
    ):
        return "an incomplete or invalid response"
    # of certificates, of the system
    for words in ("verify_message", "strerror"):
        if found := getattr(error, words, None):
            # of TLS, a line of Python's own code is added
            return _words(re.sub(r" ?\(\w+\.c:\d+\)", "", found))
    return _words(error)
