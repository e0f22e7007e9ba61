"""One model on a server, over REST. Only Python's own library is needed."""

import argparse
import base64
import http.client
import json
import re
import urllib.parse
from typing import Any

_PATH = re.compile(r"/v1/models/([^/:]+)(/versions/\d+)?/?")


class ServerError(Exception):
    """A server that cannot be reached or does not give what was asked."""


class Model:
    """A model at `http(s)://HOST:PORT/v1/models/NAME[/versions/N]`.

    Args:
        url: Where it is.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        parts = urllib.parse.urlsplit(url)
        self.url = url
        self.timeout = timeout
        self.path = parts.path.rstrip("/")
        self.name = _PATH.fullmatch(parts.path)[1]
        self._address = (parts.hostname, parts.port)
        self._secure = parts.scheme == "https"

    def pinned(self) -> "Model":
        """The same model at the version that it has now."""
        answer = self.json("GET", self.path)
        versions = [
            int(one["version"])
            for one in answer.get("model_version_status", [])
            if one["state"] == "AVAILABLE"
        ]
        if not versions:
            raise ServerError(f"expected a loaded version at {self.url}")
        base = self.url.rstrip("/").partition("/versions/")[0]
        url = f"{base}/versions/{max(versions)}"
        return Model(url, timeout=self.timeout)

    @property
    def version(self) -> str:
        """The version that a pinned model has."""
        return self.path.rpartition("/")[2]

    def predict(self, signature: str, seeds: list[int]) -> list[Any]:
        """What a signature of seeds gives, bytes or nested lists, a seed."""
        body = {"signature_name": signature, "instances": seeds}
        answer = self.json("POST", f"{self.path}:predict", body)
        return self.predictions(answer, len(seeds))

    def predictions(self, answer: Any, count: int) -> list[Any]:
        """The predictions of an answer, base64 undone.

        Raises:
            ServerError: If there are not `count` of them.
        """
        try:
            values = [_decoded(one) for one in answer["predictions"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ServerError(
                f"expected predictions from {self.url}, found another answer"
            ) from error
        if len(values) != count:
            raise ServerError(
                f"expected {count} images from {self.url}, found {len(values)}"
            )
        return values

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that a path answers.

        Raises:
            ServerError: If there is no answer or it is an error.
        """
        connection = self.connect()
        try:
            status, payload = self.send(connection, method, path, body)
        finally:
            connection.close()
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if status != 200 or not isinstance(answer, dict):
            raise ServerError(
                f"expected an answer of {self.url}, found HTTP {status}: "
                f"{_reason(answer)}"
            )
        return answer

    def connect(self) -> http.client.HTTPConnection:
        """A connection, which opens when something is sent."""
        secure, plain = http.client.HTTPSConnection, http.client.HTTPConnection
        kind = secure if self._secure else plain
        return kind(*self._address, timeout=self.timeout)

    def send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Any = None,
    ) -> tuple[int, bytes]:
        """HTTP status and the whole body of an answer.

        Raises:
            ServerError: If there is none.
        """
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, data)
            with connection.getresponse() as answer:
                return answer.status, answer.read()
        except TimeoutError as error:
            raise ServerError(
                f"expected an answer of {self.url} within {self.timeout:g} s, "
                "found none: see how the server is, or give a longer --timeout"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(
                f"expected a model server at {self.url}, found "
                f"{_reason(error)}: start it or give another URL"
            ) from error


def model_url(text: str) -> str:
    """An argument that is the URL of a model.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    parts = urllib.parse.urlsplit(text)
    try:
        port = parts.port != 0
    except ValueError:
        port = False
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not port
        or not _PATH.fullmatch(parts.path)
        or parts.query
        or parts.fragment
    ):
        raise argparse.ArgumentTypeError(
            "expected a URL as http://localhost:8501/v1/models/ad, found "
            f"{text}"
        )
    return text


def _decoded(value: Any) -> Any:
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _reason(found: Any) -> str:
    """One line of an error."""
    if isinstance(found, dict):
        found = found.get("error", found)
    elif found is None:
        found = "no JSON"
    lines = str(found).strip().splitlines()
    return lines[0] if lines else type(found).__name__
