"""The values the command line takes, and how its texts are parsed."""

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pet_dcgan.config import (
    ALL_STAGES,
    PLANES,
    STAGES,
    check_overrides,
)
from pet_dcgan.presets import PRESETS, parse_overrides


def _choices(name: str, *values: str) -> type[enum.StrEnum]:
    """Returns an enumeration of the values an option takes."""
    names = {value.upper().replace("-", "_"): value for value in values}
    return enum.StrEnum(name, names)


Plane = _choices("Plane", *PLANES)
TrainStage = _choices("TrainStage", *STAGES, ALL_STAGES)
Precision = _choices("Precision", "float32", "mixed_bfloat16", "mixed_float16")
Device = _choices("Device", "auto", "cpu", "gpu")
Strategy = _choices("Strategy", "none", "mirrored", "multiworker")
Features = _choices("Features", "own", "inception")
Format = _choices("Format", "png", "npy", "nifti")
Task = _choices("Task", "nc-ad", "three")
Visits = _choices("Visits", "baseline", "all")
Method = _choices("Method", "brain", "mask", "none")
SmcRule = _choices("SmcRule", "drop", "keep")

DataDir = Annotated[
    Path, typer.Option("--data-dir", help="Folder of prepared data sets.")
]
ConfigName = Annotated[
    str,
    typer.Option(
        "--config",
        help="axial_128, coronal_128, sagittal_128, all_128 or axial_64.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same result.")]

_MAKING = "How slices are made"
Normalise = Annotated[
    Method,
    typer.Option(
        "--normalise",
        help="Divide each volume by its mean in the whole brain or in a mask "
        "file; none where they are SUVR already.",
        rich_help_panel=_MAKING,
    ),
]
Masks = Annotated[
    Path | None,
    typer.Option(
        "--masks",
        metavar="PATH",
        help="With --normalise mask: one mask file for all scans, or a folder "
        "with one for each, found by image id or BIDS entities.",
        rich_help_panel=_MAKING,
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1, help="Processes; all cores if unset.", rich_help_panel=_MAKING
    ),
]
BeamOptions = Annotated[
    str | None,
    typer.Option(
        "--beam-options",
        metavar="OPTIONS",
        help="Run on Apache Beam, with its own options in quotes; see "
        "docs/scaling-out.md.",
        rich_help_panel=_MAKING,
    ),
]

_SELECTION = "Which scans"
Diagnosis = Annotated[
    list[Path] | None,
    typer.Option(
        "--diagnosis",
        metavar="FILE",
        help="DXSUM or ADNIMERGE: the stage at the time of the scan instead of "
        "the group at enrolment. May be repeated.",
        rich_help_panel=_SELECTION,
    ),
]
Quality = Annotated[
    list[Path] | None,
    typer.Option(
        "--qc",
        metavar="FILE",
        help="PETQC or PETC3: only scans that passed. May be repeated.",
        rich_help_panel=_SELECTION,
    ),
]
Tracer = Annotated[
    str,
    typer.Option(
        help="FDG, AV45, FBB, PIB, AV1451, ...", rich_help_panel=_SELECTION
    ),
]
Levels = Annotated[
    list[str] | None,
    typer.Option(
        "--level",
        metavar="LEVEL",
        help="Use this processing level only, such as uniform_8mm; if "
        "repeated, these levels, the preferred one first. All if unset.",
        rich_help_panel=_SELECTION,
    ),
]
WhichVisits = Annotated[
    Visits,
    typer.Option(
        "--visits",
        help="The earliest usable scan of each subject, or one of each visit.",
        rich_help_panel=_SELECTION,
    ),
]
Smc = Annotated[
    SmcRule,
    typer.Option(
        "--smc",
        help="Drop subjects with significant memory concern, or keep them as "
        "NC.",
        rich_help_panel=_SELECTION,
    ),
]
LabelDays = Annotated[
    int,
    typer.Option(
        "--label-days",
        min=0,
        help="Most days between a scan and the diagnosis that labels it.",
        rich_help_panel=_SELECTION,
    ),
]


def parse_counts(text: str) -> dict[str, int]:
    """Parses the number of phantom subjects at each stage.

    Args:
        text: `24` for each stage, or `NC=8,MCI=8,AD=8`.

    Raises:
        typer.BadParameter: If it is neither.
    """
    if text.strip().isdecimal():
        text = ",".join(f"{stage}={text}" for stage in STAGES)

    def parse(part: str) -> tuple[str, int]:
        stage, _, number = (word.strip() for word in part.partition("="))
        if stage not in STAGES:
            raise ValueError
        return stage, _whole_number(number)

    expected = f"a number above 0, or stage=number with {', '.join(STAGES)}"
    return dict(_parse_list(text, parse, expected, "--subjects"))


def parse_planes(text: str) -> tuple[str, ...]:
    """Parses planes as `axial,coronal`.

    Raises:
        typer.BadParameter: If a plane is unknown.
    """
    expected = f"some of {', '.join(PLANES)} with commas between"
    return _parse_list(text, lambda p: Plane(p).value, expected, "--planes")


def parse_fractions(text: str) -> tuple[int, ...]:
    """Parses percentages as `25,100`.

    Raises:
        typer.BadParameter: If one is not a whole number from 1 to 100.
    """
    expected = "whole numbers from 1 to 100 with commas between"
    return _parse_list(
        text, lambda p: _whole_number(p, 100), expected, "--fractions"
    )


def _whole_number(text: str, most: float = float("inf")) -> int:
    """Parses digits alone, from 1 to `most`."""
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise ValueError
    return int(text)


def _parse_list(
    text: str, parse: Callable[[str], Any], expected: str, option: str
) -> tuple:
    """Parses values with commas between; `parse` refuses with ValueError."""
    values = []
    for part in text.split(","):
        try:
            values.append(parse(part.strip()))
        except ValueError:
            raise typer.BadParameter(
                f"expected {expected}; found {part.strip()!r}",
                param_hint=option,
            ) from None
    return tuple(values)


def known_preset(name: str) -> str:
    """Refuses an unknown preset, naming the nearest ones.

    Raises:
        typer.BadParameter: If there is none of that name.
    """
    try:
        check_overrides(name, {})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return name


Preset = Annotated[
    str,
    typer.Option(
        metavar="NAME", callback=known_preset, help=f"{', '.join(PRESETS)}."
    ),
]


def parse_settings(
    preset: str, settings: list[str] | None, **options: str | int | None
) -> dict[str, str]:
    """Parses the settings that replace a preset's.

    Args:
        preset: The preset.
        settings: Texts such as `batch_size=8`.
        **options: Settings with an option of their own, `None` where it is
            not given.

    Raises:
        typer.BadParameter: If a setting is unknown, its value invalid, or it
            is given in both ways.
    """
    given = {name: str(v) for name, v in options.items() if v is not None}
    try:
        overrides = parse_overrides(settings or [])
        for name in given.keys() & overrides.keys():
            raise typer.BadParameter(
                f"expected {name} once, found --{name.replace('_', '-')} "
                f"{given[name]} and --set {name}={overrides[name]}: keep one",
                param_hint="--set",
            )
        overrides |= given
        check_overrides(preset, overrides)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from None
    return overrides
