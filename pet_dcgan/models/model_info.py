"""What an exported model says of itself: `assets.extra/model.json`.

Importing this needs neither TensorFlow, Keras nor the training code.
"""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import (
    ALL_PLANES,
    ALL_STAGES,
    STAGES,
    VOLUME,
    checked_value,
)
from pet_dcgan.references import NATIVE
from pet_dcgan.utils.foreign_text import one_line, parse_object, read_object
from pet_dcgan.utils.plain_values import shown
from pet_dcgan.utils.seed_blocks import MAX_ROWS, volume_rows
from pet_dcgan.utils.volume_grid import affine_of

SIGNATURES = ("serving_default", "generate", "generate_png", "describe")
# of volumes alone
VOXELS = "generate_voxels"
FACTS_FILE = Path("assets.extra", "model.json")
GRAPH_FILE = "saved_model.pb"
# networks of one's own have other sizes than those of a training
_LIMITS = {
    "size": (8, 512),
    "channels": (1, 512),
    "max_rows": (1, MAX_ROWS),
}
_MOST_VOXELS = 256  # along each axis
# what `describe` adds for those who ask without this package
_HOW_TO_ASK = {
    "stage": f"weights of {', '.join(STAGES)}, 0 or more, which sum to 1",
    "plane": "name of one of the planes of bands_mm",
    "position_mm": "from the centre of the brain, within the plane's band",
    "age": "years within ages; NaN or -1 where it is unknown",
    "sex": "F or M; an empty text where it is unknown",
}
# what `describe` says of a model of volumes
_VOLUME = {
    "generate": "suvr [n, x, y, z]: x to the right, y to the front, z upwards",
    "generate_png": "an axial, a coronal and a sagittal cut side by side",
    VOXELS: "every voxel of a volume as one 16-bit PNG of size * size rows: "
    "pixels.reshape(size, size, size) is [x, y, z], / 65535 * suvr_max is SUVR",
}
_REFUSED = (
    "a row out of range is refused alone: NaN in image and suvr, an empty "
    "image_bytes, and status says why; status is empty where a row is fine"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What a user has to know about a model to use its images.

    What a training has as well has the limits of `TrainConfig`.

    Args:
        stage: `"NC"`, `"MCI"`, `"AD"` or `"ALL"`.
        plane: `"axial"`, `"coronal"` or `"sagittal"`, or `"ALL"` of a
            conditional model of several; `"volume"` of a model of volumes.
        size: Height and width of an image in pixels, 8 to 512; of a volume
            its voxels along each axis, 8 to 256.
        channels: Channels of the network's image, 1 or 3; of volumes `size`.
        latent_dim: Length of a latent vector.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that the largest PNG value stands for.
        reference: What volumes were divided by, one of `REFERENCES`.
        preset: Preset that the training started from, 1 to 79 characters of
            printable ASCII.
        phantom: True where the model was trained on a phantom.
        made_by: Name and version of the program that exported it, as `preset`.
        max_rows: Largest number of images per request, 1 to 64; of volumes
            at most `volume_rows(size)`.
        conditions: What a conditional model is asked for, as of
            `Conditions.to_dict`; None of one without conditions.
        space: `"native"`, or the template that images lie in.

    Raises:
        ValueError: If a value is of another type or outside its limits.
    """

    stage: str
    plane: str
    size: int
    channels: int
    latent_dim: int
    spacing_mm: float
    suvr_max: float
    reference: str
    preset: str
    phantom: bool
    made_by: str
    max_rows: int = MAX_ROWS
    conditions: dict | None = None
    space: str = NATIVE

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.name != "conditions":
                _check(field, getattr(self, field.name))
        takes = self.takes
        if takes is not None:
            # in one order, however they were given
            object.__setattr__(self, "conditions", takes.to_dict())
        _check_whole(self.stage, self.plane, takes)
        _check_sizes(self)

    @property
    def takes(self) -> Conditions | None:
        """The conditions, None without any."""
        if self.conditions is None:
            return None
        return Conditions.from_dict(self.conditions)

    @property
    def is_volume(self) -> bool:
        """Whether an image is a whole brain."""
        return self.plane == VOLUME

    @property
    def signatures(self) -> tuple[str, ...]:
        """Names of what a server can be asked for."""
        return (*SIGNATURES, VOXELS) if self.is_volume else SIGNATURES

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the signatures that have PNGs."""
        return ("generate_png", VOXELS) if self.is_volume else ("generate_png",)

    def picture_shape(self, signature: str) -> tuple[int, int]:
        """Sides of a signature's PNGs.

        Args:
            signature: One of `pictures`.

        Returns:
            Rows and columns: `size` and `size` of slices; `size` and
            `3 * size` of sheets, `size * size` and `size` of voxels.
        """
        if signature == VOXELS:
            return self.size**2, self.size
        return self.size, self.size * (3 if self.is_volume else 1)

    @property
    def name(self) -> str:
        """The model's name: `ad` for axial slices, else as `ad_coronal`.

        A conditional model is called `conditional`, and as
        `conditional_coronal` where it has one plane, which is not axial;
        those of volumes are `ad_volume` and `conditional_volume`.
        """
        stage = self.stage.lower() if self.conditions is None else "conditional"
        named = self.plane not in ("axial", ALL_PLANES)
        return f"{stage}_{self.plane}" if named else stage

    def to_json(self) -> str:
        """Returns the text of `model.json`, which `describe` returns too."""
        values = dataclasses.asdict(self)
        values["kind"] = "volume" if self.is_volume else "slice"
        if self.is_volume:
            affine = affine_of(self.size, self.spacing_mm, self.space)
            values |= {"affine": affine.tolist(), "signatures": _VOLUME}
        if self.takes is None:
            del values["conditions"]
        else:
            values["how_to_ask"] = {
                **{name: _HOW_TO_ASK[name] for name in self.takes.inputs},
                "status": _REFUSED,
            }
        return json.dumps(values, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, source: str) -> "ModelInfo":
        """Parses the result of `to_json`; fields of later versions are ignored.

        Args:
            text: JSON.
            source: Where it is from, for the error.

        Raises:
            ValueError: If it is not JSON, or a field is missing, of another
                type or outside its limits.
        """
        try:
            return cls._of(parse_object(text, source=source), source=source)
        except ValueError as error:
            raise ValueError(f"{error}: export the run again") from error

    @classmethod
    def _of(cls, values: dict[str, Any], *, source: str) -> "ModelInfo":
        """Returns the facts in a JSON object."""
        names = [field.name for field in dataclasses.fields(cls)]
        # a model of an earlier version has neither
        values = {"conditions": None, "space": NATIVE} | values
        if missing := [name for name in names if name not in values]:
            raise ValueError(
                f"expected facts of a model in {source}, found none of "
                f"{', '.join(missing)}"
            )
        try:
            return cls(**{name: values[name] for name in names})
        except ValueError as error:
            raise ValueError(f"{error} in {source}") from None

    def write(self, version_folder: Path) -> None:
        """Writes `assets.extra/model.json` into a version's folder."""
        path = version_folder / FACTS_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def read(cls, version_folder: Path) -> "ModelInfo":
        """Reads the file that `write` wrote, as `from_json` does.

        Raises:
            FileNotFoundError: If the file is missing.
            ValueError: As in `from_json`.
        """
        path = version_folder / FACTS_FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"no {FACTS_FILE} in {version_folder}: export the run with "
                "pet-dcgan export"
            )
        try:
            return cls._of(read_object(path), source=str(path))
        except ValueError as error:
            raise ValueError(f"{error}: export the run again") from error


def _check(field: dataclasses.Field, value: Any) -> None:
    """Refuses a value of another type, or outside its limits."""
    name, kind = field.name, field.type
    # JSON has one kind of number, and Python's bool is an int
    fitting = (int, float) if kind is float else kind
    boolean = kind is bool
    if not isinstance(value, fitting) or isinstance(value, bool) != boolean:
        wanted = {int: "a whole number", float: "a number", str: "text"}
        raise _unfit(name, wanted.get(kind, "true or false"), value)
    if name in ("preset", "made_by"):
        # both go into the headers of files
        if not re.fullmatch(r"[ -~]{1,79}", value):
            raise _unfit(name, "1 to 79 characters of printable ASCII", value)
    elif name in _LIMITS:
        low, high = _LIMITS[name]
        if not low <= value <= high:
            raise _unfit(name, f"{low} to {high}", value)
    else:
        try:
            checked_value(name, value)
        except OverflowError:
            raise _unfit(name, "a smaller number", value) from None
        except ValueError as error:
            raise ValueError(one_line(error)) from None


def _check_sizes(info: ModelInfo) -> None:
    """Refuses channels, sides and rows that images of this kind do not have."""
    wanted: tuple[int, ...] = (1, 3)
    if info.is_volume:
        if info.size > _MOST_VOXELS:
            words = f"at most {_MOST_VOXELS} of volumes"
            raise _unfit("size", words, info.size)
        if info.max_rows > (most := volume_rows(info.size)):
            words = f"at most {most} of volumes of this size"
            raise _unfit("max_rows", words, info.max_rows)
        wanted = (info.size,)
    if info.channels not in wanted:
        words = " or ".join(map(str, wanted))
        words += f" of images of the plane {info.plane}"
        raise _unfit("channels", words, info.channels)


def _check_whole(stage: str, plane: str, takes: Conditions | None) -> None:
    """Refuses a stage or a plane that contradicts the conditions."""
    wanted = {"stage": stage}
    if takes is not None:
        several = len(takes.planes) > 1
        wanted["stage"] = ALL_STAGES
        wanted["plane"] = ALL_PLANES if several else takes.planes[0]
    elif plane == ALL_PLANES:
        raise _unfit("plane", "that of a model without conditions", plane)
    for name, found in (("stage", stage), ("plane", plane)):
        if found != wanted.get(name, found):
            words = f"{wanted[name]} of these conditions"
            raise _unfit(name, words, found)


def _unfit(name: str, wanted: str, value: Any) -> ValueError:
    """Returns the error for a value."""
    return ValueError(f"expected {name} to be {wanted}, found {shown(value)}")
