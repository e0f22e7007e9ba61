"""Exported models on disk, `<models>/<name>/<version>/`, and their metadata.

Importing this needs neither TensorFlow, Keras nor the training code.
"""

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pet_dcgan.config import checked_value
from pet_dcgan.serving.absent_model import absent_model
from pet_dcgan.serving.graph_check import check_graph
from pet_dcgan.utils.foreign_text import one_line, parse_object, read_object
from pet_dcgan.utils.seed_blocks import MAX_ROWS

SIGNATURES = ("serving_default", "generate", "generate_png", "describe")
FACTS_FILE = Path("assets.extra", "model.json")
GRAPH_FILE = "saved_model.pb"
_DRAWING, _FACTS = "generate_png", "describe"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What a user has to know about a model to use its images.

    What a training has as well has the limits of `TrainConfig`.

    Args:
        stage: `"NC"`, `"MCI"`, `"AD"` or `"ALL"`.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        size: Height and width of an image in pixels.
        channels: Channels of the network's image, 1 or 3.
        latent_dim: Length of a latent vector.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that the largest PNG value stands for.
        reference: What volumes were divided by, one of `REFERENCES`.
        preset: Preset that the training started from, 1 to 79 characters of
            printable ASCII.
        phantom: True where the model was trained on a phantom.
        made_by: Name and version of the program that exported it, as `preset`.
        max_rows: Largest number of images per request, 1 to 64.

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

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))

    @property
    def name(self) -> str:
        """The model's name: `ad` for axial slices, else as `ad_coronal`."""
        stage = self.stage.lower()
        return stage if self.plane == "axial" else f"{stage}_{self.plane}"

    def to_json(self) -> str:
        """Returns the text of `model.json`, which `describe` returns too."""
        values = dataclasses.asdict(self)
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
    elif name == "max_rows":
        if not 1 <= value <= MAX_ROWS:
            raise _unfit(name, f"1 to {MAX_ROWS}", value)
    else:
        try:
            checked_value(name, value)
        except OverflowError:
            raise _unfit(name, "a smaller number", value) from None
        except ValueError as error:
            raise ValueError(one_line(error)) from None


def _unfit(name: str, wanted: str, value: Any) -> ValueError:
    """Returns the error for a value."""
    found = one_line(repr(value), most=80)
    return ValueError(f"expected {name} to be {wanted}, found {found}")


class ExportedModel:
    """One version of an exported model on disk.

    Args:
        model: A version's folder, which holds `saved_model.pb`, or its
            parent, of which the highest version is taken.

    Raises:
        FileNotFoundError: If there is no exported model, or its facts are
            missing.
        ValueError: If a URL is given, or the model's facts are damaged.
    """

    def __init__(self, model: str | Path) -> None:
        if str(model).startswith(("http:/", "https:/")):
            raise ValueError(
                "expected a folder of an exported model, found the URL "
                f"{model}: give a folder such as export/models/ad"
            )
        path = Path(model).resolve()
        if not (path / GRAPH_FILE).is_file():
            found = complete_versions(path)
            if not found:
                raise absent_model(model)
            path = path / str(found[-1])
        self.path = path
        self.version = path.name
        self.facts = ModelInfo.read(path)
        self._loaded: Any = None

    def load(self) -> "ExportedModel":
        """Loads the SavedModel, so that `draw` can be called.

        A SavedModel is a program: only one with the operations of an export
        is loaded, see `check_graph`.

        Raises:
            ValueError: If it is damaged, another program's, or not the model
                that its facts describe.
        """
        import tensorflow as tf

        check_graph(self.path / GRAPH_FILE)
        try:
            self._loaded = tf.saved_model.load(str(self.path))
        # TensorFlow reports damage as anything, KeyError and TypeError too
        except Exception as error:
            raise self._damaged(error) from error
        signatures = self._loaded.signatures
        for name in (_DRAWING, _FACTS):
            if name not in signatures:
                raise ValueError(
                    f"expected the signature {name} in {self.path}, found "
                    f"{one_line(', '.join(signatures)) or 'none'}: export the "
                    "run again"
                )
        (text,) = self._call(_FACTS, [0])
        if ModelInfo.from_json(text, source=str(self.path)) != self.facts:
            raise ValueError(
                f"expected the facts of the model in {self.path}, found those "
                f"of another in {FACTS_FILE}: export the run again"
            )
        return self

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """Returns the 16-bit PNG of each seed, once the model is loaded.

        Raises:
            ValueError: If it is damaged.
        """
        return self._call(_DRAWING, seeds)

    def _call(self, signature: str, seeds: Sequence[int]) -> list[bytes]:
        """Returns the bytes that a signature has for each seed."""
        import tensorflow as tf

        try:
            # the loaded object stays alive, and with it the variables
            found = self._loaded.signatures[signature](
                seed=tf.constant(seeds, tf.int64)
            )
            (rows,) = (tensor.numpy().tolist() for tensor in found.values())
        except Exception as error:
            raise self._damaged(error) from error
        bytes_only = isinstance(rows, list) and all(
            isinstance(row, bytes) for row in rows
        )
        if not bytes_only or len(rows) != len(seeds):
            raise ValueError(
                f"expected {len(seeds)} rows of bytes from {signature} in "
                f"{self.path}, found something else: export the run again"
            )
        return rows

    def _damaged(self, error: Exception) -> ValueError:
        """Returns the error for what TensorFlow reports, without its words."""
        words = getattr(error, "strerror", None)
        reason = f" ({one_line(words)})" if words else ""
        return ValueError(
            f"the model in {self.path} is damaged or cannot be read{reason}: "
            "export the run again"
        )

    def close(self) -> None:
        """Does nothing: nothing is waited for."""


def versions(folder: str | Path) -> list[int]:
    """Returns the numbered versions in a model's folder, ascending."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir() if entry.is_dir())
    return sorted(int(name) for name in names if name.isdecimal())


def complete_versions(folder: str | Path) -> list[int]:
    """Returns the versions that a server could load, ascending."""
    folder = Path(folder)
    return [
        version
        for version in versions(folder)
        if (folder / str(version) / GRAPH_FILE).is_file()
    ]
