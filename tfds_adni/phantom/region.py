"""Regions of the phantom, and published numbers of normal FDG uptake.

Means and standard deviations are aggregates of normal FDG scans, in pons-SUVR
and relative to each scan's mean (doi 10.1093/brain/awag314).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """One bilateral region of the phantom.

    Args:
        name: What it is called.
        row: Its row of `PUBLISHED`; parts of one row may share it.
        tissue: "cortex" shares the grey-matter map with its neighbours;
            "grey" claims the grey matter inside its shape; "solid" fills its
            shape whatever the maps say (they are weak in the deep nuclei).
        network: Regions of a network vary together.
        loss: Mean loss in per cent for MCI and AD.
        of_row: Uptake over the row's mean; the parts of a row average to it.
        blobs: `((x, y, z), (rx, ry, rz))` in mm, MNI, right side (x >= 0).
    """

    name: str
    row: str
    tissue: str
    network: str
    loss: tuple[float, float]
    of_row: float
    blobs: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]


def make_region(
    name, tissue, network, loss, *blobs, row=None, of_row=1.0
) -> Region:
    """A region whose blobs are written as `(x, y, z, rx, ry, rz)`.

    Args:
        name: Of the region.
        tissue: Of `Region`.
        network: Of `Region`.
        loss: Of `Region`.
        *blobs: `(x, y, z, rx, ry, rz)`: centre and radii in mm.
        row: Of the table of published uptake; by name if unset.
        of_row: Share of that row's uptake.
    """
    pairs = tuple((blob[:3], blob[3:]) for blob in blobs)
    return Region(name, row or name, tissue, network, loss, of_row, pairs)


GLOBAL_SD = 0.072  # SD of a whole scan's pons-SUVR, same source
GREY_TO_WHITE = 4.0  # true ratio, before blur (Hoffman 1991; Duara 1984)

# row: (mean pons-SUVR, CV %, SD % after division by the scan's mean)
PUBLISHED = {
    "superior frontal": (1.316, 9.6, 3.9),
    "orbitofrontal": (1.272, 8.3, 3.7),
    "dorsolateral frontal": (1.378, 9.6, 3.6),
    "paracentral": (1.302, 9.5, 5.7),
    "postcentral": (1.245, 9.2, 3.9),
    "dorsolateral parietal": (1.285, 10.0, 4.4),
    "precuneus": (1.492, 9.6, 4.2),
    "anterior cingulate": (1.172, 9.7, 5.3),
    "posterior cingulate": (1.395, 9.7, 4.7),
    "isthmus cingulate": (1.359, 9.6, 4.9),
    "lateral temporal": (1.175, 8.3, 3.4),
    "mesial temporal": (1.144, 7.2, 3.4),
    "lateral occipital": (1.288, 11.0, 7.5),
    "pericalcarine": (1.596, 10.9, 7.3),
    "lingual": (1.425, 9.0, 4.8),
    "cuneus": (1.445, 9.7, 5.1),
    "insula": (1.197, 8.7, 4.5),
    "cerebellar cortex": (1.149, 6.8, 5.7),
    "thalamus": (1.166, 7.3, 4.9),
    "caudate": (1.058, 12.2, 9.1),
    "putamen": (1.499, 8.3, 5.8),
    "pallidum": (1.127, 7.1, 6.7),
    "brainstem": (0.907, 4.9, 5.9),
    "pons": (0.931, 1.7, 6.3),
    "hippocampus": (0.962, 7.5, 5.5),
    "amygdala": (0.938, 6.8, 6.3),
    "ventral diencephalon": (0.946, 6.1, 5.7),
}
