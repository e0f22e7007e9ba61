"""The values the command line takes, and how its texts are read."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan.config import check_overrides
from pet_dcgan.presets import PRESETS, parse_overrides


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


class TrainStage(enum.StrEnum):
    """What a training is of: a stage, or all of them together."""

    NC = "NC"
    MCI = "MCI"
    AD = "AD"
    ALL = "ALL"


class Precision(enum.StrEnum):
    """What the layers of a training compute in."""

    FLOAT32 = "float32"
    MIXED_BFLOAT16 = "mixed_bfloat16"
    MIXED_FLOAT16 = "mixed_float16"


class Device(enum.StrEnum):
    """What a training runs on."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


class Strategy(enum.StrEnum):
    """Who shares the batches of a training."""

    NONE = "none"
    MIRRORED = "mirrored"
    MULTIWORKER = "multiworker"


class Features(enum.StrEnum):
    """What an evaluation takes features by."""

    OWN = "own"
    INCEPTION = "inception"


class Format(enum.StrEnum):
    """The files `generate` writes."""

    PNG = "png"
    NPY = "npy"
    NIFTI = "nifti"


class Task(enum.StrEnum):
    """What the classifiers of a study tell apart."""

    TWO = "nc-ad"
    THREE = "three"


class Visits(enum.StrEnum):
    """Which visits of a subject are used."""

    BASELINE = "baseline"
    ALL = "all"


class Method(enum.StrEnum):
    """What volumes are divided by to give SUVR."""

    BRAIN = "brain"
    MASK = "mask"
    NONE = "none"


class SmcRule(enum.StrEnum):
    """What becomes of subjects with significant memory concern."""

    DROP = "drop"
    KEEP = "keep"


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

# How `prepare` makes its slices.
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
        help="Let Apache Beam do the work, with its own options in quotes; "
        "see docs/scaling-out.md.",
        rich_help_panel=_MAKING,
    ),
]

# What `scan` and `prepare` select by.
_SELECTION = "Which scans"
Diagnosis = Annotated[
    list[Path] | None,
    typer.Option(
        "--diagnosis",
        metavar="FILE",
        help="DXSUM or ADNIMERGE: the stage at the time of the scan instead of "
        "the group at enrolment. May be given again.",
        rich_help_panel=_SELECTION,
    ),
]
Quality = Annotated[
    list[Path] | None,
    typer.Option(
        "--qc",
        metavar="FILE",
        help="PETQC or PETC3: only scans that passed. May be given again.",
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
        help="Use this processing level only, such as uniform_8mm; given "
        "again, these levels, the preferred one first. All if unset.",
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
        help="Leave significant memory concern out, or keep it as NC.",
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


def parse_planes(text: str) -> tuple[str, ...]:
    """Reads `axial,coronal`.

    Raises:
        typer.BadParameter: If a plane is unknown.
    """
    planes = tuple(part.strip() for part in text.split(","))
    known = [plane.value for plane in Plane]
    for plane in planes:
        if plane not in known:
            raise typer.BadParameter(
                f"expected some of {', '.join(known)} with commas between; "
                f"found {plane!r}",
                param_hint="--planes",
            )
    return planes


def parse_fractions(text: str) -> tuple[int, ...]:
    """Reads `25,100`, in percent.

    Raises:
        typer.BadParameter: If one is no whole number from 1 to 100.
    """
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not part.isdecimal() or not 1 <= int(part) <= 100:
            raise typer.BadParameter(
                "expected whole numbers from 1 to 100 with commas between; "
                f"found {part!r}",
                param_hint="--fractions",
            )
    return tuple(int(part) for part in parts)


def known_preset(name: str) -> str:
    """Refuses a preset that there is not, with the nearest names.

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
    preset: str, settings: list[str], **options: str | int | None
) -> dict[str, str]:
    """Reads the settings that replace a preset's.

    Args:
        preset: What they replace values of.
        settings: Texts such as `batch_size=8`.
        **options: Settings with an option of their own, `None` where it is
            not given.

    Raises:
        typer.BadParameter: If a setting is unknown, its value invalid, or it
            is given in both ways.
    """
    given = {name: str(v) for name, v in options.items() if v is not None}
    try:
        overrides = parse_overrides(settings)
        _require_once(given, overrides)
        overrides |= given
        check_overrides(preset, overrides)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from None
    return overrides


def _require_once(given: dict[str, str], overrides: dict[str, str]) -> None:
    for name in given.keys() & overrides.keys():
        option = f"--{name.replace('_', '-')}"
        raise ValueError(
            f"expected {name} once, found {option} {given[name]} and --set "
            f"{name}={overrides[name]}: keep one of them"
        )
