"""A prepared phantom with six spoiled scans, to look at its page `scans.html`.

    python benchmarks/scans_page.py FOLDER

The picture in docs/preparing.md is the top of this page.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from tfds_adni import prepare, write_phantom

SUBJECTS = {"NC": 7, "MCI": 7, "AD": 7}


def hot_spot(data: np.ndarray) -> np.ndarray:
    data[78:81, 78:81, 48:51] = 20 * np.percentile(data, 99)
    return data


def noisy(data: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(data.shape)
    return data + 0.5 * np.percentile(data, 95) * noise


def smaller(data: np.ndarray) -> np.ndarray:
    middle = (np.array(data.shape) - 1) / 2
    scale = np.full(3, 1 / 0.82)
    return ndimage.affine_transform(
        data, scale, offset=middle - scale * middle, order=1
    )


SPOIL: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    hot_spot,
    noisy,
    smaller,
    lambda data: data[:, :, ::-1],  # upside down
    lambda data: data[:, ::-1],  # back to front
    lambda data: np.where(np.arange(len(data))[:, None, None] < 80, data, 0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a new folder")
    folder = parser.parse_args().folder
    scans = write_phantom(folder / "scans", subjects=SUBJECTS)
    first = [min(p.rglob("*.nii")) for p in sorted(scans.glob("ADNI/*"))]
    for path, spoil in zip(first[::3], SPOIL, strict=False):
        image = nib.load(path)
        data = np.asarray(image.dataobj, np.float32)[..., 0]
        nib.save(nib.Nifti1Image(spoil(data), image.affine), path)
    home = prepare(scans, folder / "data", config="axial_64")
    print(home / "scans.html")


if __name__ == "__main__":
    main()
