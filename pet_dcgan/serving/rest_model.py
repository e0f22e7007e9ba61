"""A model that TensorFlow Serving holds, called over its REST interface."""

import base64
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.serving.exported_model import PICTURE, require_fine
from pet_dcgan.serving.json_http import (
    RETRY_DELAYS,
    HttpStatusError,
    JsonClient,
)
from pet_dcgan.utils.foreign_text import one_line

_URL = re.compile(
    r"(https?://[^/?#@\s]+(?:/[^/?#\s]+)*?/v1/models/[^/?#:\s]+)"
    r"(/versions/[0-9]{1,19}|/labels/[^/?#:\s]+)?/?"
)
_READY, _LOADING = "AVAILABLE", ("START", "LOADING")
_VERSION = re.compile(r"[0-9]{1,19}")
_SLACK = 2**16  # bytes around the images of an answer, and of each image


def is_url(model: object) -> bool:
    """Whether a model is named by a URL rather than by a folder."""
    return re.match(r"[a-z]+:/", str(model), re.IGNORECASE) is not None


def parse_model_url(url: str) -> tuple[str, str]:
    """Splits a URL into the model and the version that was chosen.

    Args:
        url: As `http://host:8501/v1/models/ad/versions/3`.

    Returns:
        `http://host:8501/v1/models/ad`, and `/versions/3`, a label as
        `/labels/stable`, or an empty text for the newest version.

    Raises:
        ValueError: If it is not that of a model.
    """
    found = _URL.fullmatch(url)
    if found is None or not url.isprintable():
        without_password = one_line(re.sub(r"//[^/]*@", "//...@", url))
        raise ValueError(
            "expected a model's URL such as http://host:8501/v1/models/ad "
            "or http://host:8501/v1/models/ad/versions/3, found "
            f"{without_password}"
        )
    return found[1], found[2] or ""


class RemoteModel:
    """One version of a model on a server, by default the newest.

    Waits for a version that is still loading. The version stays the same even
    if the server loads a newer one.

    Args:
        url: See `parse_model_url`.
        timeout: Seconds that one answer may take, from the search for the
            server to its last byte.

    Raises:
        ConnectionError: If the server gives no answer.
        ValueError: If there is no such model or version, or this package did
            not make it.
    """

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        base, chosen = parse_model_url(url)
        self._client = JsonClient(timeout=timeout)
        self.version = str(_ready_version(self._client, base, chosen))
        self.url = f"{base}/versions/{self.version}"
        self.facts = self._describe()

    def draw(
        self,
        seeds: Sequence[int],
        *,
        conditions: Mapping[str, Sequence] | None = None,
        signature: str = PICTURE,
    ) -> list[bytes]:
        """Returns the 16-bit PNG of each seed.

        Args:
            seeds: Of the images.
            conditions: What a conditional model is asked for, from
                `as_columns`: by name a list with an entry a seed.
            signature: What the PNGs show, one of the facts' `pictures`.

        Raises:
            ConnectionError: If the server gives no answer.
            ValueError: If it answers with anything else, or refuses a row.
        """
        pixels = math.prod(self.facts.picture_shape(signature))
        return self._predict(
            signature,
            "image_bytes",
            seeds,
            conditions or {},
            # two bytes a pixel, in base64
            most_bytes=pixels * 2 * 4 // 3 + _SLACK,
        )

    def close(self) -> None:
        """Ends the waiting in `draw`."""
        self._client.close()

    def _describe(self) -> ModelInfo:
        """Returns what the signature `describe` says."""
        try:
            (text,) = self._predict("describe", "facts_bytes", [0], {})
        except HttpStatusError as error:
            if error.status not in (400, 404):
                raise
            raise ValueError(
                f"the model at {self.url} does not describe itself (the "
                f"server says: {error.reason}), so pet-dcgan export did not "
                "make it: give the URL of another, or export the run again"
            ) from error
        return ModelInfo.from_json(text, source=f"the answer of {self.url}")

    def _predict(
        self,
        signature: str,
        output: str,
        seeds: Sequence[int],
        conditions: Mapping[str, Sequence],
        *,
        most_bytes: int = _SLACK,
    ) -> list[bytes]:
        """Returns the bytes of each seed, at most `most_bytes` in base64."""
        seeds = [int(seed) for seed in seeds]
        answer = self._client.request(
            f"{self.url}:predict",
            {
                "signature_name": signature,
                "inputs": {"seed": seeds, **conditions},
            },
            most_bytes=len(seeds) * most_bytes + _SLACK,
        )
        rows, status = answer.get("outputs"), []
        if isinstance(rows, dict):
            status = rows.get("status") if conditions else []
            rows = rows.get(output)
        if not isinstance(rows, list):
            raise _foreign_answer(self.url, answer)
        if len(rows) != len(seeds):
            raise ValueError(
                f"expected {len(seeds)} rows of {signature} from {self.url}, "
                f"found {len(rows)}: is this TensorFlow Serving?"
            )
        require_fine(status, f"the model at {self.url}")
        try:
            return [base64.b64decode(row["b64"], validate=True) for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise _foreign_answer(self.url, answer) from error


def _ready_version(client: JsonClient, base: str, chosen: str) -> int:
    """Returns the newest version that is ready."""
    for delay in (*RETRY_DELAYS, None):
        states = _states(client, base, chosen)
        ready = [number for number, state in states if state == _READY]
        if ready:
            return max(ready)
        if delay is None or not any(state in _LOADING for _, state in states):
            break
        client.pause(delay, "the model is being loaded; next check")
    found = one_line(", ".join(f"{number} {state}" for number, state in states))
    raise ValueError(
        f"no version is ready at {base}{chosen} (found {found or 'none'}): "
        "see the server's log"
    )


def _states(
    client: JsonClient, base: str, chosen: str = ""
) -> list[tuple[int, str]]:
    """Returns each version that was chosen and its state."""
    try:
        answer = client.request(base + chosen)
    except HttpStatusError as error:
        if error.status != 404:
            raise
        if not chosen:
            raise ValueError(
                f"no model at {base} (the server says: {error.reason}): its "
                "models.config has the names"
            ) from error
        known = sorted(number for number, _ in _states(client, base))
        numbers = one_line(", ".join(map(str, known)))
        raise ValueError(
            f"expected {chosen.strip('/').replace('/', ' ')} at {base}, found "
            f"versions {numbers or 'none'}: choose one of them"
        ) from error
    try:
        found = [_state(each) for each in answer["model_version_status"]]
    except (KeyError, TypeError, ValueError) as error:
        raise _foreign_answer(base + chosen, answer) from error
    kind, _, wanted = chosen.strip("/").partition("/")
    if kind == "versions":
        return [each for each in found if each[0] == int(wanted)]
    return found


def _state(status: Any) -> tuple[int, str]:
    """Returns the version and the state that one entry of a status holds."""
    number, state = status["version"], status["state"]
    # a 64-bit number is a text in the JSON of protocol buffers
    if not _VERSION.fullmatch(number) or not isinstance(state, str):
        raise ValueError
    return int(number), one_line(state, most=40)


def _foreign_answer(url: str, answer: dict[str, Any]) -> ValueError:
    """Returns the error for JSON that TensorFlow Serving would not send."""
    return ValueError(
        f"expected an answer of TensorFlow Serving from {url}, found "
        f"JSON with {one_line(', '.join(answer)) or 'nothing'}: is this the "
        "server's REST port?"
    )
