"""JSON over HTTP, with retries while a server is busy, starting or away."""

import http.client
import json
import threading
import time
from typing import Any

import requests
from urllib3.exceptions import HTTPError as _Urllib3Error
from urllib3.exceptions import TimeoutError as _ReadTimeout

from pet_dcgan.utils.progress import status

RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each further attempt
_MAX_BYTES = 128 * 2**20  # of a response; 64 PNGs of 256 px are a tenth
_PIECE = 2**16
# may succeed a moment later (RFC 9110, section 15; RFC 6585)
_TRANSIENT = frozenset({408, 425, 429})
_MAX_CHARACTERS = 200
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
        reason: What the server said.
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
        timeout: Seconds per attempt.
    """

    def __init__(self, *, timeout: float = 60.0) -> None:
        self.timeout = timeout
        self._closed = threading.Event()

    def close(self) -> None:
        """Ends all waiting; a request under way is the last."""
        self._closed.set()

    def request(self, url: str, content: Any = None) -> Any:
        """Sends a GET, or a POST of JSON, and parses the JSON response.

        Args:
            url: Address.
            content: Anything JSON can hold, to be posted; None for a GET.

        Returns:
            The parsed response.

        Raises:
            ConnectionError: If the last attempt fails as well.
            HttpStatusError: If the server answers with an error.
            ValueError: If the URL, the certificate or the response is invalid.
        """
        attempts = len(RETRY_DELAYS) + 1
        for number, delay in enumerate((*RETRY_DELAYS, None), start=1):
            try:
                body = self._attempt(url, content)
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
            return json.loads(body)
        except ValueError as error:
            raise ValueError(
                f"expected JSON from {url}, found {_one_line(body)!r}: is "
                "this the server's REST port?"
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

    def _attempt(self, url: str, content: Any) -> bytes:
        """Returns the body of one response."""
        deadline = time.monotonic() + self.timeout
        try:
            with requests.request(
                "GET" if content is None else "POST",
                url,
                json=content,
                headers=_HEADERS,
                timeout=self.timeout,
                stream=True,
                # a redirected POST would arrive as a GET
                allow_redirects=False,
            ) as response:
                if response.status_code >= 300:
                    raise _status_error(url, response)
                return _read(response, deadline)
        except requests.exceptions.SSLError as error:
            raise ValueError(
                f"{url} is not trusted ({_cause(error)}): check its "
                "certificate, or write http://"
            ) from error
        except (OSError, _Urllib3Error) as error:
            # of requests: a bad URL or proxy, before anything is sent
            if isinstance(error, ValueError):
                raise ValueError(f"cannot ask {url}: {error}") from error
            raise _TransientError(_cause(error)) from error


def _read(response: requests.Response, deadline: float) -> bytes:
    """Returns the whole body, within a time and a size limit.

    `iter_content` has no deadline: it waits for a full piece, which a slow
    server can stretch for ever.
    """
    pieces, length = [], 0
    while piece := response.raw.read1(_PIECE):
        pieces.append(piece)
        length += len(piece)
        if length > _MAX_BYTES:
            raise ValueError(
                f"expected at most {_MAX_BYTES} bytes from {response.url}, "
                "found more: is this the server's REST port?"
            )
        if time.monotonic() > deadline:
            raise TimeoutError
    return b"".join(pieces)


def _status_error(url: str, response: requests.Response) -> Exception:
    """Returns the error that an HTTP status stands for."""
    try:
        reason = str(json.loads(response.raw.read(_PIECE))["error"])
    except (OSError, ValueError, LookupError, TypeError, _Urllib3Error):
        reason = response.reason
    reason = _one_line(reason.encode()) or "no reason given"
    found = f"HTTP {response.status_code} ({reason})"
    if response.status_code >= 500 or response.status_code in _TRANSIENT:
        return _TransientError(found)
    location = response.headers.get("Location")
    remedy = f": use {location}" if location else ""
    return HttpStatusError(
        f"{url} answered {found}{remedy}",
        status=response.status_code,
        reason=reason,
    )


def _cause(error: BaseException) -> str:
    """Returns the innermost reason of a failure."""
    if isinstance(error, TimeoutError | requests.Timeout | _ReadTimeout):
        return "no answer in time"
    while inner := error.__cause__ or error.__context__:
        error = inner
    if isinstance(error, http.client.HTTPException):
        return f"an incomplete or invalid response ({error!r})"
    return getattr(error, "strerror", None) or str(error)


def _one_line(content: bytes) -> str:
    """Returns the beginning of a text as one line."""
    text = content[: 4 * _MAX_CHARACTERS].decode("utf-8", "replace")
    return " ".join(text.split())[:_MAX_CHARACTERS]
