"""The options of `scan` and `prepare`, and what they become."""

import contextlib
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pet_dcgan.cli.options import usage_errors
from pet_dcgan.config import STAGES

if TYPE_CHECKING:
    from tfds_adni.cohort.selection import Selection
    from tfds_adni.volumes.reading import Reading

# options that have the name of their field in Selection
_ENTITIES = ("desc", "space")
_SELECTION = (
    *("diagnosis", "qc", "tracer", "visits", "smc", "label_days"),
    *("stage", "date_order", "assume_tracer"),
)


Scans = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="The unpacked download.")
]

_making = functools.partial(typer.Option, rich_help_panel="How images are made")
Normalise = Annotated[
    Literal["brain", "mask", "none"],
    _making(
        "--normalise",
        metavar="brain|mask|none",
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
Register = Annotated[
    Literal["none", "affine"],
    _making(
        "--register",
        metavar="none|affine",
        help="Bring every scan into one template's space (MNI) by an affine "
        "registration first; needs pet-dcgan[register].",
    ),
]
Jobs = Annotated[
    int | None,
    _making(metavar="N", min=1, help="Processes; all cores if unset."),
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
Tracer = Annotated[
    str,
    _selection(metavar="TRACER", help="FDG, AV45, FBB, PIB, AV1451, ..."),
]
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
        metavar="baseline|all",
        help="The earliest usable scan of each subject, or one of each visit.",
    ),
]
Smc = Annotated[
    Literal["drop", "keep"],
    _selection(
        "--smc",
        metavar="drop|keep",
        help="Drop subjects with significant memory concern, or keep them as "
        "NC.",
    ),
]
LabelDays = Annotated[
    int,
    _selection(
        "--label-days",
        metavar="N",
        min=0,
        help="Most days between a scan and the diagnosis that labels it.",
    ),
]


StageOfAll = Annotated[
    Literal[STAGES] | None,
    _selection(
        "--stage",
        metavar="|".join(STAGES),
        case_sensitive=False,
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
        metavar="dmy|mdy",
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
        word = word.strip().lower()
        if found.setdefault(word, stage) != stage:
            raise typer.BadParameter(
                f"expected one stage for {word!r}, found {found[word]} and "
                f"{stage}; keep one",
                param_hint="--stage-word",
            )
    return found


def selection_of(params: dict[str, Any]) -> "Selection":
    """Builds the selection of scans; options not given keep its defaults.

    Args:
        params: The values of a command's options by name.
    """
    from tfds_adni.cohort.selection import Selection

    raw = {"raw": ""}  # on the command line an empty label would look lost
    given = {
        "levels": params["level"] or None,
        "stage_words": parse_stage_words(params["stage_word"]),
        **{name: raw.get(params[name], params[name]) for name in _ENTITIES},
        **{name: params[name] for name in _SELECTION},
    }
    with usage_errors():
        return Selection(**{n: v for n, v in given.items() if v is not None})


def reading_of(params: dict[str, Any]) -> "Reading":
    """Builds the options of reading, as `selection_of` does.

    Args:
        params: The values of a command's options by name.
    """
    from tfds_adni.volumes.reading import Reading

    window, cache = params["window"], params["dicom_cache"]
    return Reading(
        window=parse_window(window) if window else None,
        flip_left_right=params["flip_left_right"],
        dicom_cache=Path(cache) if cache else None,
    )
