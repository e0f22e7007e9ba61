"""The values the command line takes, and how its texts are parsed."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pet_dcgan.config import ALL_STAGES, PLANES, STAGES, check_overrides
from pet_dcgan.presets import PRESETS, parse_overrides

Plane = Literal[PLANES]
TrainStage = Literal[*STAGES, ALL_STAGES]

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

_making = functools.partial(typer.Option, rich_help_panel="How slices are made")
Normalise = Annotated[
    Literal["brain", "mask", "none"],
    _making(
        "--normalise",
        help="Divide each volume by its mean in the whole brain or in a mask "
        "file; none where they are SUVR already.",
    ),
]
Masks = Annotated[
    Path | None,
    _making(
        "--masks",
        metavar="PATH",
        help="With --normalise mask: one mask file for all scans, or a folder "
        "with one for each, found by image id or BIDS entities.",
    ),
]
Jobs = Annotated[
    int | None, _making(min=1, help="Processes; all cores if unset.")
]
BeamOptions = Annotated[
    str | None,
    _making(
        "--beam-options",
        metavar="OPTIONS",
        help="Run on Apache Beam, with its own options in quotes; see "
        "docs/scaling-out.md.",
    ),
]

_selection = functools.partial(typer.Option, rich_help_panel="Which scans")
Diagnosis = Annotated[
    list[Path] | None,
    _selection(
        "--diagnosis",
        metavar="FILE",
        help="DXSUM or ADNIMERGE: the stage at the time of the scan instead of "
        "the group at enrolment. May be repeated.",
    ),
]
Quality = Annotated[
    list[Path] | None,
    _selection(
        "--qc",
        metavar="FILE",
        help="PETQC or PETC3: only scans that passed. May be repeated.",
    ),
]
Tracer = Annotated[str, _selection(help="FDG, AV45, FBB, PIB, AV1451, ...")]
Levels = Annotated[
    list[str] | None,
    _selection(
        "--level",
        metavar="LEVEL",
        help="Use this processing level only, such as uniform_8mm; if "
        "repeated, these levels, the preferred one first. All if unset.",
    ),
]
Visits = Annotated[
    Literal["baseline", "all"],
    _selection(
        "--visits",
        help="The earliest usable scan of each subject, or one of each visit.",
    ),
]
Smc = Annotated[
    Literal["drop", "keep"],
    _selection(
        "--smc",
        help="Drop subjects with significant memory concern, or keep them as "
        "NC.",
    ),
]
LabelDays = Annotated[
    int,
    _selection(
        "--label-days",
        min=0,
        help="Most days between a scan and the diagnosis that labels it.",
    ),
]


StageOfAll = Annotated[
    Literal[STAGES] | None,
    _selection(
        "--stage",
        help="The stage of every scan, for a folder of one group; tables that "
        "say otherwise are named.",
    ),
]
StageWords = Annotated[
    list[str] | None,
    _selection(
        "--stage-word",
        metavar="WORD=STAGE",
        help="What a word of the download's tables means, as patient=AD. May "
        "be repeated.",
    ),
]
DateOrder = Annotated[
    Literal["dmy", "mdy"] | None,
    _selection(
        "--date-order",
        help="Day or month first, for tables whose dates prove neither.",
    ),
]
AssumeTracer = Annotated[
    str | None,
    _selection(
        "--assume-tracer",
        metavar="TRACER",
        help="The tracer of scans of which nothing names one, as FDG.",
    ),
]
Desc = Annotated[
    str | None,
    _selection(
        "--desc",
        metavar="LABEL",
        help="BIDS: use images with this desc-, raw for those without; if "
        "unset, the kind of image that most subjects have.",
    ),
]
Space = Annotated[
    str | None,
    _selection(
        "--space",
        metavar="LABEL",
        help="BIDS: use images with this space-, raw for those without.",
    ),
]

_reading = functools.partial(typer.Option, rich_help_panel="How files are read")
Window = Annotated[
    str | None,
    _reading(
        "--window",
        metavar="FROM-TO",
        help="Average the frames whose middle lies between two times after "
        "injection, in seconds, as 2400-3600; all frames if unset.",
    ),
]
FlipLeftRight = Annotated[
    bool,
    _reading(
        "--flip-left-right",
        help="Files that do not say where left is (Analyze, or NIfTI with "
        "sform and qform 0) are stored from left to right, not from right to "
        "left as SPM assumes. Changes no other file.",
    ),
]
DicomCache = Annotated[
    Path | None,
    _reading(
        "--dicom-cache",
        metavar="FOLDER",
        help="Keep what DICOM is converted to here; in the user's cache if "
        "unset.",
    ),
]


def parse_window(text: str) -> tuple[float, float]:
    """Parses times in seconds after injection.

    Args:
        text: As `2400-3600`.

    Returns:
        The first and the last second.

    Returns:
        The first and the last second.

    Raises:
        typer.BadParameter: If it is no window.
    """
    start, dash, end = text.partition("-")
    with contextlib.suppress(ValueError):
        window = float(start), float(end)
        if dash and 0 <= window[0] < window[1] < float("inf"):
            return window
    raise typer.BadParameter(
        "expected the first and the last second after injection, such as "
        f"2400-3600; found {text!r}",
        param_hint="--window",
    )


def parse_stage_words(words: list[str] | None) -> dict[str, str]:
    """Parses what words of the tables mean.

    Args:
        words: Each as `control=NC`.

    Returns:
        Stage by word in lower case.

    Raises:
        typer.BadParameter: If one is not a word and a stage.
    """
    found = {}
    for text in words or ():
        word, _, stage = text.rpartition("=")
        if not word.strip() or stage not in STAGES:
            raise typer.BadParameter(
                f"expected WORD=STAGE with {', '.join(STAGES)}; found {text!r}",
                param_hint="--stage-word",
            )
        found[word.strip().lower()] = stage
    return found


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

    def parse(part: str) -> str:
        if part not in PLANES:
            raise ValueError
        return part

    expected = f"some of {', '.join(PLANES)} with commas between"
    return _parse_list(text, parse, expected, "--planes")


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
            message = f"expected {expected}; found {part.strip()!r}"
            raise typer.BadParameter(message, param_hint=option) from None
    return tuple(values)


@contextlib.contextmanager
def usage_errors(option: str | None = None) -> Iterator[None]:
    """Reports a ValueError in the block as a wrong option, which exits with 2.

    Args:
        option: Its name, if it is known.

    Raises:
        typer.BadParameter: If the block raises a ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


Preset = Annotated[
    str, typer.Option(metavar="NAME", help=f"{', '.join(PRESETS)}.")
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
        typer.BadParameter: If the preset or a setting is unknown, a value
            invalid, or a setting given in both ways.
    """
    with usage_errors("--preset"):
        check_overrides(preset, {})
    given = {name: str(v) for name, v in options.items() if v is not None}
    with usage_errors("--set"):
        overrides = parse_overrides(settings or [])
        for name in given.keys() & overrides.keys():
            raise typer.BadParameter(
                f"expected {name} once, found --{name.replace('_', '-')} "
                f"{given[name]} and --set {name}={overrides[name]}: keep one",
                param_hint="--set",
            )
        overrides |= given
        check_overrides(preset, overrides)
    return overrides
