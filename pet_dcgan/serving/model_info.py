"""The layout of exported models: `<models>/<name>/<version>/`.

Nothing here needs Keras, TensorFlow or the code that trained the model.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from pet_dcgan.utils.seed_blocks import MAX_ROWS

SIGNATURES = ("serving_default", "generate", "generate_png", "describe")
FACTS_FILE = Path("assets.extra", "model.json")
GRAPH_FILE = "saved_model.pb"


def model_name(stage: str, plane: str) -> str:
    """Name of a model's folder: `ad` for axial, else `ad_coronal`.

    Args:
        stage: As `NC`.
        plane: As `axial`.
    """
    stage = stage.lower()
    return stage if plane == "axial" else f"{stage}_{plane}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What has to be known about a model to use its images.

    Args:
        stage: `"NC"`, `"MCI"` or `"AD"`.
        plane: `"axial"`, `"coronal"` or `"sagittal"`.
        size: Height and width of an image in pixels.
        channels: Channels of the network's image, 1 or 3.
        latent_dim: Length of a latent vector.
        spacing_mm: Millimetres per pixel.
        suvr_max: SUVR that the largest PNG value stands for.
        preset: Preset that the training started from.
        phantom: True where the model was trained on a phantom.
        made_by: Name and version of the program that exported it.
        max_rows: Images that one request may ask for.
    """

    stage: str
    plane: str
    size: int
    channels: int
    latent_dim: int
    spacing_mm: float
    suvr_max: float
    preset: str
    phantom: bool
    made_by: str
    max_rows: int = MAX_ROWS

    def to_json(self) -> str:
        """The text of `model.json`, which the model itself gives as well."""
        values = dataclasses.asdict(self)
        return json.dumps(values, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, source: str) -> "ModelInfo":
        """Reads what `to_json` gave; fields of later versions are ignored.

        Args:
            text: JSON.
            source: Where it is from, for the error.

        Raises:
            ValueError: If it is not JSON or lacks a field.
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
        """Reads what `write` wrote, as `from_json` does.

        Raises:
            FileNotFoundError: If the file is missing.
            ValueError: If it is not JSON or lacks a field.
        """
        path = version_folder / FACTS_FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"expected {FACTS_FILE} in {version_folder}, found none: "
                "export the run with pet-dcgan export"
            )
        text = path.read_bytes()
        return cls.from_json(text, source=str(path))


def _value(values: dict[str, Any], field: dataclasses.Field) -> Any:
    """The value of a field, if it is of its type."""
    value = values[field.name]
    # JSON has one kind of number, Python's bool is an int
    fitting = (int, float) if field.type is float else field.type
    if not isinstance(value, fitting) or (
        isinstance(value, bool) and field.type is not bool
    ):
        raise TypeError(f"{field.name} {value!r}")
    return value


@dataclasses.dataclass(frozen=True)
class ExportedModel:
    """One version of an exported model on disk.

    Args:
        path: The version's folder, which holds `saved_model.pb`.
        facts: What `assets.extra/model.json` says.
    """

    path: Path
    facts: ModelInfo

    @property
    def version(self) -> str:
        """The version: the name of its folder."""
        return self.path.name

    @property
    def name(self) -> str:
        """The model's name, as `ad` or `ad_coronal`."""
        return model_name(self.facts.stage, self.facts.plane)

    @classmethod
    def open(cls, model: str | Path) -> "ExportedModel":
        """Finds a version's folder, or the highest version in its parent.

        Raises:
            FileNotFoundError: If there is no exported model.
            ValueError: If a URL is given or the model's facts are damaged.
        """
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
                    f"expected an exported model in {model} ({GRAPH_FILE} "
                    "there or in a numbered folder), found none: make one "
                    "with pet-dcgan export"
                )
            path = path / str(found[-1])
        return cls(path, ModelInfo.read(path))


def versions(folder: str | Path) -> list[int]:
    """The numbered versions in a model's folder, ascending."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir() if entry.is_dir())
    return sorted(int(name) for name in names if name.isdecimal())


def complete_versions(folder: str | Path) -> list[int]:
    """The versions that a server could load, ascending."""
    folder = Path(folder)
    return [
        version
        for version in versions(folder)
        if (folder / str(version) / GRAPH_FILE).is_file()
    ]
