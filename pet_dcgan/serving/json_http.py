"""JSON over HTTP from a server that may be busy, starting or gone."""

import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from pet_dcgan.utils.progress import status

# seconds before each further try
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
# of an answer; 64 PNGs of 256 px are a tenth
_MOST_BYTES = 128 * 2**20
_PIECE = 2**16
# what may be otherwise a moment later (RFC 9110, section 15; RFC 6585)
_PASSING = frozenset({408, 425, 429})
_MOST_WORDS = 200


class RefusedError(ValueError):
    """A request that a server understood and did not answer.

    Args:
        message: One line.
        status: The HTTP status.
        words: What the server said.
    """

    def __init__(self, message: str, *, status: int, words: str) -> None:
        super().__init__(message)
        self.status = status
        self.words = words


class _PassingError(Exception):
    """What went wrong, in a way that may be right the next time."""


class JsonHttp:
    """Asks a server, again where that may help.

    What may pass is tried again after each of `waits`: no connection, no
    answer in time, an answer that breaks off, and the statuses 408, 425, 429
    and 5xx. Each connection serves one request: kept alive, an answer of
    TensorFlow Serving comes about 40 ms later.

    Args:
        timeout: Seconds that one try may take.
        waits: Seconds before each further try.
    """

    def __init__(
        self, *, timeout: float = 60.0, waits: tuple[float, ...] = WAITS
    ) -> None:
        self.timeout = timeout
        self.waits = waits
        self._closed = threading.Event()
        self._opener = urllib.request.build_opener(_NoRedirect)

    def close(self) -> None:
        """Ends all waiting; a request under way is the last."""
        self._closed.set()

    def get(self, url: str) -> Any:
        """What a server answers, as parsed JSON; see `post`."""
        return self._ask(urllib.request.Request(url))

    def post(self, url: str, content: Any) -> Any:
        """What a server answers to `content` sent as JSON.

        Args:
            url: Where to.
            content: What JSON can hold.

        Raises:
            ConnectionError: If there is no answer after the last try.
            RefusedError: If the server answers with an error.
            ValueError: If the answer is no JSON.
        """
        return self._ask(
            urllib.request.Request(
                url,
                data=json.dumps(content).encode(),
                headers={"Content-Type": "application/json"},
            )
        )

    def pause(self, seconds: float, reason: str) -> None:
        """Waits, and says why.

        Args:
            seconds: How long.
            reason: Why, as the beginning of a sentence.

        Raises:
            ConnectionAbortedError: If `close` was called.
        """
        status(f"{reason} in {seconds:g} s")
        if self._closed.wait(seconds):
            raise ConnectionAbortedError("stopped while waiting for a server")

    def _ask(self, request: urllib.request.Request) -> Any:
        tries = len(self.waits) + 1
        for number, wait in enumerate((*self.waits, None), start=1):
            try:
                return self._try(request)
            except _PassingError as error:
                if wait is None:
                    raise ConnectionError(
                        f"expected an answer from {request.full_url}, found "
                        f"{error}, {tries} times: see that the server runs "
                        "and can be reached from here"
                    ) from error
                self.pause(wait, f"{error}; try {number + 1} of {tries}")

    def _try(self, request: urllib.request.Request) -> Any:
        deadline = time.monotonic() + self.timeout
        try:
            with self._opener.open(request, timeout=self.timeout) as answer:
                content = _read(answer, deadline)
        except urllib.error.HTTPError as error:
            raise _of_status(request.full_url, error) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLError):
                raise ValueError(
                    f"expected a server to be trusted at {request.full_url}, "
                    f"found {error.reason}: see to its certificate, or write "
                    "http://"
                ) from error
            raise _PassingError(_cause(error.reason)) from error
        except (OSError, http.client.HTTPException) as error:
            raise _PassingError(_cause(error)) from error
        try:
            return json.loads(content)
        except ValueError as error:
            raise ValueError(
                f"expected JSON from {request.full_url}, found "
                f"{_shortened(content)!r}: is this the server's REST port?"
            ) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves a redirection an error: a POST would come out as a GET."""

    def redirect_request(self, *_args, **_named) -> None:
        return None


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """The whole body, in time and of a length to be kept in memory."""
    pieces, length = [], 0
    while piece := answer.read1(_PIECE):
        pieces.append(piece)
        length += len(piece)
        if length > _MOST_BYTES:
            raise ValueError(
                f"expected an answer of at most {_MOST_BYTES} bytes from "
                f"{answer.url}, found more: is this the server's REST port?"
            )
        if time.monotonic() > deadline:
            raise TimeoutError
    told = answer.headers.get("Content-Length", "")
    if told.isdecimal() and length < int(told):
        raise ConnectionError("an answer that broke off")
    return b"".join(pieces)


def _of_status(url: str, error: urllib.error.HTTPError) -> Exception:
    words = _words(error)
    found = f"HTTP {error.code} ({words})"
    if error.code >= 500 or error.code in _PASSING:
        return _PassingError(found)
    place = error.headers.get("Location")
    remedy = f": ask {place}" if place else ""
    return RefusedError(
        f"expected an answer from {url}, found {found}{remedy}",
        status=error.code,
        words=words,
    )


def _words(error: urllib.error.HTTPError) -> str:
    """What the server says of an error, in one line."""
    try:
        content = error.read(_PIECE)
        said = json.loads(content)["error"]
    except (OSError, http.client.HTTPException):
        return str(error.reason)
    except (ValueError, KeyError, TypeError):
        said = error.reason
    return _shortened(str(said).encode()) or "no reason given"


def _cause(error: Any) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.HTTPException):
        return f"an answer that broke off or is no HTTP ({error!r})"
    return getattr(error, "strerror", None) or str(error)


def _shortened(content: bytes) -> str:
    text = content[: 4 * _MOST_WORDS].decode("utf-8", "replace")
    return " ".join(text.split())[:_MOST_WORDS]
