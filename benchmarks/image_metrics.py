"""What each metric of images makes of known damage, measured.

    pet-dcgan phantom B --seed 777 --subjects NC=24,AD=60
    (prepared with --config axial_64)
    python benchmarks/image_metrics.py DATA_B --config axial_64

Half of the AD subjects are "real"; slices of the other half, as they are and
made worse in several ways, take the place of synthetic ones. Each is paired
with the nearest real slice for PSNR, SSIM and the regions, as `evaluate` does.
"""

import argparse

import numpy as np
from features import load, worsened

from pet_dcgan.cli.console import start_tensorflow
from pet_dcgan.metrics.image_quality import diversity, psnr, ssim, windowed_ssim
from pet_dcgan.metrics.neighbors import nearest
from pet_dcgan.metrics.regions import (
    bland_altman,
    left_right_asymmetry,
    region_names,
    regional_uptake,
)
from pet_dcgan.metrics.spectrum import (
    checkerboard_ratio,
    nyquist_power,
    radial_power_spectrum,
    spectrum_distance,
)
from pet_dcgan.metrics.uptake import wasserstein

SUVR_MAX = 2.5


def samples(images, subjects, nc):
    """The real half, and by name what takes the place of synthetic ones."""
    names = np.unique(subjects)
    first = np.isin(subjects, names[: len(names) // 2])
    real, other = images[first], images[~first]
    rng = np.random.default_rng(0)
    back = other.copy()
    back[:, 2 * other.shape[1] // 3 :] *= 0.95
    damaged = {
        f"{kind} {level}": worsened(other, kind, level)
        for kind, level in (
            ("blur", 1),
            ("blur", 2),
            ("noise (SUVR)", 0.05),
            ("checkerboard", 0.01),
            ("checkerboard", 0.03),
            ("fainter by", 0.05),
        )
    }
    return real, {
        "other subjects": other,
        **damaged,
        "back third fainter by 0.05": back,
        "mirrored": other[:, :, ::-1],
        "NC": nc[rng.choice(len(nc), len(other))],
        "one image again and again": np.repeat(other[:1], len(other), axis=0),
        "mean of all": np.repeat(other.mean(0)[None], len(other), axis=0),
    }


def scores(real, other):
    """Every number by name, of as many images on either side."""
    count = min(len(real), len(other))
    real, other = real[:count], other[:count]
    partners = real[nearest(other, real)[0]]
    options = {"dynamic_range": SUVR_MAX}
    spectra = (
        radial_power_spectrum(x, spacing_mm=1.0).power for x in (real, other)
    )
    powers = nyquist_power(real), nyquist_power(other)
    uptake = regional_uptake(other)
    agreement = bland_altman(regional_uptake(partners), uptake)
    bias = dict(zip(region_names("axial"), agreement.bias, strict=True))
    return {
        "PSNR": f"{psnr(partners, other).mean():.2f}",
        "SSIM": f"{ssim(partners, other, **options).mean():.3f}",
        "windowed SSIM": (
            f"{windowed_ssim(partners, other, **options).mean():.3f}"
        ),
        "MS-SSIM, pairs": f"{diversity(other, **options).values.mean():.3f}",
        "spectrum": f"{spectrum_distance(*spectra):.2f}",
        "checkerboard": f"{checkerboard_ratio(*powers):.2g}",
        "finest, SUVR": f"{np.sqrt(powers[1].mean()):.5f}",
        "Wasserstein, SUVR": f"{wasserstein(real, other):.4f}",
        "bias front middle": f"{bias['front middle']:+.3f}",
        "bias back middle": f"{bias['back middle']:+.3f}",
        "left against right, middle": (
            f"{left_right_asymmetry(uptake)[:, 1].mean():+.3f}"
        ),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--config", default="axial_64")
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    every = ["train", "validation", "test"]
    images, subjects, _ = load(options.data, options.config, "AD", every)
    nc = load(options.data, options.config, "NC", every)[0]
    real, kinds = samples(images, subjects, nc)
    for index, (name, other) in enumerate(kinds.items()):
        found = scores(real, other)
        if not index:
            print("| images |", " | ".join(found), "|")
            print("| --- |" + " --- |" * len(found))
        print(f"| {name} |", " | ".join(found.values()), "|", flush=True)


if __name__ == "__main__":
    main()
