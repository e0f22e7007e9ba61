#!/usr/bin/env python3
"""Draws synthetic slices from a model server over REST.

    rest_client.py http://localhost:8501/v1/models/ad --count 4 --out images

16-bit PNGs, or with --suvr float32 arrays, and images.csv with the seed and
the model's version of each. The same seed gives the same image. Needs Python
3.11 and requests (and numpy for --suvr). Exit codes: 0 done, 1 failed, 2
options.
"""

import argparse
import base64
import re
import sys
import urllib.parse
from typing import Any

import requests
import synthetic

_PATH = re.compile(r"/v1/models/([^/:]+)(/versions/\d+)?/?")


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
        draw=lambda seeds: model.predict(signature, seeds),
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
        answer = self._json(self.send(self.url))
        versions = [
            int(one["version"])
            for one in answer.get("model_version_status", [])
            if one["state"] == "AVAILABLE"
        ]
        if not versions:
            raise ServerError(f"no version is loaded at {self.url}")
        return Model(
            f"{self.base}/versions/{max(versions)}", timeout=self.timeout
        )

    def predict(self, signature: str, seeds: list[int]) -> list[Any]:
        """Returns bytes or nested lists, one for each seed."""
        answer = self.send(f"{self.url}:predict", predicting(signature, seeds))
        return self.predictions(self._json(answer), len(seeds))

    def predictions(self, answer: Any, count: int) -> list[Any]:
        """Returns the predictions of an answer, base64 decoded.

        Raises:
            ServerError: If there are not `count` of them.
        """
        try:
            values = [
                base64.b64decode(one["b64"]) if isinstance(one, dict) else one
                for one in answer["predictions"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise ServerError(
                f"expected predictions from {self.url}, found another answer"
            ) from error
        if len(values) != count:
            raise ServerError(
                f"expected {count} images from {self.url}, found {len(values)}"
            )
        return values

    def send(
        self, url: str, body: Any = None, session: Any = requests
    ) -> requests.Response:
        """Returns the whole answer, whatever its status.

        Raises:
            ServerError: If there is none.
        """
        try:
            return session.request(
                "GET" if body is None else "POST",
                url,
                json=body,
                headers={"Accept-Encoding": "identity"},
                timeout=self.timeout,
                allow_redirects=False,
            )
        except requests.Timeout as error:
            raise ServerError(
                f"no answer from {self.url} within {self.timeout:g} s: check "
                "the server, or give a longer --timeout"
            ) from error
        except requests.RequestException as error:
            raise ServerError(
                f"no model server at {self.url} ({innermost(error)}): start it "
                "or give another URL"
            ) from error

    def _json(self, response: requests.Response) -> dict[str, Any]:
        """Returns the JSON of a good answer."""
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            answer = {"error": "no JSON object"}
        if response.status_code != 200 or "error" in answer:
            reason = str(answer.get("error", answer)).strip() or "no reason"
            raise ServerError(
                f"{self.url} answered HTTP {response.status_code}: "
                f"{reason.splitlines()[0]}"
            )
        return answer


def predicting(signature: str, seeds: list[int]) -> dict[str, Any]:
    """Returns the body of a request for the images of seeds."""
    return {"signature_name": signature, "instances": seeds}


def innermost(error: BaseException) -> BaseException:
    """Returns the error that requests wraps, several layers deep."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


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
