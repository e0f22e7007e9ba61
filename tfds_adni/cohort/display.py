"""How a cohort is shown: printable text, a notebook card, warnings."""

import html
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tfds_adni.cohort.counted import counted
from tfds_adni.cohort.labels import GIVEN
from tfds_adni.cohort.selection import ScanDecision, Selection
from tfds_adni.printable import printable
from tfds_adni.sources.ida_metadata import unreadable_tables
from tfds_adni.sources.tree import Tree
from tfds_adni.tables import (
    DateOrderError,
    DiagnosisTable,
    QualityTable,
    kind_of,
    read_diagnosis,
    read_quality,
)
from tfds_adni.tables.cells import STAGES, months_of, to_visit
from tfds_adni.tables.spreadsheet import Sheet
from tfds_adni.volumes import frames, orientation
from tfds_adni.volumes.reading import Reading


def describe_labels(sources: Mapping[str, int]) -> str:
    """Returns which table labels how many scans, `""` without a scan.

    Args:
        sources: Scans by table, as in `Cohort.label_sources`.
    """
    words = ", ".join(f"{count} by {name}" for name, count in sources.items())
    return f"labels: {words}" if words else ""


def cohort_card(
    counts: Mapping[str, Counter],
    warnings: Iterable[str],
    *,
    phantom: bool,
    labels: Mapping[str, int] | None = None,
) -> str:
    """Returns the card of a cohort in a notebook; it lists no subject.

    Args:
        counts: Counter of stages by `"used"` or the reason.
        warnings: A line each.
        phantom: Whether the scans are a phantom's.
        labels: Scans used by the table that labels them.

    Returns:
        HTML of one `div`; every text of the user's files is escaped.
    """
    import pandas as pd

    totals = {what: count.total() for what, count in counts.items()}
    found, used = sum(totals.values()), totals.get("used", 0)
    rows = [
        (what, *(counts[what][s] for s in (*STAGES, "?")), totals[what])
        for what in sorted(totals, key=lambda w: (w != "used", -totals[w], w))
    ]
    table = pd.DataFrame(rows, columns=["", *STAGES, "no stage", "all"])
    with pd.option_context("display.max_colwidth", None):
        shown = table.to_html(index=False)
    mark = "<p><b>Phantom: simulated brains, no patients.</b></p>"
    lines = "".join(f"<li>{html.escape(line)}</li>" for line in warnings)
    source = html.escape(describe_labels(labels or {}))
    return (
        f"<div><p><b>Scans: {found} found, {used} used, {found - used} skipped"
        f"</b></p>{mark if phantom else ''}{shown}"
        f"{f'<p>{source}</p>' if source else ''}"
        f"{f'<ul>{lines}</ul>' if lines else ''}</div>"
    )


# Tables with the group at enrolment, not the stage at the scan.
_ENROLMENT = (
    *("collection CSV Group", "All Images", "Study Entry"),
    *("XML DX Group", "participants.tsv"),
)
_MIXED_LEVELS = (
    "the scans used are of several processing levels ({levels}): they differ "
    "in smoothness, grid and scale, which a GAN learns as if it were anatomy "
    "and a classifier can use in place of the disease; for one level only: "
    "--level {level}"
)
_DISAGREEMENTS = (
    "tables disagree on the stage of {count} of the {used} scans used; the "
    "more specific table is followed, and label_source of the account names "
    "the other"
)
_GROUPS_AT_ENROLMENT = (
    "{count} scans are labelled with the group at enrolment, whichever visit "
    "they are of; for the stage at the time of the scan add --diagnosis with "
    "DXSUM or ADNIMERGE"
)
_LATE_BASELINES = (
    "{count} of the {used} subjects have no baseline scan that can be used; "
    "their earliest other visit is taken"
)
_STAGES_WITHOUT_SUBJECTS = (
    "no subject's earliest scan is {stages}: the split is stratified by the "
    "earliest scan used, so that validation or test may lack that stage"
)
# What to know of scans that are used, by the flag of the single scan.
_FLAGS = {
    orientation.UNORIENTED: (
        "{count} scans do not say where left and right are (Analyze, or NIfTI "
        "with sform and qform 0): axes from right to left, back to front and "
        "bottom to top are assumed; if that is not certain, convert them from "
        "the original DICOM, or add --flip-left-right if they are stored from "
        "left to right"
    ),
    orientation.FLIPPED: (
        "{count} scans do not say where left and right are: they are read as "
        "stored from left to right (--flip-left-right)"
    ),
    orientation.DEFAULT_SIZE: (
        "{count} scans have voxels of exactly 1 x 1 x 1 mm and no position, as "
        "scripts write it: if that is not their size, slices are scaled wrong"
    ),
    orientation.NO_POSITION: (
        "{count} scans have an affine with its origin in the first voxel, as "
        "scripts write it: left and right may not be what it says; compare one "
        "with its original"
    ),
    orientation.TWO_SIZES: (
        "{count} scans have two voxel sizes in the header: that of the sform "
        "is used, or of the qform where the sform is an identity"
    ),
    orientation.NEGATIVE_SIZE: (
        "{count} scans have a negative voxel size beside an sform, which some "
        "programs take for an exchange of left and right: the sform is followed"
    ),
    orientation.WRONG_UNIT: (
        "{count} scans name a unit of length that contradicts their voxel "
        "size (metre or micron): the size is read in mm"
    ),
    frames.EARLY: (
        "{count} scans are used with frames from before 25 minutes after "
        "injection, when the tracer is still arriving: all frames, or "
        "those of --window, are averaged by duration; for late ones only set "
        "--window, such as 1800-3600"
    ),
    frames.UNTIMED: (
        "{count} scans are series of more than 6 frames without times: all "
        "are averaged alike, early ones too; add FrameTimesStart and "
        "FrameDuration in BIDS, and --window"
    ),
    frames.PARTIAL: (
        "{count} scans cover less than 90 % of --window: their mean is of "
        "another time than that of the others"
    ),
    frames.OUTSIDE: (
        "{count} scans have frames that are used whole and lie outside "
        "--window for over 10 % of their time: frames are not divided; for "
        "one time in all scans set a --window that starts and ends with frames"
    ),
}


def warnings_of(
    used: Sequence[ScanDecision],
    selection: Selection,
    stage_of_subject: Mapping[str, str],
) -> list[str]:
    """Returns what to know before training on these scans, a line each.

    Args:
        used: The scans used.
        selection: The criteria they met.
        stage_of_subject: Stage of each subject's earliest scan used.
    """
    baseline = selection.visits == "baseline"
    levels = Counter(d.level for d in used).most_common()
    months = [months_of(to_visit(d.record.visit)) for d in used]
    enrolled = sum(d.label_source.startswith(_ENROLMENT) for d in used)
    stages = {d.stage for d in used} - set(stage_of_subject.values())
    counts = {
        _MIXED_LEVELS: len(levels) > 1,
        _DISAGREEMENTS: sum(
            ";" in d.label_source and not d.label_source.startswith(GIVEN)
            for d in used
        ),
        _GROUPS_AT_ENROLMENT: 0 if baseline else enrolled,
        _LATE_BASELINES: sum(map(bool, months)) if baseline else 0,
        _STAGES_WITHOUT_SUBJECTS: len(stages),
        **{
            text: sum(flag in d.flags for d in used)
            for flag, text in _FLAGS.items()
        },
    }
    return [
        counted(
            text.format(
                count=count,
                used=len(used),
                stages=" or ".join(sorted(stages)),
                levels=", ".join(f"{n} {level}" for level, n in levels),
                level=levels[0][0],
            )
        )
        for text, count in counts.items()
        if count
    ]


def warnings_of_reading(
    used: Sequence[ScanDecision], reading: Reading
) -> list[str]:
    """Returns warnings about options of reading without effect, a line each.

    Args:
        used: The scans used.
        reading: The options.
    """
    flipped = any(orientation.FLIPPED in d.flags for d in used)
    if not reading.flip_left_right or flipped or not used:
        return []
    return [
        "--flip-left-right has no effect: every scan used says itself where "
        "left and right are"
    ]


def warnings_of_tables(
    tree: Tree,
    selection: Selection,
    tables: Iterable[DiagnosisTable | QualityTable],
) -> list[str]:
    """Returns warnings about tables given and tables overlooked, a line each.

    Args:
        tree: The files of the download.
        selection: The tables given.
        tables: What was read from them.
    """
    lines = []
    for table in tables:
        if count := getattr(table, "contradictions", 0):
            lines.append(
                f"{count} rows of {table.name} name two stages in their "
                "columns; DIAGNOSIS goes before DXCHANGE, and DXCHANGE before "
                "DXCURREN"
            )
        lines += table.notes
    lines += unreadable_tables(tree)
    given = {p.resolve() for p in (*selection.diagnosis, *selection.qc)}
    lines += [
        line
        for sheet in tree.tables
        if kind_of(sheet.header) and sheet.path.resolve() not in given
        for line in _overlooked(tree, sheet)
    ]
    return [printable(line) for line in lines]


def _overlooked(tree: Tree, sheet: Sheet) -> Iterator[str]:
    """Yields the warning about a table of ADNI that was not given."""
    path, kind = sheet.path, kind_of(sheet.header)
    option, read = "--diagnosis", read_diagnosis
    if kind.startswith("PET"):
        option, read = "--qc", read_quality
    try:
        read(path, sheets=tree.sheets)
    except DateOrderError:
        pass  # it says more once it is given
    except (OSError, ValueError):  # of another kind, despite its columns
        return
    yield (
        f"{path.name} looks like {kind} and is not used; to use it, add "
        f"{option} {shlex.quote(str(path))}"
    )
