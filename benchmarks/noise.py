"""What noise, hot spots and a body do to a brain's place and scale.

Phantoms without the noise of their own are rendered, brought to a voxel size,
and spoilt. The error is that of `find_brain` against the same volume unspoilt:
scale in percent, place in mm; a scan that is refused has neither. Noise is
normal and independent from voxel to voxel: "counts" grows with the root of
the uptake and has the given coefficient of variation (CV) in grey matter,
"uniform" is as large everywhere, air included.

    python benchmarks/noise.py [--subjects 3] [--seeds 2] [--spoilt]

`--spoilt` measures hot spots and bodies in place of noise.
"""

import argparse
from unittest import mock

import numpy as np
import reporting
from scipy import ndimage

from tfds_adni.phantom import render as rendering
from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import Grid
from tfds_adni.phantom.render import render
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.volume import Volume, VolumeError

GRID = Grid(shape=(160, 160, 104), spacing=1.5)
STAGES = ("NC", "MCI", "AD")
VOXELS_MM = (1.0, 1.5, 2.0, 3.0)
CVS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7)
FACTORS = (3, 40, 1000, -40)
SIDES = (1, 3, 10)  # of a hot cube, in voxels
UPTAKES = (0.15, 0.3, 0.5, 1.0)  # of a body, over the brain's mean


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--spoilt", action="store_true")
    reporting.add_out(parser)
    options = parser.parse_args()
    heads = list(phantoms(options.subjects))
    measure = spoilt_rows if options.spoilt else noise_rows
    rows = list(measure(heads, options.seeds))
    reporting.print_table(rows)
    reporting.write({"machine": reporting.machine(), "rows": rows}, options.out)


def phantoms(count):
    """Heads without noise, of all stages in turn."""
    anatomy = build_anatomy(GRID.spacing)
    with mock.patch.object(rendering, "add_noise"):
        for number in range(count):
            subject = make_subject(STAGES[number % 3], number)
            yield render(subject, anatomy, grid=GRID)


def noise_rows(heads, seeds):
    """A row for each kind of noise, voxel size and CV."""
    for voxel in VOXELS_MM:
        scans = [resampled(head, voxel) for head in heads]
        clean = [find(scan, voxel) for scan in scans]
        for kind in ("counts", "uniform"):
            for cv in CVS:
                found = [
                    error(noisy(scan, cv, kind, own.mean, seed), own, voxel)
                    for scan, own in zip(scans, clean, strict=True)
                    for seed in range(seeds)
                ]
                yield {"noise": kind, "voxel, mm": voxel, "CV": cv} | row(found)


def spoilt_rows(heads, seeds):
    """A row for each hot spot and each body."""
    clean = [find(head, GRID.spacing) for head in heads]
    pairs = list(zip(heads, clean, strict=True))
    for factor in FACTORS:
        for side in SIDES:
            found = [
                error(spotted(head, factor, side, seed), own, GRID.spacing)
                for head, own in pairs
                for seed in range(10 * seeds)
            ]
            what = f"cube of {side}^3 voxels, {factor:g} times the maximum"
            yield {"spoilt by": what} | row(found)
    for name in ("neck", "shoulders", "arms"):
        for uptake in UPTAKES:
            found = [
                error(*with_body(head, own, name, uptake), GRID.spacing)
                for head, own in pairs
            ]
            yield {"spoilt by": f"{name}, {uptake:g} of the brain"} | row(found)


def find(data, voxel):
    return find_brain(Volume(data.astype(np.float32), (voxel,) * 3))


def error(data, clean, voxel):
    """Scale in percent and place in mm; `None` for a refused scan."""
    try:
        brain = find(data, voxel)
    except VolumeError:
        return None
    away = np.subtract(brain.centre, clean.centre) * voxel
    return 100 * (brain.mean / clean.mean - 1), np.linalg.norm(away)


def row(found):
    kept = np.array([each for each in found if each is not None])
    figures = [""] * 3
    if len(kept):
        scale, place = kept.T
        figures = [scale.mean(), np.abs(scale).max(), place.max()]
        figures = [round(float(each), 2) for each in figures]
    names = "scale, mean %", "scale, worst %", "place, worst mm"
    counts = {"scans": len(found), "refused": len(found) - len(kept)}
    return counts | dict(zip(names, figures, strict=True))


def resampled(data, voxel):
    factor = voxel / GRID.spacing
    shape = ((np.array(data.shape) - 1) / factor).astype(int) + 1
    return ndimage.affine_transform(
        data, [factor] * 3, output_shape=tuple(shape), order=1
    )


def noisy(data, cv, kind, level, seed):
    """Noise of a CV at the uptake `level`."""
    noise = np.random.default_rng(seed).standard_normal(data.shape, np.float32)
    if kind == "counts":
        noise *= np.sqrt(np.maximum(data, 0.02 * level) / level)
    return data + np.float32(cv * level) * noise


def spotted(data, factor, side, seed):
    """A cube of another value anywhere in the volume."""
    rng = np.random.default_rng([seed, side])
    corner = [rng.integers(0, n - side) for n in data.shape]
    spoilt = data.copy()
    spoilt[tuple(slice(c, c + side) for c in corner)] = factor * data.max()
    return spoilt


def with_body(data, clean, name, uptake):
    """A longer view with a body in it, and the brain moved accordingly."""
    below, beside = 80, 40
    wide = np.pad(data, ((beside, beside), (beside, beside), (below, 0)))
    moved = np.add(clean.centre, (beside, beside, below))
    sides = zip(wide.shape, moved, strict=True)
    places = [(np.arange(n) - c) * GRID.spacing for n, c in sides]
    x, y, z = np.meshgrid(*places, indexing="ij", sparse=True)
    neck = (x**2 + (y + 20) ** 2 < 55**2) & (z < -50)
    trunk = (x / 180) ** 2 + ((y + 20) / 100) ** 2 + ((z + 180) / 80) ** 2 < 1
    arms = (np.abs(x) - 130) ** 2 + y**2 < 40**2
    body = {"neck": neck, "shoulders": neck | trunk, "arms": arms & (z < 200)}
    blurred = ndimage.gaussian_filter(body[name].astype(np.float32), 2.3)
    solid = ndimage.gaussian_filter(wide, 1) / (0.7 * clean.mean)
    merged = wide + (1 - solid.clip(0, 1)) * blurred * uptake * clean.mean
    return merged, type(clean)(**vars(clean) | {"centre": tuple(moved)})


if __name__ == "__main__":
    main()
