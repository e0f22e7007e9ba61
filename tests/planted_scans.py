"""Invented scans whose SUVR, and so every stored pixel, is known by hand.

A brain is an ellipsoid, on the grid that a configuration asks for, so that
nothing is interpolated. Its voxels are whole numbers whose mean is 1024 and, in
a block of their own (the reference region), 1280: they come in pairs at equal
distances from the mean. The mask of `find_brain` has other edges than the
ellipsoid, so that its mean and centre are measured, to be near the planted.
"""

import functools

import ida_tree
import nibabel as nib
import numpy as np

from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.volume import Volume

MEAN, REGION_MEAN = 1024, 1280
SUVR_MAX = 2.5
# file units to SUVR: by the region, and of SUVR files
FACTORS = {"mask": 1 / REGION_MEAN, "none": 1.25 / MEAN}
SHAPE, CENTRE = (70, 56, 55), (36, 28, 26)  # of 3 mm
BANDS = {"axial": (0, 36), "coronal": (-54, -18), "sagittal": (-48, 0)}
REGION = np.s_[44:47, 20:23, 27:30]
_COUNTER = np.s_[27:30, 30:33, 19:22]
_BRIGHT = 40, 32, 28
# the same brain in other files: each is read as the same voxels
STORAGES = ("int16 LAS", "float32 RAS", "big-endian SLP", "two frames")
FOUR = [ida_tree.row(number, "AD") for number in range(1, 5)]


@functools.cache
def inside():
    """Where the brain is: 132 x 150 x 132 mm."""
    x, y, z = np.indices(SHAPE) - np.reshape(CENTRE, (3, 1, 1, 1))
    return (x / 22) ** 2 + (y / 25) ** 2 + (z / 22) ** 2 <= 1


def found(volume, spacing):
    """The brain that is found, which is nearly the one planted."""
    brain = find_brain(Volume(volume.astype(np.float32), (spacing,) * 3))
    assert abs(brain.mean / MEAN - 1) < 0.02
    middle = np.multiply(CENTRE, volume.shape[0] // SHAPE[0])
    assert np.abs(brain.centre - middle).max() < 1.5
    return brain


def stored(values, factor):
    """What file units are in a PNG, computed in doubles."""
    suvr = np.asarray(values, np.float64) * factor
    return np.rint(np.clip(suvr / SUVR_MAX, 0, 1) * 65535).astype(np.uint16)


def _unmistakable(values):
    """Which values lie so far from a half step that float32 cannot err."""
    steps = np.outer(list(FACTORS.values()), values) / SUVR_MAX * 65535
    return np.all(np.abs(steps % 1 - 0.5) > 0.05, axis=0)


@functools.cache
def _offsets(middle, largest):
    e = np.arange(1, largest)
    return e[_unmistakable(middle + e) & _unmistakable(middle - e)]


def coarse(seed):
    """int32 `SHAPE`, x to the right, y to the front, z upwards, of 3 mm."""
    rng = np.random.default_rng(seed)
    low = np.arange(-60, 61)
    volume = rng.choice(low[_unmistakable(low)], SHAPE)
    e = rng.choice(np.intersect1d(_offsets(1280, 150), _offsets(768, 150)), 13)
    volume[REGION] = 1280 + np.reshape([*e, *-e, 0], (3, 3, 3))
    volume[_COUNTER] = 2048 - volume[REGION]
    rest = inside().copy()
    rest[REGION] = rest[_COUNTER] = rest[CENTRE] = rest[_BRIGHT] = False
    volume[CENTRE] = MEAN
    # one above the scale of the PNG, which four others make up for
    dip = _offsets(MEAN, 420)[-1]
    volume[_BRIGHT] = MEAN + 4 * dip
    e = rng.choice(_offsets(MEAN, 420), (rest.sum() - 4) // 2)
    pairs = [*e, *-e, *[-dip] * 4, 0]
    volume[rest] = MEAN + rng.permutation(pairs)
    return volume


def fine(seed):
    """int32 of 1.5 mm: eight coarse brains, one in each corner of a voxel."""
    volume = np.empty([2 * n for n in SHAPE], np.int32)
    for number, (i, j, k) in enumerate(np.ndindex(2, 2, 2)):
        volume[i::2, j::2, k::2] = coarse([seed, number])
    return volume


def region_file(path):
    """Writes the mask of the reference region, stored with x to the left."""
    mask = np.zeros(SHAPE, np.uint8)
    mask[REGION] = 1
    affine = _affine(SHAPE, 3.0, flipped=True)
    nib.save(nib.Nifti1Image(mask[::-1], affine), path)
    return path


def _affine(shape, spacing, *, flipped=False):
    """Voxel to mm; `flipped` for the same places with x to the left."""
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -spacing * (np.array(shape) // 2)
    turn = np.eye(4)
    if flipped:
        turn[0] = [-1, 0, 0, shape[0] - 1]
    return affine @ turn


def save(volume, path, *, spacing, storage):
    """Writes a volume so that a reader finds its very numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flipped = storage == "int16 LAS"
    affine = _affine(volume.shape, spacing, flipped=flipped)
    if flipped:
        data = (2 * (volume[::-1, :, :, None] + 100)).astype(np.int16)
        image = nib.Nifti1Image(data, affine)
        image.header.set_slope_inter(0.5, -100)
    elif storage == "two frames":
        frames = np.stack([volume - 7, volume + 7], axis=-1)
        image = nib.Nifti1Image(frames.astype(np.int16), affine)
    else:
        image = nib.Nifti1Image(volume.astype(np.float32), affine)
    if storage == "big-endian SLP":
        # each of the axes R, A, S: which one it becomes, and whether turned
        image = image.as_reoriented(np.array([[1, -1], [2, -1], [0, 1]]))
        header = nib.Nifti1Header(endianness=">")
        header.set_data_dtype(np.float32)
        image = nib.Nifti1Image(image.get_fdata(), image.affine, header)
    nib.save(image, path)


def write_tree(root, make, *, spacing, factor=1, rows=FOUR):
    """Writes a download; returns a volume for each image id.

    `make` is `coarse` or `fine`; with a `factor` the files are float32 of so
    many times the values.
    """
    ida_tree.write_csv(root, rows)
    volumes = {}
    for number, row in enumerate(rows):
        volume = volumes[row["Image Data ID"].lstrip("I")] = make(number)
        storage = STORAGES[number % 4] if factor == 1 else "float32 RAS"
        path = ida_tree.image_path(root, row)
        save(volume * factor, path, spacing=spacing, storage=storage)
    return volumes


def slices(volume, plane, *, size, spacing, centre):
    """The slices of a plane `[n, size, size]`, in file units, 0 outside."""
    x, y, z = (round(c) + size for c in centre)
    room = np.pad(volume, size)
    low, high = (int(mm / spacing) for mm in BANDS[plane])
    a, b, c = (slice(v - size // 2, v + size // 2) for v in (x, y, z))
    cut = []
    for step in range(low, high):
        if plane == "axial":  # rows from the front, columns from the left
            cut.append(room[a, b, z + step].T[::-1])
        elif plane == "coronal":  # rows from the top, columns from the left
            cut.append(room[a, y + step, c].T[::-1])
        else:  # rows from the top, columns from the front
            cut.append(room[x + step, b, c].T[::-1, ::-1])
    return np.array(cut)
