"""Exported models on disk, `<models>/<name>/<version>/`, and their metadata.

Importing this needs neither TensorFlow, Keras nor the training code.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pet_dcgan.utils.seed_blocks import MAX_ROWS

SIGNATURES = ("serving_default", "generate", "generate_png", "describe")
FACTS_FILE = Path("assets.extra", "model.json")
GRAPH_FILE = "saved_model.pb"
_DRAWING = "generate_png"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What a user has to know about a model to use its images.

    Args:
        stage: `"NC"`, `"MCI"`, `"AD"` or `"ALL"`.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        size: Height and width of an image in pixels.
        channels: Channels of the network's image, 1 or 3.
        latent_dim: Length of a latent vector.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that the largest PNG value stands for.
        reference: What volumes were divided by, one of `REFERENCES`.
        preset: Preset that the training started from.
        phantom: True where the model was trained on a phantom.
        made_by: Name and version of the program that exported it.
        max_rows: Largest number of images per request.
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
            ValueError: If it is not JSON, or a field is missing or of another
                type.
        """
        fields = dataclasses.fields(cls)
        try:
            values = json.loads(text)
            return cls(**{each.name: _value(values, each) for each in fields})
        except (ValueError, KeyError, TypeError) as error:
            names = ", ".join(each.name for each in fields)
            raise ValueError(
                f"expected JSON with {names} in {source}, found a fault at "
                f"{error}: export the run again"
            ) from error

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
            ValueError: If it is not JSON or lacks a field.
        """
        path = version_folder / FACTS_FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"no {FACTS_FILE} in {version_folder}: export the run with "
                "pet-dcgan export"
            )
        return cls.from_json(path.read_bytes(), source=str(path))


def _value(values: dict[str, Any], field: dataclasses.Field) -> Any:
    """Returns the value of a field, if it is of the field's type."""
    value = values[field.name]
    # JSON has one kind of number, and Python's bool is an int
    fitting = (int, float) if field.type is float else field.type
    if not isinstance(value, fitting) or (
        isinstance(value, bool) and field.type is not bool
    ):
        raise TypeError(f"{field.name} {value!r}")
    return value


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
                raise FileNotFoundError(
                    f"no exported model in {model} ({GRAPH_FILE} there or in "
                    "a numbered folder): make one with pet-dcgan export"
                )
            path = path / str(found[-1])
        self.path = path
        self.version = path.name
        self.facts = ModelInfo.read(path)
        self._loaded: Any = None

    def load(self) -> "ExportedModel":
        """Loads the SavedModel, so that `draw` can be called.

        Raises:
            ValueError: If it is damaged or has no `generate_png`.
        """
        import tensorflow as tf

        try:
            self._loaded = tf.saved_model.load(str(self.path))
        # tensorflow reports a damaged or truncated model as any of these
        except (
            OSError,
            ValueError,
            IndexError,
            RuntimeError,
            tf.errors.OpError,
        ) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(
                f"the model in {self.path} is damaged ({reason}): export the "
                "run again"
            ) from error
        signatures = self._loaded.signatures
        if _DRAWING not in signatures:
            raise ValueError(
                f"expected the signature {_DRAWING} in {self.path}, found "
                f"{', '.join(signatures) or 'none'}: export the run again"
            )
        return self

    def draw(self, seeds: Sequence[int]) -> list[bytes]:
        """Returns the 16-bit PNG of each seed, once the model is loaded."""
        import tensorflow as tf

        # the loaded object stays alive, and with it the variables
        generate_png = self._loaded.signatures[_DRAWING]
        found = generate_png(seed=tf.constant(seeds, tf.int64))
        return found["image_bytes"].numpy().tolist()

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
