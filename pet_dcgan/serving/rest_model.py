"""A model that TensorFlow Serving holds, called over its REST interface."""

import base64
import math
import re
import struct
from collections.abc import Sequence
from typing import Any

from pet_dcgan.config import ALL_STAGES, PLANES, STAGES
from pet_dcgan.references import REFERENCES
from pet_dcgan.serving.json_http import (
    RETRY_DELAYS,
    HttpStatusError,
    JsonClient,
)
from pet_dcgan.serving.model_info import ModelInfo

_URL = re.compile(
    r"(https?://[^/?#@\s]+(?:/[^/?#\s]+)*?/v1/models/[^/?#:\s]+)"
    r"(/versions/\d+|/labels/[^/?#:\s]+)?/?"
)
_READY, _LOADING = "AVAILABLE", ("START", "LOADING")
# signature, then length, name, width, height, bits, colour of the first chunk;
# PNG specification, third edition, section 11.2.2
_PNG_HEAD = struct.Struct(">8sI4sIIBB")
_GREY = 0


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
    if found is None:
        without_password = re.sub(r"//[^/@]*@", "//...@", url)
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
        timeout: Seconds that one answer may take.

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

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """Returns the 16-bit PNG of each seed.

        Raises:
            ConnectionError: If the server gives no answer.
            ValueError: If it answers with anything else.
        """
        images = self._predict("generate_png", "image_bytes", seeds)
        for image in images:
            _check_png(image, self.facts.size, self.url)
        return images

    def close(self) -> None:
        """Ends the waiting in `draw`."""
        self._client.close()

    def _describe(self) -> ModelInfo:
        """Returns what the signature `describe` says."""
        try:
            (text,) = self._predict("describe", "facts_bytes", [0])
        except HttpStatusError as error:
            if error.status not in (400, 404):
                raise
            raise ValueError(
                f"the model at {self.url} does not describe itself (the "
                f"server says: {error.reason}), so pet-dcgan export did not "
                "make it: give the URL of another, or export the run again"
            ) from error
        facts = ModelInfo.from_json(text, source=f"the answer of {self.url}")
        _check_facts(facts, self.url)
        return facts

    def _predict(
        self, signature: str, output: str, seeds: Sequence[int]
    ) -> list[bytes]:
        """Returns the bytes of each seed."""
        seeds = [int(seed) for seed in seeds]
        answer = self._client.request(
            f"{self.url}:predict",
            {"signature_name": signature, "inputs": {"seed": seeds}},
        )
        try:
            rows = answer["outputs"]
            if isinstance(rows, dict):
                rows = rows[output]
            found = [
                base64.b64decode(row["b64"], validate=True) for row in rows
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise _foreign_answer(self.url, answer) from error
        if len(found) != len(seeds):
            raise ValueError(
                f"expected {len(seeds)} rows of {signature} from {self.url}, "
                f"found {len(found)}: is this TensorFlow Serving?"
            )
        return found


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
    found = ", ".join(f"{number} {state}" for number, state in states)
    raise ValueError(
        f"no version is ready at {base}{chosen} (found {found or 'none'}): "
        "see the server's log"
    )


def _states(
    client: JsonClient, base: str, chosen: str = ""
) -> list[tuple[int, str]]:
    """Returns each version and its state."""
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
        raise ValueError(
            f"expected {chosen.strip('/').replace('/', ' ')} at {base}, found "
            f"versions {', '.join(map(str, known)) or 'none'}: choose one of "
            "them"
        ) from error
    try:
        return [
            (int(each["version"]), str(each["state"]))
            for each in answer["model_version_status"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise _foreign_answer(base + chosen, answer) from error


def _check_facts(facts: ModelInfo, url: str) -> None:
    """Checks what becomes names of files, and numbers in their headers."""
    scales = (facts.suvr_max, facts.spacing_mm)
    if not (
        facts.stage in (*STAGES, ALL_STAGES)
        and facts.plane in PLANES
        and facts.reference in REFERENCES
        and facts.size > 0
        and facts.max_rows > 0
        and all(math.isfinite(scale) and scale > 0 for scale in scales)
    ):
        raise ValueError(
            f"expected a stage, a plane and a scale at {url}, found {facts}: "
            "export the run again"
        )


def _check_png(image: bytes, size: int, url: str) -> None:
    """Refuses anything but a whole grey 16-bit PNG of the model's size."""
    head = image[: _PNG_HEAD.size].ljust(_PNG_HEAD.size)
    mark, _, _, width, height, bits, colour = _PNG_HEAD.unpack(head)
    found = (mark, width, height, bits, colour, image[-8:-4])
    if found != (b"\x89PNG\r\n\x1a\n", size, size, 16, _GREY, b"IEND"):
        raise ValueError(
            f"expected grey 16-bit PNGs of {size} x {size} from {url}, found "
            f"{len(image)} bytes that begin with {image[:16]!r}: the model "
            "does not fit its description, export the run again"
        )


def _foreign_answer(url: str, answer: Any) -> ValueError:
    """Returns the error for JSON that TensorFlow Serving would not send."""
    return ValueError(
        f"expected an answer of TensorFlow Serving from {url}, found "
        f"{str(answer)[:200]!r}: is this the server's REST port?"
    )
