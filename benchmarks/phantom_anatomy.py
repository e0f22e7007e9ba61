"""How much the phantom's people differ from each other, and from themselves.

Two yearly visits of healthy subjects, each scan aligned affinely to the mean
of all and divided by its own mean, at 3 mm. Between people: pairs of first
visits. Within: a subject's two visits, which differ by noise, a year and pose.
"Folds" is a volume without what is broader than they are. The principal
components are those of the first visits.

Usage: python benchmarks/phantom_anatomy.py [COUNT] [--out JSON]

Two seconds of processor time a subject.
"""

import argparse

import numpy as np
from reporting import add_out, print_table, write
from scipy import ndimage

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import Grid
from tfds_adni.phantom.render import render
from tfds_adni.phantom.subjects import make_subject

GRID = Grid((80, 80, 48), 3.0)
PASSES = 3  # in which the mean gets sharper, and everybody is aligned to it
STEPS = 6  # of Gauss and Newton in a pass
BROAD_MM = 12.0  # SD: what is taken off a volume to see its folds alone


def main():
    options = _options()
    anatomy = build_anatomy(GRID.spacing)
    scans = [
        render(subject, anatomy, visit=visit, grid=GRID)
        for subject in people(options.count)
        for visit in range(2)
    ]
    volumes, mask = aligned(scans)
    first, second = volumes[::2], volumes[1::2]
    rows = [
        _row("brain", first, second, mask),
        _row("folds", folds(first), folds(second), mask),
    ]
    print("phantom: no patients")
    print_table(rows)
    print()
    shares = principal_shares(first[:, mask])
    table = [
        {"component": n + 1, "share of variance": float(s)}
        for n, s in enumerate(shares[:4])
    ]
    print_table(table)
    result = {"subjects": options.count, "rows": rows, "components": table}
    write(result, options.out)


def _options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=24)
    add_out(parser)
    return parser.parse_args()


def people(count):
    return [make_subject("NC", number, visits=2) for number in range(count)]


def aligned(scans):
    """Scans on their mean, each with a mean of one in the brain's mask."""
    poses = [np.eye(3, 4) for _ in scans]
    now = np.array([_levelled(scan) for scan in scans])
    for _ in range(PASSES):
        mean = ndimage.gaussian_filter(now.mean(axis=0), 1)
        inside = mean > 0.15 * np.percentile(mean, 99)
        poses = [
            _fitted(_levelled(scan), pose, mean, inside)
            for scan, pose in zip(scans, poses, strict=True)
        ]
        now = np.array(
            [_moved(s, p) for s, p in zip(scans, poses, strict=True)]
        )
        now = np.array([_levelled(scan) for scan in now])
    mean = now.mean(axis=0)
    mask = mean > 0.4 * np.percentile(mean, 99)
    mask = ndimage.binary_fill_holes(ndimage.binary_opening(mask))
    return now / now[:, mask].mean(axis=1)[:, None, None, None], mask


def _levelled(scan):
    """A scan over the mean of its brighter half."""
    return scan / scan[scan > 0.4 * np.percentile(scan, 99)].mean()


def _centred(shape):
    """Places of all voxels from the centre, with a one: `[4, voxels]`."""
    axes = [np.arange(n) - (n - 1) / 2 for n in shape]
    grid = np.meshgrid(*axes, indexing="ij")
    return np.stack([*(g.ravel() for g in grid), np.ones(grid[0].size)])


def _moved(scan, pose):
    middle = (np.array(scan.shape) - 1) / 2
    offset = middle + pose[:, 3] - pose[:, :3] @ middle
    return ndimage.affine_transform(scan, pose[:, :3], offset, order=1)


def _fitted(scan, pose, mean, inside):
    """The affine that lays a scan on a mean: Gauss and Newton's steps."""
    places = _centred(scan.shape)[:, inside.ravel()]
    scan = ndimage.gaussian_filter(scan, 1)
    for _ in range(STEPS):
        here = _moved(scan, pose)
        # steps of the moved scan along its own axes, turned back
        slope = np.linalg.inv(pose[:, :3]).T @ np.stack(
            [s[inside] for s in np.gradient(here)]
        )
        design = (slope[:, None] * places[None]).reshape(12, -1)
        level = here[inside]
        design = np.vstack([design, level])
        left = mean[inside] - level
        found = np.linalg.lstsq(design.T, left, rcond=None)[0]
        pose = pose + found[:12].reshape(3, 4)
    return pose


def folds(volumes):
    """What lies in the scales of folds, without what is broader."""
    broad = BROAD_MM / GRID.spacing
    return np.array([v - ndimage.gaussian_filter(v, broad) for v in volumes])


def _row(name, first, second, mask):
    """Correlations and distances of one kind of pattern."""
    one, two = first[:, mask], second[:, mask]
    count = len(one)
    both = np.corrcoef(one, two)
    between = both[:count, :count][np.triu_indices(count, 1)]
    within = np.diag(both[:count, count:])
    apart = np.array([_rms(one - each) for each in one])
    np.fill_diagonal(apart, np.inf)
    nearest, own = apart.min(axis=1), _rms(one - two)
    return {
        "pattern": name,
        "r between": float(between.mean()),
        "largest": float(between.max()),
        "r within": float(within.mean()),
        "nearest other": float(np.median(nearest)),
        "own other visit": float(np.median(own)),
        "smallest ratio": float((nearest / own).min()),
        "own nearest": f"{int((own < nearest).sum())} of {count}",
    }


def _rms(differences):
    return np.sqrt((differences**2).mean(axis=1))


def principal_shares(values):
    """Shares of variance of the principal components of some rows."""
    variances = (
        np.linalg.svd(values - values.mean(axis=0), compute_uv=False) ** 2
    )
    return variances / variances.sum()


if __name__ == "__main__":
    main()
