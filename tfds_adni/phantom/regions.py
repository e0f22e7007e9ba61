"""The phantom's regions: where they are and what they take up, from tables."""

import functools
from dataclasses import dataclass

import numpy as np

from tfds_adni.phantom.parameters import PEOPLE, read_rows

MIDLINE = frozenset({"brainstem", "pons"})


@dataclass(frozen=True)
class Published:
    """A row of published uptake of normal FDG scans.

    Args:
        mean_pons_suvr: Mean, over that of the pons.
        cv_pct: Its coefficient of variation between people, in per cent.
        relative_sd_pct: The same after division by each scan's mean.
    """

    mean_pons_suvr: float
    cv_pct: float
    relative_sd_pct: float


@dataclass(frozen=True)
class Region:
    """One bilateral region of the phantom.

    Args:
        name: Its name.
        tissue: "cortex" shares the folded grey matter with its neighbours;
            "nucleus" fills its shape.
        network: Regions of a network vary together.
        row: Its row of published uptake; parts of one row may share it.
        of_row: Uptake over the row's mean; the parts of a row average to it.
        margin_mm: How far an atlas' label reaches beyond the nucleus: into
            the capsule and over the ventricle's edge.
        blobs: `((x, y, z), (rx, ry, rz))` in mm, MNI, right side (x >= 0).
    """

    name: str
    tissue: str
    network: str
    row: str
    of_row: float
    margin_mm: float
    blobs: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]


def _read_published() -> dict[str, Published]:
    return {
        row.pop("row"): Published(**{k: float(v) for k, v in row.items()})
        for row in read_rows("published_uptake.csv")
    }


def _read_regions() -> tuple[Region, ...]:
    blobs: dict[str, list] = {}
    for row in read_rows("shapes.csv"):
        name, *sides = row.values()
        numbers = tuple(map(float, sides))
        blobs.setdefault(name, []).append((numbers[:3], numbers[3:]))
    regions = []
    for row in read_rows("regions.csv"):
        name, tissue, network, published, *numbers = row.values()
        traits = name, tissue, network, published, *map(float, numbers)
        regions.append(Region(*traits, tuple(blobs[name])))
    return tuple(regions)


PUBLISHED = _read_published()
REGIONS = _read_regions()


@functools.cache
def spread() -> tuple[np.ndarray, np.ndarray]:
    """Solves for the loading on the whole scan and the own SD of regions.

    With SD g of a whole scan, total CV c and SD s after division by the
    scan's mean, a region with loading a and own SD e has c^2 = a^2 + e^2 and
    s^2 = (a - g)^2 + e^2.

    Returns:
        `a` and `e`, each `[r]`, as shares of the region's mean.
    """
    rows = [PUBLISHED[region.row] for region in REGIONS]
    total = np.array([row.cv_pct for row in rows]) / 100
    residual = np.array([row.relative_sd_pct for row in rows]) / 100
    whole = PEOPLE["whole_scan_sd"]
    loading = total**2 - residual**2 + whole**2
    loading /= 2 * whole
    return loading, np.sqrt(np.maximum(total**2 - loading**2, 1e-6))


def published_means() -> np.ndarray:
    """Returns the mean of each region in normal scans, pons-SUVR, `[r]`."""
    means = [r.of_row * PUBLISHED[r.row].mean_pons_suvr for r in REGIONS]
    return np.array(means)
