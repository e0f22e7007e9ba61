"""The table behind the phantom: where regions lie, what they take up.

Means and standard deviations are published aggregates of normal FDG scans
(pons-SUVR and relative to each scan's mean; doi 10.1093/brain/awag314).
Centres are those of the AAL parcellation in MNI space (Tzourio-Mazoyer 2002,
NeuroImage 15:273), rounded to a millimetre, and standard textbook positions
for brainstem, cerebellum and hippocampal parts; radii are rough half extents.
Losses by stage are ours, after Minoshima 1997 and Langbaum 2009
(PMC2886795): strongest in posterior cingulate, precuneus and temporoparietal
cortex, mild in frontal cortex, spared in sensorimotor and visual cortex.
"""

from dataclasses import dataclass

GLOBAL_SD = 0.072  # SD of a whole scan's pons-SUVR, same source
GREY_TO_WHITE = 4.0  # true ratio before blur (Hoffman 1991; Duara 1984)

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


def _region(name, tissue, network, loss, *blobs, row=None, of_row=1.0) -> Region:
    pairs = tuple((blob[:3], blob[3:]) for blob in blobs)
    return Region(name, row or name, tissue, network, loss, of_row, pairs)


_CORTEX = (
    _region(
        "superior frontal",
        "cortex",
        "frontal",
        (2, 8),
        (18, 35, 42, 10, 14, 11),
        (5, 49, 31, 7, 12, 12),
        (5, 5, 61, 7, 13, 9),
        (20, 8, 60, 10, 12, 8),
        (14, 62, 10, 10, 8, 12),
    ),
    _region(
        "dorsolateral frontal",
        "cortex",
        "frontal",
        (2, 9),
        (33, 33, 35, 10, 14, 11),
        (42, 14, 42, 9, 10, 9),
        (48, 13, 19, 8, 8, 10),
        (46, 30, 14, 8, 11, 10),
        (36, 50, 8, 9, 9, 10),
    ),
    _region(
        "orbitofrontal",
        "cortex",
        "frontal",
        (2, 7),
        (17, 47, -13, 10, 11, 7),
        (31, 48, -9, 9, 10, 7),
        (36, 31, -12, 9, 11, 7),
        (5, 50, -8, 6, 12, 7),
        (5, 37, -18, 6, 12, 6),
        (9, 15, -13, 7, 7, 5),
    ),
    _region(
        "postcentral",
        "cortex",
        "motor",
        (0.5, 1.5),
        (42, -23, 49, 9, 8, 12),
        (25, -33, 63, 9, 8, 9),
        (55, -12, 28, 8, 8, 11),
        (39, -6, 51, 9, 8, 11),
        (52, 1, 28, 7, 7, 10),
        (25, -18, 65, 9, 8, 9),
        (47, -8, 14, 8, 9, 6),
    ),
    _region(
        "paracentral",
        "cortex",
        "motor",
        (0.5, 1.5),
        (7, -25, 68, 7, 12, 10),
    ),
    _region(
        "inferior parietal",
        "cortex",
        "default",
        (6, 18),
        (44, -61, 36, 9, 10, 10),
        (43, -46, 47, 9, 10, 8),
        (56, -34, 30, 8, 11, 10),
        row="dorsolateral parietal",
    ),
    _region(
        "superior parietal",
        "cortex",
        "default",
        (3, 11),
        (23, -60, 59, 10, 11, 8),
        (28, -72, 44, 8, 8, 8),
        row="dorsolateral parietal",
    ),
    _region(
        "precuneus",
        "cortex",
        "default",
        (7, 18),
        (7, -56, 48, 7, 13, 13),
        (8, -62, 30, 6, 8, 9),
    ),
    _region(
        "posterior cingulate",
        "cortex",
        "default",
        (7, 18),
        (5, -45, 27, 6, 9, 9),
        of_row=1.06,
    ),
    _region(
        "mid cingulate",
        "cortex",
        "default",
        (3, 8),
        (5, -22, 39, 6, 12, 7),
        row="posterior cingulate",
        of_row=0.92,
    ),
    _region(
        "isthmus cingulate",
        "cortex",
        "default",
        (7, 18),
        (8, -47, 12, 7, 8, 7),
    ),
    _region(
        "anterior cingulate",
        "cortex",
        "frontal",
        (1, 4),
        (4, 35, 14, 6, 10, 12),
        (5, 10, 36, 6, 14, 8),
    ),
    _region(
        "subgenual cingulate",
        "cortex",
        "limbic",
        (1, 3),
        (4, 22, -8, 5, 9, 8),
        row="anterior cingulate",
        of_row=0.85,
    ),
    _region(
        "insula",
        "cortex",
        "limbic",
        (1, 4),
        (36, 7, 3, 6, 15, 11),
        (38, -10, 2, 5, 9, 9),
    ),
    _region(
        "lateral temporal",
        "cortex",
        "temporal",
        (5, 15),
        (53, -21, 7, 9, 14, 7),
        (42, -19, 10, 7, 8, 5),
        (56, -34, -2, 9, 16, 9),
        (50, -28, -23, 9, 17, 8),
        (57, -6, -14, 8, 12, 10),
        (50, -56, 4, 9, 10, 10),
    ),
    _region(
        "mesial temporal",
        "cortex",
        "temporal",
        (6, 12),
        (21, -16, -23, 7, 14, 6),
        (24, -2, -30, 8, 8, 7),
    ),
    _region(
        "temporal pole",
        "cortex",
        "temporal",
        (4, 9),
        (38, 14, -28, 12, 11, 13),
        row="mesial temporal",
        of_row=0.85,
    ),
    _region(
        "fusiform",
        "cortex",
        "temporal",
        (3, 10),
        (32, -40, -18, 8, 17, 6),
        (33, -60, -15, 8, 11, 6),
        row="mesial temporal",
        of_row=1.1,
    ),
    _region(
        "lateral occipital",
        "cortex",
        "visual",
        (0.5, 2),
        (32, -81, 16, 10, 11, 11),
        (36, -78, -7, 10, 11, 8),
        (19, -86, 28, 8, 9, 9),
        (25, -95, 2, 10, 7, 11),
    ),
    _region(
        "pericalcarine",
        "cortex",
        "visual",
        (0.5, 1.5),
        (10, -71, 9, 9, 9, 7),
        (8, -85, 4, 8, 11, 7),
        (11, -97, 0, 9, 6, 8),
    ),
    _region(
        "lingual",
        "cortex",
        "visual",
        (0.5, 1.5),
        (14, -67, -5, 9, 12, 6),
        (13, -83, -10, 10, 9, 6),
    ),
    _region(
        "cuneus",
        "cortex",
        "visual",
        (0.5, 1.5),
        (6, -80, 25, 7, 11, 10),
        (10, -92, 18, 8, 8, 9),
    ),
    _region(
        "cerebellar cortex",
        "cortex",
        "cerebellum",
        (0, 1),
        (22, -58, -26, 13, 14, 10),
        (38, -67, -34, 13, 14, 10),
        (24, -56, -50, 13, 13, 10),
        (14, -78, -34, 12, 9, 10),
        (0, -62, -30, 8, 13, 14),
    ),
)

_DEEP = (
    _region(
        "thalamus",
        "solid",
        "striatum",
        (0.5, 2),
        (10, -18, 8, 9, 14, 9),
        (16, -26, 6, 8, 8, 8),
    ),
    _region(
        "caudate",
        "grey",
        "striatum",
        (0.5, 2),
        (11, 14, 4, 5, 8, 9),
        (13, 4, 14, 5, 10, 7),
        (17, -12, 21, 5, 9, 5),
    ),
    _region(
        "putamen",
        "solid",
        "striatum",
        (0.5, 2),
        (27, -5, 2, 4, 13, 11),
        (23, 7, -2, 5, 11, 11),
    ),
    _region(
        "pallidum",
        "solid",
        "striatum",
        (0.5, 2),
        (18, -3, 0, 4, 8, 6),
    ),
    _region(
        "hippocampus",
        "grey",
        "limbic",
        (6, 12),
        (25, -13, -19, 8, 8, 7),
        (29, -24, -12, 7, 9, 7),
        (25, -35, -3, 7, 7, 7),
    ),
    _region("amygdala", "grey", "limbic", (4, 9), (23, -2, -18, 8, 7, 7)),
    _region(
        "ventral diencephalon",
        "solid",
        "stem",
        (0, 1),
        (9, -11, -8, 8, 9, 6),
    ),
    _region(
        "brainstem",
        "solid",
        "stem",
        (0, 1),
        (0, -26, -13, 14, 11, 9),
        (0, -41, -54, 10, 9, 14),
    ),
    _region("pons", "solid", "stem", (0, 1), (0, -27, -33, 17, 13, 13)),
)

REGIONS = _CORTEX + _DEEP
MIDLINE = frozenset({"brainstem", "pons"})
