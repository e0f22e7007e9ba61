"""Pictures of the phantom: eight subjects of each stage, four slices of each.

Usage: python benchmarks/phantom_pictures.py [FOLDER]

Writes phantom_nc.png, phantom_mci.png and phantom_ad.png, by default into
docs/images: scans of the uniform level of the default difficulty, each over
the mean of its brain, on one grey scale.
"""

import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import ADNI_GRID
from tfds_adni.phantom.render import render
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.volume import Volume

SUBJECTS = 8
SLICES = {"pons": -35, "thalamus": -5, "parietal": 22, "vertex": 44}  # mm
HALF = 52, 64  # voxels from the brain's centre to the edges of a picture
TOP = 1.8  # of the brain's mean, drawn white
TITLE = (
    "Phantom, no patients: eight invented {stage} subjects. Uniform level, "
    "8 mm, realistic;\nthe left of a picture is the subject's left "
    "(neurological); black 0 to white {top} of the brain's mean"
)


def main(folder="docs/images"):
    anatomy = build_anatomy(ADNI_GRID.spacing)
    for stage in ("NC", "MCI", "AD"):
        figure = drawn(stage, anatomy)
        path = Path(folder) / f"phantom_{stage.lower()}.png"
        figure.savefig(path, dpi=100, metadata={"Software": None})
        print(path, path.stat().st_size // 1000, "kB")


def drawn(stage, anatomy):
    figure = Figure(figsize=(9, 5.9), facecolor="white")
    FigureCanvasAgg(figure)
    tiles = figure.subplots(len(SLICES), SUBJECTS, squeeze=False)
    for number in range(SUBJECTS):
        volume = render(make_subject(stage, number), anatomy)
        brain = find_brain(Volume(volume, (ADNI_GRID.spacing,) * 3))
        for tile, height in zip(tiles[:, number], SLICES.values(), strict=True):
            image = cut(volume, brain.centre, height) / brain.mean
            tile.imshow(image, cmap="gray", vmin=0, vmax=TOP)
            tile.set(xticks=[], yticks=[])
    for tile, name in zip(tiles[:, 0], SLICES, strict=True):
        tile.set_ylabel(name, fontsize=9)
    title = TITLE.format(stage=stage, top=TOP)
    figure.suptitle(title, fontsize=10)
    figure.subplots_adjust(0.03, 0.005, 0.997, 0.9, wspace=0.02, hspace=0.02)
    return figure


def cut(volume, centre, height):
    """A slice so many mm above the brain's centre, which is in the middle."""
    x, y, z = (round(c) for c in centre)
    wide, long = HALF
    level = z + round(height / ADNI_GRID.spacing)
    return volume[x - wide : x + wide, y - long : y + long, level].T[::-1]


if __name__ == "__main__":
    main(*sys.argv[1:])
