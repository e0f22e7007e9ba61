#!/usr/bin/env python3
"""Draws synthetic slices or volumes from a model server over REST.

    rest_client.py http://localhost:8501/v1/models/ad --count 4 --out images

16-bit PNGs, or with --suvr float32 arrays, and images.csv with the seed and
the model's version of each. The same seed gives the same image. A conditional
model is asked with --stage AD --plane axial --position 12, one of volumes with
--stage AD alone; its PNGs have three cuts. Needs Python 3.11 and requests (and
numpy for --suvr). Exit codes: 0 done, 1 failed, 2 options.
"""

import argparse
import base64
import contextlib
import functools
import json
import re
import sys
import time
import urllib.parse
from typing import Any

import requests
import synthetic
import wanted
from urllib3.exceptions import HTTPError, ReadTimeoutError

_PATH = re.compile(r"/v1/models/([^/:]+)(/versions/[0-9]{1,19})?/?")
_LIMIT = (
    256 * 2**20
)  # bytes of an answer; 64 slices of 256 px in SUVR are 90 MB
_PIECE = 2**16


class ServerError(Exception):
    """A server that cannot be reached or gives another answer."""


def main(arguments: list[str] | None = None) -> int:
    """Parses the options, draws, and returns the exit code."""
    parser = synthetic.parser(__doc__)
    parser.add_argument("url", type=model_url, help="of the model")
    synthetic.add_arguments(parser)
    options = parser.parse_args(arguments)
    return synthetic.run(lambda: _draw(options), ServerError)


def _draw(options: argparse.Namespace) -> None:
    """Draws all images from one version, whatever is loaded meanwhile."""
    model = Model(options.url, timeout=options.timeout).pinned()
    signature = "generate" if options.suvr else "generate_png"
    synthetic.write(
        options,
        facts=synthetic.parse_facts(*model.predict("describe", [0])),
        name=model.name,
        version=model.version,
        draw=functools.partial(model.predict, signature),
    )


class Model:
    """A model at `http(s)://HOST:PORT/v1/models/NAME[/versions/N]`.

    Args:
        url: Its address.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.base, _, self.version = self.url.partition("/versions/")
        self.name = self.base.rpartition("/")[2]

    def pinned(self) -> "Model":
        """Returns the same model at the version that it has now."""
        answer = self._json(*self.send(self.url))
        try:
            versions = [
                int(one["version"])
                for one in answer["model_version_status"]
                if one["state"] == "AVAILABLE"
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise ServerError(
                f"expected versions from {self.url}, found another answer"
            ) from error
        if not versions:
            raise ServerError(f"no version is loaded at {self.url}")
        return Model(
            f"{self.base}/versions/{max(versions)}", timeout=self.timeout
        )

    def predict(
        self,
        signature: str,
        seeds: list[int],
        columns: dict[str, list] | None = None,
    ) -> list[Any]:
        """Returns bytes or nested lists, one for each seed."""
        body = predicting(signature, seeds, columns)
        answer = self.send(f"{self.url}:predict", body)
        return self.predictions(self._json(*answer), len(seeds))

    def predictions(self, answer: Any, count: int) -> list[Any]:
        """Returns the predictions of an answer, base64 decoded.

        Raises:
            ServerError: If there are not `count` of them.
            ValueError: If a conditional model refused one.
        """
        try:
            rows, status = answer["predictions"], []
            if rows and isinstance(rows[0], dict) and "status" in rows[0]:
                status = [one.pop("status") for one in rows]
                rows = [_only(one) for one in rows]
            values = [
                base64.b64decode(one["b64"], validate=True)
                if isinstance(one, dict)
                else one
                for one in rows
            ]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ServerError(
                f"expected predictions from {self.url}, found another answer"
            ) from error
        if len(values) != count:
            raise ServerError(
                f"expected {count} images from {self.url}, found {len(values)}"
            )
        wanted.fine(status)
        return values

    def send(
        self, url: str, body: Any = None, session: Any = None
    ) -> tuple[int, bytes]:
        """Returns the status and the content of an answer.

        Raises:
            ServerError: If there is none, or none in time.
        """
        deadline = time.monotonic() + self.timeout
        try:
            with contextlib.ExitStack() as stack:
                session = session or stack.enter_context(Session())
                response = session.request(
                    "GET" if body is None else "POST",
                    url,
                    json=body,
                    headers={"Accept-Encoding": "identity"},
                    timeout=self.timeout,
                    stream=True,
                )
                stack.enter_context(response)
                return response.status_code, _content(response, deadline)
        except (requests.Timeout, TimeoutError, ReadTimeoutError) as error:
            raise ServerError(
                f"no answer from {self.url} within {self.timeout:g} s: check "
                "the server, or give a longer --timeout"
            ) from error
        except (requests.RequestException, HTTPError, OSError) as error:
            raise ServerError(
                f"no model server at {self.url} ({reason(error)}): start it or "
                "give another URL"
            ) from error

    def _json(self, status: int, content: bytes) -> dict[str, Any]:
        """Returns the JSON of a good answer."""
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            answer = {"error": "no JSON object"}
        if status != 200 or "error" in answer:
            words = synthetic.one_line(answer.get("error", ""))
            raise ServerError(
                f"{self.url} answered HTTP {status}: {words or 'no reason'}"
            )
        return answer


class Session(requests.Session):
    """Follows no redirect: a POST would arrive as a GET."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere; called for each response."""


def _content(response: requests.Response, deadline: float) -> bytes:
    """Returns the whole body, within a time and a size limit."""
    content = bytearray()
    while piece := response.raw.read1(_PIECE):
        content += piece
        if len(content) > _LIMIT:
            raise ServerError(
                f"expected at most {_LIMIT} bytes, found more: check which "
                "server it is"
            )
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(content)


def predicting(
    signature: str, seeds: list[int], columns: dict[str, list] | None = None
) -> dict[str, Any]:
    """Returns the body of a request for the images of seeds."""
    rows: list[Any] = seeds
    if columns:
        named = {"seed": seeds, **columns}
        values = zip(*named.values(), strict=True)
        rows = [dict(zip(named, each, strict=True)) for each in values]
    return {"signature_name": signature, "instances": rows}


def _only(outputs: dict[str, Any]) -> Any:
    """Returns the only output of a row."""
    (value,) = outputs.values()
    return value


def innermost(error: BaseException) -> BaseException:
    """Returns the error that requests wraps, several layers deep."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def reason(error: BaseException) -> str:
    """Returns why there is no answer, in the system's words if it has any."""
    words = getattr(innermost(error), "strerror", None)
    return synthetic.one_line(words or "an incomplete or invalid answer")


def model_url(text: str) -> str:
    """Parses an argument that is the URL of a model.

    Raises:
        argparse.ArgumentTypeError: If it is not.
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


if __name__ == "__main__":
    sys.exit(main())
