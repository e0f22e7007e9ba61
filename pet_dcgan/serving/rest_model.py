"""A model that a TensorFlow Serving holds, asked over its REST interface."""

import base64
import dataclasses
import math
import re
import struct
from collections.abc import Sequence
from typing import Any

from pet_dcgan.config import ALL_STAGES, PLANES, STAGES
from pet_dcgan.serving.json_http import JsonHttp, RefusedError
from pet_dcgan.serving.model_info import ModelInfo, model_name

_URL = re.compile(
    r"(https?://[^/?#@\s]+(?:/[^/?#\s]+)*?/v1/models/[^/?#:\s]+)"
    r"(/versions/\d+|/labels/[^/?#:\s]+)?/?"
)
_READY, _COMING = "AVAILABLE", ("START", "LOADING")
# signature, then length, name, width, height, bits, colour of the first chunk;
# PNG specification, third edition, section 11.2.2
_PNG_HEAD = struct.Struct(">8sI4sIIBB")
_GREY = 0


def is_url(model: object) -> bool:
    """Whether a model is named by a URL rather than by a folder."""
    return re.match(r"[a-z]+:/", str(model), re.IGNORECASE) is not None


@dataclasses.dataclass(frozen=True)
class ModelUrl:
    """Where a server keeps a model.

    Args:
        base: The model, as `http://host:8501/v1/models/ad`.
        chosen: `"/versions/3"`, `"/labels/stable"` or empty.
    """

    base: str
    chosen: str = ""

    @classmethod
    def parse(cls, url: str) -> "ModelUrl":
        """Takes a URL apart.

        Raises:
            ValueError: If it is not that of a model.
        """
        found = _URL.fullmatch(url)
        if found is None:
            raise ValueError(
                "expected a model's URL such as http://host:8501/v1/models/ad "
                "or http://host:8501/v1/models/ad/versions/3, found "
                f"{_without_password(url)}"
            )
        return cls(found[1], found[2] or "")


class RemoteModel:
    """One version of a model on a server.

    Args:
        url: The version, as `http://host:8501/v1/models/ad/versions/3`.
        facts: What its signature `describe` says.
        rest: Asks the server.
    """

    # a request under way holds nothing that has to be waited for
    awaited = False
    # so that a busy server is asked again by nobody else
    at_once = 1

    def __init__(self, url: str, facts: ModelInfo, rest: JsonHttp) -> None:
        self.url = url
        self.facts = facts
        self._rest = rest

    @property
    def version(self) -> str:
        """The version's number."""
        return self.url.rpartition("/")[2]

    @property
    def name(self) -> str:
        """The model's name, as `ad`; a server may call it otherwise."""
        return model_name(self.facts.stage, self.facts.plane)

    @classmethod
    def open(cls, url: str, *, timeout: float = 60.0) -> "RemoteModel":
        """Finds the version that a URL means, at best the newest one.

        A version that is being loaded is waited for. Whatever the server
        loads later, the version stays.

        Args:
            url: See `ModelUrl`.
            timeout: Seconds that one answer may take.

        Raises:
            ConnectionError: If the server gives no answer.
            ValueError: If there is no such model or version, or it is not
                one of this package.
        """
        place = ModelUrl.parse(url)
        rest = JsonHttp(timeout=timeout)
        url = f"{place.base}/versions/{_version(rest, place)}"
        return cls(url, _facts(rest, url), rest)

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """The 16-bit PNG of each seed.

        Raises:
            ConnectionError: If the server gives no answer.
            ValueError: If it gives something else.
        """
        images = _predict(
            self._rest, self.url, "generate_png", "image_bytes", seeds
        )
        for image in images:
            _check_png(image, self.facts.size, self.url)
        return images

    def close(self) -> None:
        """Ends what `draw` waits for."""
        self._rest.close()


def _version(rest: JsonHttp, place: ModelUrl) -> int:
    """The newest version that is ready."""
    for wait in (*rest.waits, None):
        states = _states(rest, place)
        ready = [number for number, state in states if state == _READY]
        if ready:
            return max(ready)
        if wait is None or not any(state in _COMING for _, state in states):
            break
        rest.pause(wait, "the model is being loaded; asked again")
    found = ", ".join(f"{number} {state}" for number, state in states)
    raise ValueError(
        f"expected a version that is ready at {place.base}{place.chosen}, "
        f"found {found or 'none'}: look at the server's log"
    )


def _states(rest: JsonHttp, place: ModelUrl) -> list[tuple[int, str]]:
    """Versions and what the server says of them."""
    url = place.base + place.chosen
    try:
        answer = rest.get(url)
    except RefusedError as error:
        if error.status != 404:
            raise
        raise ValueError(_missing(rest, place, error)) from error
    try:
        return [
            (int(each["version"]), str(each["state"]))
            for each in answer["model_version_status"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(_not_serving(url, answer)) from error


def _missing(rest: JsonHttp, place: ModelUrl, error: RefusedError) -> str:
    """What to say where a server knows a model, or a version of it, not."""
    if not place.chosen:
        return (
            f"expected a model at {place.base}, found none (the server says: "
            f"{error.words}): see its models.config for the names"
        )
    known = _states(rest, ModelUrl(place.base))
    names = ", ".join(str(number) for number, _ in sorted(known))
    return (
        f"expected {place.chosen.strip('/').replace('/', ' ')} at "
        f"{place.base}, found versions {names or 'none'}: ask for one of them"
    )


def _facts(rest: JsonHttp, url: str) -> ModelInfo:
    try:
        (text,) = _predict(rest, url, "describe", "facts_bytes", [0])
    except RefusedError as error:
        if error.status not in (400, 404):
            raise
        raise ValueError(
            f"expected a model of pet-dcgan export at {url}, found one that "
            f"does not describe itself (the server says: {error.words}): "
            "give the URL of another, or export the run again"
        ) from error
    facts = ModelInfo.from_json(text, source=f"what {url} says of itself")
    # they become names of files, and numbers in their headers
    sound = (
        facts.stage in (*STAGES, ALL_STAGES)
        and facts.plane in PLANES
        and facts.size > 0
        and facts.max_rows > 0
        and all(
            math.isfinite(scale) and scale > 0
            for scale in (facts.suvr_max, facts.spacing_mm)
        )
    )
    if not sound:
        raise ValueError(
            f"expected a stage, a plane and a scale at {url}, found {facts}: "
            "export the run again"
        )
    return facts


def _predict(
    rest: JsonHttp, url: str, signature: str, output: str, seeds: Sequence[int]
) -> list[bytes]:
    """One text of bytes for each seed."""
    seeds = [int(seed) for seed in seeds]
    answer = rest.post(
        f"{url}:predict",
        {"signature_name": signature, "inputs": {"seed": seeds}},
    )
    try:
        rows = answer["outputs"]
        if isinstance(rows, dict):
            rows = rows[output]
        found = [base64.b64decode(row["b64"], validate=True) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(_not_serving(url, answer)) from error
    if len(found) != len(seeds):
        raise ValueError(
            f"expected {len(seeds)} rows of {signature} from {url}, found "
            f"{len(found)}: is this TensorFlow Serving?"
        )
    return found


def _check_png(image: bytes, size: int, url: str) -> None:
    head = image[: _PNG_HEAD.size].ljust(_PNG_HEAD.size)
    mark, _, _, width, height, bits, colour = _PNG_HEAD.unpack(head)
    found = (mark, width, height, bits, colour, image[-8:-4])
    if found != (b"\x89PNG\r\n\x1a\n", size, size, 16, _GREY, b"IEND"):
        raise ValueError(
            f"expected grey 16-bit PNGs of {size} x {size} from {url}, found "
            f"{len(image)} bytes that begin with {image[:16]!r}: the model "
            "does not fit its description, export the run again"
        )


def _not_serving(url: str, answer: Any) -> str:
    return (
        f"expected an answer of TensorFlow Serving from {url}, found "
        f"{str(answer)[:200]!r}: is this the server's REST port?"
    )


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//...@", url)
