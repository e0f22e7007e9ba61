"""What each metric of volumes makes of known damage, measured.

    pet-dcgan phantom B --seed 777 --subjects NC=100,AD=100
    pet-dcgan prepare B --out DATA_B --config volume_64
    python benchmarks/volume_metrics.py DATA_B

Half of the NC subjects are "real"; volumes of the other half, as they are and
made worse in several ways, take the place of synthetic ones. The search for
copies has the real half as training subjects.
"""

import argparse

import numpy as np
from scipy import ndimage

from pet_dcgan.cli.console import start_tensorflow
from pet_dcgan.metrics.atlas import OWN_CENTRE_MM
from pet_dcgan.metrics.centring import centred_volumes
from pet_dcgan.metrics.copy_search import search
from pet_dcgan.metrics.roughness import axis_roughness, roughness_ratio
from pet_dcgan.metrics.volume_quality import volume_diversity
from pet_dcgan.metrics.volume_regions import regional_agreement, regional_means

_HEADS = (
    *("damage", "1 - MS-SSIM", "roughness", "along x", "along z", "error"),
    *("spread", "least ratio", "suspects"),
)
_PAIRS = 60


def kinds(real, other, ill):
    """What takes the place of synthetic volumes, by name."""
    rng = np.random.default_rng(0)
    mean = other.mean(axis=0)
    yield "other subjects", other
    for sd in (0.02, 0.05):
        flicker = rng.normal(1, sd, [len(other), 1, 1, other.shape[3]])
        yield f"slices scaled, SD {sd:g}", other * flicker
    yield "slices moved, SD 1 mm", moved(other, rng)
    for sigma in (0.5, 1.0):
        blurred = ndimage.gaussian_filter1d(other, sigma, axis=3)
        yield f"blur along z, SD {3.5 * sigma:g} mm", blurred
        blurred = ndimage.gaussian_filter(other, (0, sigma, sigma, sigma))
        yield f"blur, SD {3.5 * sigma:g} mm", blurred
    yield "noise, SD 0.05 SUVR", other + rng.normal(0, 0.05, other.shape)
    yield "half-way to the mean", (other + mean) / 2
    yield "means of two", (other + np.roll(other, 1, axis=0)) / 2
    yield "left half fainter by 0.05", half_fainter(other)
    yield "AD for NC", ill
    yield "copies, blur of 3.5 mm", ndimage.gaussian_filter(real, (0, 1, 1, 1))


def moved(volumes, rng):
    """Each axial slice moved by itself, by 0.29 voxels on average."""
    found = np.empty_like(volumes)
    for place in np.ndindex(len(volumes), volumes.shape[3]):
        row, at = place
        found[row, :, :, at] = ndimage.shift(
            volumes[row, :, :, at], rng.normal(0, 1 / 3.5, 2), order=1
        )
    return found


def half_fainter(volumes):
    """The subject's left has 5 % less uptake."""
    found = volumes.copy()
    found[:, : volumes.shape[1] // 2] *= 0.95
    return found


def variety(volumes):
    """One less the MS-SSIM of pairs."""
    pairs = volume_diversity(volumes, dynamic_range=2.5, pairs=_PAIRS)
    return 1 - pairs.values.mean()


def row_of(name, volumes, real, subjects):
    """The numbers of a kind of volume, as text."""
    volumes = np.maximum(volumes, 0).astype(np.float32)
    diversity = variety(volumes) / variety(real)
    rough = roughness_ratio(*map(axis_roughness, (real, volumes)))
    regions = regional_agreement(
        *(
            regional_means(x, spacing_mm=3.5, centre_mm=OWN_CENTRE_MM)
            for x in (real, volumes)
        )
    )
    found = search(*map(centred_volumes, (volumes, real)), subjects)
    return [
        name,
        f"{diversity:.2f}",
        *(f"{x:.2f}" for x in (rough.ratio, rough.axes[0], rough.axes[2])),
        f"{regions.error_ratio:.2f}",
        f"{regions.spread:.2f}",
        f"{found.ratios.min():.2f}",
        f"{found.suspects.mean():.0%}",
    ]


def main():
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir")
    parser.add_argument("--config", default="volume_64")
    options = parser.parse_args()
    start_tensorflow()
    from pet_dcgan.data.prepared_set import load_slices
    from pet_dcgan.data.suvr import suvr_from_png

    def load(stage):
        found = load_slices(
            options.data_dir,
            options.config,
            split="all",
            stage=stage,
            plane="volume",
        )
        order = np.argsort(found.subjects)
        images = suvr_from_png(found.images[order], found.meta.suvr_max)
        return images, found.subjects[order]

    (volumes, subjects), (ill, _) = load("NC"), load("AD")
    half = len(volumes) // 2
    real, other = volumes[:half], volumes[half:]
    print(f"{half} real and {len(other)} other NC subjects, {len(ill)} AD")
    print("|", " | ".join(_HEADS), "|")
    print("|", " | ".join("---" for _ in _HEADS), "|")
    for name, each in kinds(real, other, ill[: len(other)]):
        row = row_of(name, each, real, subjects[:half])
        print("|", " | ".join(row), "|", flush=True)


if __name__ == "__main__":
    main()
