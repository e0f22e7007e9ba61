"""Scans that look unlike the others are named, and only they."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from tfds_adni.outliers import MIN_SCANS, Oddity, find_oddities
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.normalisation import scale_to_suvr
from tfds_adni.volumes.sheet import draw_refused, draw_sheet
from tfds_adni.volumes.slices import resample
from tfds_adni.volumes.volume import Volume

SHAPE, SPACING = (64, 72, 56), 3.0


def head(rng, size=1.0):
    """A brain with a front, a back, a top and a bottom; sizes vary by 4 %."""
    axes = [(np.arange(n) - n / 2 + 0.5) * SPACING for n in SHAPE]
    axes = [a / (size * rng.normal(1, 0.04)) for a in axes]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    brain = (x / 68) ** 2 + (y / 86) ** 2 + (z / 62) ** 2 < 1
    brain &= (z > -25 - 0.6 * y) | (y > -20)  # the notch below the back
    values = np.where(brain, rng.normal(1, 0.03), 0)
    for weight, place, width in (
        (0.9, (0, -60, 10), 22),  # the back is the brightest
        (0.5, (0, 45, 30), 25),
        (-0.7, (0, 5, 10), 16),  # ventricles
        (-0.5, (0, 20, -35), 20),
        (-0.7, (40, 10, 10), 22),  # darker on the right
    ):
        fall_x, fall_y, fall_z = (
            np.exp(-((a - p) ** 2) / (2 * width**2))
            for a, p in zip((x, y, z), place, strict=True)
        )
        weight *= rng.normal(1, 0.1)
        values += brain * (weight * fall_x * fall_y * fall_z)
    values = ndimage.gaussian_filter(values, 1.0)
    values *= 1 + 0.02 * rng.standard_normal(SHAPE)
    return (values * rng.uniform(2000, 9000)).astype(np.float32)


def sheet_of(data):
    volume = Volume(data=data.astype(np.float32), spacing=(SPACING,) * 3)
    found = find_brain(volume)
    scaled = scale_to_suvr(volume, found)
    brain = resample(scaled, SPACING)
    return draw_sheet(volume, found, brain, scale=scaled.divisor)


def hot_spot(data, rng):
    data = data.copy()
    x, y, z = rng.integers((20, 20, 25), (40, 40, 32))
    data[x : x + 2, y : y + 2, z : z + 2] = 12 * np.percentile(data, 90)
    return data


FAULTS = {
    "upside down": lambda data, rng: data[:, :, ::-1],
    "back to front": lambda data, rng: data[:, ::-1],
    "left to right": lambda data, rng: data[::-1],
    "small": lambda data, rng: head(rng, 0.82),
    "noisy": lambda data, rng: (
        data + 0.2 * data.mean(where=data > 0) * rng.standard_normal(SHAPE)
    ),
    "a bright spot": hot_spot,
    "another pattern": lambda data, rng: np.where(
        data > 0.1 * data.max(), 1.2 * data.max() - data, 0
    ),
}


@pytest.mark.parametrize(
    ("seed", "sound"),
    [
        (0, 30),
        *(pytest.param(n, 60, marks=pytest.mark.slow) for n in range(3)),
    ],
)
def test_planted_faults_come_first_and_sound_scans_are_not_named(seed, sound):
    rng = np.random.default_rng(seed)
    sheets = [sheet_of(head(rng)) for _ in range(sound)]
    faults = {
        name: sheet_of(fault(head(rng), rng)) for name, fault in FAULTS.items()
    }
    found = find_oddities([*sheets, *faults.values()])
    assert not any(oddity.words for oddity in found[:sound])
    least = min(oddity.score for oddity in found[sound:])
    assert least > max(oddity.score for oddity in found[:sound])
    for name, oddity in zip(faults, found[sound:], strict=True):
        assert any(words.startswith(name) for words in oddity.words), name
    # whatever their order
    turned = find_oddities([*sheets, *faults.values()][::-1])
    assert turned == found[::-1]


@pytest.fixture(scope="module")
def alike():
    """One sheet many times."""
    return [sheet_of(head(np.random.default_rng(0)))] * 20


def test_a_uniform_cohort_has_none(alike):
    assert find_oddities(alike) == [Oddity(pytest.approx(0, abs=1e-6))] * 20


def test_what_is_said(alike):
    """All alike, so that the least spread counts: 6 % of the volume."""
    ml = alike[0].mask_ml
    odd = dataclasses.replace(alike[0], mask_ml=ml * np.exp(-0.06 * 6))
    score, words = find_oddities([*alike, odd])[-1]
    assert score == pytest.approx(6)
    assert words == (
        f"small: mask of {ml * np.exp(-0.36):.0f} ml, usually {ml:.0f} ml",
    )
    tall = dataclasses.replace(
        odd, extent_mm=(*odd.extent_mm[:2], 2 * odd.extent_mm[2])
    )
    _, words = find_oddities([*alike, tall])[-1]
    assert [line.split(":")[0] for line in words] == ["tall", "small"]
    near = dataclasses.replace(alike[0], mask_ml=ml * np.exp(0.06 * 4))
    assert find_oddities([*alike, near])[-1].words == ()
    smooth = dataclasses.replace(alike[0], grain=0.0, peak=0.0)
    assert find_oddities([*alike, smooth])[-1].words == ()


@pytest.mark.parametrize(
    ("peak", "shown"), [(16.0, "16"), (7.25, "7.25"), (1e29, "1e+29")]
)
def test_a_peak_of_any_size_is_short(alike, peak, shown):
    usual = dataclasses.replace(alike[0], peak=1.5)
    bright = dataclasses.replace(alike[0], peak=peak)
    (words,) = find_oddities([*[usual] * 20, bright])[-1].words
    assert words == (
        f"a bright spot: its brightest voxel is SUVR {shown}, usually 1.5"
    )


def test_few_scans_are_not_compared(alike):
    odd = dataclasses.replace(alike[0], mask_ml=1.0)
    few = [*alike[: MIN_SCANS - 2], odd]
    assert find_oddities(few) == [Oddity(0.0)] * (MIN_SCANS - 1)
    assert find_oddities([*few, alike[0]])[-2].words
    assert find_oddities([]) == []


def test_a_picture_without_contrast_is_unlike(alike):
    nothing = np.zeros((4, 4, 4), np.float32)
    black = draw_refused(Volume(data=nothing, spacing=(4.0,) * 3))
    blank = dataclasses.replace(alike[0], picture=black.picture)
    (words,) = find_oddities([*alike, blank])[-1].words
    assert words.startswith("another pattern: correlation")
    assert find_oddities([blank] * 9)[0].words == ()
