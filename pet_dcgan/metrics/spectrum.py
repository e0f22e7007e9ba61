"""Power spectra: how coarse or fine images are, and checkerboards."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pet_dcgan.metrics.arrays import require_finite

# 16-bit pixels round to about this share of the strongest frequency
_FLOOR = 1e-12
# of the Nyquist frequency, along rows or columns
_NEAR_NYQUIST = 0.875
_CHUNK = 256


class Spectrum(NamedTuple):
    """Middle of each ring `[k]` in cycles per mm, and power `[n, k]`."""

    frequency: np.ndarray
    power: np.ndarray


def radial_power_spectrum(images: np.ndarray, *, spacing_mm: float) -> Spectrum:
    """Power of each image in rings of spatial frequency.

    The squared magnitude of the discrete Fourier transform, averaged over
    rings one step of frequency wide (Durall et al. 2020, arXiv 2003.01826),
    beyond the Nyquist frequency into the corners, where a checkerboard lies.
    The mean is subtracted and a Hann window applied first, since uptake at the
    border would act as a sharp edge and hide fine patterns. All powers sum to
    the mean square of the result, over that of the window.

    Args:
        images: `[n, size, size]` in SUVR.
        spacing_mm: Distance of two pixels.

    Returns:
        Frequencies from one period per image upwards, and the mean power of a
        frequency in each ring, in SUVR squared.

    Raises:
        ValueError: If the shape is wrong, a value is not finite, or
            `spacing_mm` is not positive.
    """
    if not spacing_mm > 0:
        raise ValueError(
            f"expected a positive spacing in mm, found {spacing_mm}"
        )
    images = _checked(images)
    size = images.shape[1]
    steps = np.fft.fftfreq(size, 1 / size)
    ring = np.rint(np.hypot(steps[:, None], steps)).astype(np.int64).ravel()
    # the frequencies sorted by ring, and where each ring starts
    order, counts = np.argsort(ring, kind="stable"), np.bincount(ring)
    starts = np.cumsum(counts) - counts
    sums = [
        np.add.reduceat(chunk[:, order], starts, axis=1)
        for chunk in _powers(images)
    ]
    frequency = np.arange(1, len(starts)) / (size * spacing_mm)
    return Spectrum(frequency, (np.concatenate(sums) / counts)[:, 1:])


def spectrum_distance(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Distance between two mean spectra, equally weighted over frequencies.

    The mean over rings of `|log10(synthetic / real)|` of the mean powers: 0
    for equal spectra, 0.3 if they typically differ by a factor of two, 1 for
    ten. Powers below what rounding to 16 bits leaves count as that much.

    Args:
        real: Powers of real images `[n, k]` from `radial_power_spectrum`.
        synthetic: Powers of synthetic images `[m, k]`.

    Returns:
        The distance in powers of ten, 0 or more.

    Raises:
        ValueError: If the rings differ or real images have no power.
    """
    real, synthetic = (
        np.asarray(x, np.float64).mean(axis=0) for x in (real, synthetic)
    )
    if real.ndim != 1 or real.shape != synthetic.shape or not len(real):
        raise ValueError(
            "expected powers [n, k] and [m, k] of the same rings, found "
            f"{real.shape} and {synthetic.shape} without their first axis"
        )
    floor = _FLOOR * _positive(real.max())
    ratios = np.maximum(synthetic, floor) / np.maximum(real, floor)
    return float(np.abs(np.log10(ratios)).mean())


def nyquist_power(images: np.ndarray) -> np.ndarray:
    """Power of each image in stripes and checkerboards of single pixels.

    The sum of the powers in the last eighth below the Nyquist frequency, along
    rows or columns, where artefacts of transposed convolutions lie (Odena et
    al. 2016, doi 10.23915/distill.00003), windowed as in
    `radial_power_spectrum`.

    Args:
        images: `[n, size, size]` in SUVR.

    Returns:
        Power `[n]`, SUVR squared: a checkerboard of plus and minus 0.02 SUVR
        has 0.0004.

    Raises:
        ValueError: If the shape is wrong or a value is not finite.
    """
    images = _checked(images)
    fast = np.abs(np.fft.fftfreq(images.shape[1])) >= _NEAR_NYQUIST / 2
    chosen = (fast[:, None] | fast).ravel()
    return np.concatenate(
        [chunk[:, chosen].sum(axis=1) for chunk in _powers(images)]
    )


def checkerboard_ratio(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Power near the Nyquist frequency, synthetic over real.

    Well above 1 for a checkerboard, well below for images that are too smooth.
    Smooth real images have next to none, so that an invisible checkerboard has
    a ratio of thousands: check the roots of the powers as well.

    Args:
        real: `nyquist_power` of real images `[n]`.
        synthetic: `nyquist_power` of synthetic images `[m]`.

    Returns:
        The ratio of the means.

    Raises:
        ValueError: If real images have none.
    """
    return float(np.mean(synthetic)) / _positive(float(np.mean(real)))


def _positive(power: float) -> float:
    """The power of real images; raises if there is none."""
    if not power > 0:
        raise ValueError("expected real images with uptake, found flat ones")
    return power


def _powers(images: np.ndarray) -> Iterator[np.ndarray]:
    """Power of every frequency, chunk by chunk `[c, size * size]`."""
    size = images.shape[1]
    slope = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
    window = np.outer(slope, slope)
    scale = size**2 * np.sqrt(np.mean(window**2))
    for start in range(0, len(images), _CHUNK):
        chunk = np.asarray(images[start : start + _CHUNK], np.float64)
        means = np.tensordot(chunk, window / window.sum())
        chunk = (chunk - means[:, None, None]) * window
        power = np.abs(np.fft.fft2(chunk) / scale) ** 2
        yield power.reshape(len(chunk), -1)


def _checked(images: np.ndarray) -> np.ndarray:
    """Square, finite images."""
    images = np.asarray(images)
    if images.ndim != 3 or len(set(images.shape[1:])) != 1 or 0 in images.shape:
        raise ValueError(
            f"expected images [n, size, size] in SUVR, found {images.shape}"
        )
    require_finite(images)
    return images
