"""What was planted in every scan of a phantom, in `truth.csv`.

It lies beside the scans to judge what was found in them. Nothing that reads
scans, prepares or trains opens it, and its columns are named so that it is
taken for no table of ADNI's.
"""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.disease import losses
from tfds_adni.phantom.regions import MIDLINE, REGIONS
from tfds_adni.phantom.scanners import acquire, site_of
from tfds_adni.phantom.scans import Scan
from tfds_adni.phantom.tables import write_table

FILE = "truth.csv"
VERSION = 2  # of the phantom; the first one had one folding for everybody
_SIDES = ("left", "right")
_SPACING_MM = 3.0  # of the head whose cortex is measured


def write_truth(out: Path, scans: Sequence[Scan]) -> None:
    """Writes the table into a folder of a phantom.

    Args:
        out: The phantom's folder.
        scans: All its scans.
    """
    rows = [truth_of(scan) for scan in scans]
    write_table(out / FILE, tuple(rows[0]), [tuple(r.values()) for r in rows])


def truth_of(scan: Scan) -> dict[str, str]:
    """Returns a row of the table.

    Args:
        scan: One of the cohort.

    Returns:
        Cells by column, in the order of the columns.
    """
    subject, visit = scan.subject, scan.visit
    years, disease = subject.years[visit], subject.disease
    return {
        "image": f"I{scan.image_id}",
        "subject": subject.ptid,
        "visit": scan.visit_code,
        "years": str(years),
        "stage": subject.stage,
        "subtype": disease.subtype,
        "amyloid": "positive" if disease.amyloid else "negative",
        "severity": _number(disease.severity * disease.grown(years)),
        "thinning_mm": _number(subject.thinning(visit) @ _cortex()),
        "ventricle_mm": _number(subject.ventricle(visit)),
        "level": scan.level,
        **_acquired(scan),
        **_uptakes(subject.uptake(visit)),
        "difficulty": subject.difficulty.name,
        "seed": str(subject.seed),
        "phantom_version": str(VERSION),
    }


@functools.cache
def _cortex() -> np.ndarray:
    """Each region's share of the cerebral cortex, `[r]`."""
    sizes = build_anatomy(_SPACING_MM).sizes * (losses("thinning") > 0)
    return sizes / sizes.sum()


def _acquired(scan: Scan) -> dict[str, str]:
    """Returns the cells of how the visit was scanned."""
    one = acquire(scan.subject, scan.visit)
    across, along = one.resolution
    return {
        "scanner": one.scanner.name,
        # a scanner that is everybody's stands nowhere
        "site": str(site_of(scan.subject)) if one.scanner.number else "",
        "in_plane_mm": _number(across),
        "axial_mm": _number(along),
        "noise_cv": _number(one.noise_cv),
        "motion_mm": _number(one.motion_mm),
    }


def _uptakes(uptake: np.ndarray) -> dict[str, str]:
    """Returns the cells of the regions; one for what has no sides."""
    cells = {}
    for number, region in enumerate(REGIONS):
        name = region.name.replace(" ", "_")
        if region.name in MIDLINE:
            cells[f"uptake_{name}"] = _number(np.mean(uptake[:, number]))
            continue
        for side, values in zip(_SIDES, uptake, strict=True):
            cells[f"uptake_{side}_{name}"] = _number(values[number])
    return cells


def _number(value: float) -> str:
    """Returns a number as a cell."""
    return f"{value:.4f}"
