"""The values the command line takes, and how its texts are read."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan.config import check_overrides, parse_overrides


class Stage(enum.StrEnum):
    """The stages a generator is trained for."""

    NC = "NC"
    MCI = "MCI"
    AD = "AD"


class Plane(enum.StrEnum):
    """The planes slices are cut in."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


class Preset(enum.StrEnum):
    """Where a training's settings start from."""

    PAPER = "paper"
    DEMO = "demo"


class Format(enum.StrEnum):
    """The files `generate` writes."""

    PNG = "png"
    NPY = "npy"
    NIFTI = "nifti"


DataDir = Annotated[
    Path, typer.Option("--data-dir", help="Where prepared data sets lie.")
]
ConfigName = Annotated[
    str,
    typer.Option(
        "--config",
        help="axial_128, coronal_128, sagittal_128, all_128 or axial_64.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same result.")]


def parse_counts(text: str) -> dict[str, int]:
    """Reads how many subjects of each stage a phantom has.

    Args:
        text: `24` for each stage, or `NC=8,MCI=8,AD=8`.

    Raises:
        typer.BadParameter: If it is neither.
    """
    stages = [stage.value for stage in Stage]
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1 and parts[0].isdigit():
        parts = [f"{stage}={parts[0]}" for stage in stages]
    counts = {}
    for part in parts:
        stage, _, number = (word.strip() for word in part.partition("="))
        if stage not in stages or not number.isdigit() or not int(number):
            raise typer.BadParameter(
                "expected a number above 0, or stage=number with "
                f"{', '.join(stages)}; found {part!r}",
                param_hint="--subjects",
            )
        counts[stage] = int(number)
    return counts


def parse_settings(
    preset: Preset, settings: list[str], epochs: int | None
) -> dict[str, str]:
    """Reads the settings that replace a preset's.

    Args:
        preset: What they replace values of.
        settings: Texts such as `batch_size=8`.
        epochs: Instead of the preset's, `None` to keep them.

    Raises:
        typer.BadParameter: If a setting is unknown or its value invalid.
    """
    try:
        overrides = parse_overrides(settings)
        if epochs is not None:
            overrides["epochs"] = str(epochs)
        check_overrides(preset.value, overrides)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from None
    return overrides
