"""The phantom's tables: positions of regions, uptake, losses in disease.

Centres are those of the AAL parcellation in MNI space (Tzourio-Mazoyer 2002,
NeuroImage 15:273), rounded to a millimetre, and standard textbook positions
for brainstem, cerebellum and hippocampal parts; radii are rough half extents.
Losses by stage are ours, after Minoshima 1997 and Langbaum 2009
(PMC2886795): strongest in posterior cingulate, precuneus and temporoparietal
cortex, mild in frontal cortex, spared in sensorimotor and visual cortex.
Published means and standard deviations are aggregates of normal FDG scans, in
pons-SUVR and relative to each scan's mean (doi 10.1093/brain/awag314).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Region:
    """One bilateral region of the phantom.

    Args:
        name: Its name.
        tissue: "cortex" shares the grey-matter map with its neighbours;
            "grey" claims the grey matter inside its shape; "solid" fills its
            shape whatever the maps say (they are weak in the deep nuclei).
        network: Regions of a network vary together.
        loss: Mean loss in per cent for MCI and AD.
        row: Its row of `PUBLISHED`; parts of one row may share it.
        of_row: Uptake over the row's mean; the parts of a row average to it.
        blobs: `((x, y, z), (rx, ry, rz))` in mm, MNI, right side (x >= 0).
    """

    name: str
    tissue: str
    network: str
    loss: tuple[float, float]
    row: str
    of_row: float
    blobs: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]


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

# name: (tissue, network, loss), cortex first
_REGIONS = {
    "superior frontal": ("cortex", "frontal", (2, 8)),
    "dorsolateral frontal": ("cortex", "frontal", (2, 9)),
    "orbitofrontal": ("cortex", "frontal", (2, 7)),
    "postcentral": ("cortex", "motor", (0.5, 1.5)),
    "paracentral": ("cortex", "motor", (0.5, 1.5)),
    "inferior parietal": ("cortex", "default", (6, 18)),
    "superior parietal": ("cortex", "default", (3, 11)),
    "precuneus": ("cortex", "default", (7, 18)),
    "posterior cingulate": ("cortex", "default", (7, 18)),
    "mid cingulate": ("cortex", "default", (3, 8)),
    "isthmus cingulate": ("cortex", "default", (7, 18)),
    "anterior cingulate": ("cortex", "frontal", (1, 4)),
    "subgenual cingulate": ("cortex", "limbic", (1, 3)),
    "insula": ("cortex", "limbic", (1, 4)),
    "lateral temporal": ("cortex", "temporal", (5, 15)),
    "mesial temporal": ("cortex", "temporal", (6, 12)),
    "temporal pole": ("cortex", "temporal", (4, 9)),
    "fusiform": ("cortex", "temporal", (3, 10)),
    "lateral occipital": ("cortex", "visual", (0.5, 2)),
    "pericalcarine": ("cortex", "visual", (0.5, 1.5)),
    "lingual": ("cortex", "visual", (0.5, 1.5)),
    "cuneus": ("cortex", "visual", (0.5, 1.5)),
    "cerebellar cortex": ("cortex", "cerebellum", (0, 1)),
    "thalamus": ("solid", "striatum", (0.5, 2)),
    "caudate": ("grey", "striatum", (0.5, 2)),
    "putamen": ("solid", "striatum", (0.5, 2)),
    "pallidum": ("solid", "striatum", (0.5, 2)),
    "hippocampus": ("grey", "limbic", (6, 12)),
    "amygdala": ("grey", "limbic", (4, 9)),
    "ventral diencephalon": ("solid", "stem", (0, 1)),
    "brainstem": ("solid", "stem", (0, 1)),
    "pons": ("solid", "stem", (0, 1)),
}

# Parts of a published row that has another name or another mean.
_ROWS = {  # name: (row, uptake over the row's mean)
    "inferior parietal": ("dorsolateral parietal", 1.0),
    "superior parietal": ("dorsolateral parietal", 1.0),
    "posterior cingulate": ("posterior cingulate", 1.12),
    "mid cingulate": ("posterior cingulate", 0.95),
    "subgenual cingulate": ("anterior cingulate", 0.85),
    "mesial temporal": ("mesial temporal", 1.05),
    "temporal pole": ("mesial temporal", 0.88),
    "fusiform": ("mesial temporal", 1.15),
}

_BLOBS = {  # name: [(x, y, z, rx, ry, rz), ...] in mm
    "superior frontal": [
        (18, 35, 42, 10, 14, 11),
        (5, 49, 31, 7, 12, 12),
        (5, 5, 61, 7, 13, 9),
        (20, 8, 60, 10, 12, 8),
        (14, 62, 10, 10, 8, 12),
    ],
    "dorsolateral frontal": [
        (33, 33, 35, 10, 14, 11),
        (42, 14, 42, 9, 10, 9),
        (48, 13, 19, 8, 8, 10),
        (46, 30, 14, 8, 11, 10),
        (36, 50, 8, 9, 9, 10),
    ],
    "orbitofrontal": [
        (17, 47, -13, 10, 11, 7),
        (31, 48, -9, 9, 10, 7),
        (36, 31, -12, 9, 11, 7),
        (5, 50, -8, 6, 12, 7),
        (5, 37, -18, 6, 12, 6),
        (9, 15, -13, 7, 7, 5),
    ],
    "postcentral": [
        (42, -23, 49, 9, 8, 12),
        (25, -33, 63, 9, 8, 9),
        (55, -12, 28, 8, 8, 11),
        (39, -6, 51, 9, 8, 11),
        (52, 1, 28, 7, 7, 10),
        (25, -18, 65, 9, 8, 9),
        (47, -8, 14, 8, 9, 6),
    ],
    "paracentral": [(7, -25, 68, 7, 12, 10)],
    "inferior parietal": [
        (44, -61, 36, 9, 10, 10),
        (43, -46, 47, 9, 10, 8),
        (56, -34, 30, 8, 11, 10),
    ],
    "superior parietal": [(23, -60, 59, 10, 11, 8), (28, -72, 44, 8, 8, 8)],
    "precuneus": [(7, -56, 48, 7, 13, 13), (8, -62, 30, 6, 8, 9)],
    "posterior cingulate": [(5, -45, 27, 6, 9, 9)],
    "mid cingulate": [(5, -22, 39, 6, 12, 7)],
    "isthmus cingulate": [(8, -47, 12, 7, 8, 7)],
    "anterior cingulate": [(4, 35, 14, 6, 10, 12), (5, 10, 36, 6, 14, 8)],
    "subgenual cingulate": [(4, 22, -8, 5, 9, 8)],
    "insula": [(36, 7, 3, 6, 15, 11), (38, -10, 2, 5, 9, 9)],
    "lateral temporal": [
        (53, -21, 7, 9, 14, 7),
        (42, -19, 10, 7, 8, 5),
        (56, -34, -2, 9, 16, 9),
        (50, -28, -23, 9, 17, 8),
        (57, -6, -14, 8, 12, 10),
        (50, -56, 4, 9, 10, 10),
    ],
    "mesial temporal": [(21, -16, -23, 7, 14, 6), (24, -2, -30, 8, 8, 7)],
    "temporal pole": [(38, 14, -28, 12, 11, 13)],
    "fusiform": [(32, -40, -18, 8, 17, 6), (33, -60, -15, 8, 11, 6)],
    "lateral occipital": [
        (32, -81, 16, 10, 11, 11),
        (36, -78, -7, 10, 11, 8),
        (19, -86, 28, 8, 9, 9),
        (25, -95, 2, 10, 7, 11),
    ],
    "pericalcarine": [
        (10, -71, 9, 9, 9, 7),
        (8, -85, 4, 8, 11, 7),
        (11, -97, 0, 9, 6, 8),
    ],
    "lingual": [(14, -67, -5, 9, 12, 6), (13, -83, -10, 10, 9, 6)],
    "cuneus": [(6, -80, 25, 7, 11, 10), (10, -92, 18, 8, 8, 9)],
    "cerebellar cortex": [
        (22, -58, -26, 13, 14, 10),
        (38, -67, -34, 13, 14, 10),
        (24, -56, -50, 13, 13, 10),
        (14, -78, -34, 12, 9, 10),
        (0, -62, -30, 8, 13, 14),
    ],
    "thalamus": [(10, -18, 8, 9, 14, 9), (16, -26, 6, 8, 8, 8)],
    "caudate": [
        (11, 14, 4, 5, 8, 9),
        (13, 4, 14, 5, 10, 7),
        (17, -12, 21, 5, 9, 5),
    ],
    "putamen": [(27, -5, 2, 4, 13, 11), (23, 7, -2, 5, 11, 11)],
    "pallidum": [(18, -3, 0, 4, 8, 6)],
    "hippocampus": [
        (25, -13, -19, 8, 8, 7),
        (29, -24, -12, 7, 9, 7),
        (25, -35, -3, 7, 7, 7),
    ],
    "amygdala": [(23, -2, -18, 8, 7, 7)],
    "ventral diencephalon": [(9, -11, -8, 8, 9, 6)],
    "brainstem": [(0, -26, -13, 14, 11, 9), (0, -41, -54, 10, 9, 14)],
    "pons": [(0, -27, -33, 17, 13, 13)],
}

REGIONS = tuple(
    Region(
        name,
        *traits,
        *_ROWS.get(name, (name, 1.0)),
        tuple((blob[:3], blob[3:]) for blob in _BLOBS[name]),
    )
    for name, traits in _REGIONS.items()
)
MIDLINE = frozenset({"brainstem", "pons"})


def spread() -> tuple[np.ndarray, np.ndarray]:
    """Solves for the loading on the scan's level and the own SD of regions.

    With level SD g, total CV c and SD s after division by the scan's mean,
    a region with loading a and own SD e has c^2 = a^2 + e^2 and
    s^2 = (a - g)^2 + e^2.

    Returns:
        `a` and `e`, each `[r]`, as shares of the region's mean.
    """
    rows = np.array([PUBLISHED[r.row][1:] for r in REGIONS]) / 100
    total, residual = rows.T
    level = GLOBAL_SD
    loading = (total**2 - residual**2 + level**2) / (2 * level)
    return loading, np.sqrt(np.maximum(total**2 - loading**2, 1e-6))


def published_means() -> np.ndarray:
    """Returns the mean of each region in normal scans, pons-SUVR, `[r]`."""
    return np.array([r.of_row * PUBLISHED[r.row][0] for r in REGIONS])
