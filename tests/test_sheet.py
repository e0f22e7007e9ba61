"""The small picture and the numbers of one scan."""

import base64
import dataclasses
import io

import ida_tree
import numpy as np
import pytest
from PIL import Image

from tfds_adni.volumes.brain import BrainLocation, find_brain
from tfds_adni.volumes.normalisation import Brain, scale_to_suvr
from tfds_adni.volumes.sheet import (
    LEVELS,
    SIZE,
    draw_refused,
    draw_sheet,
    grey_levels,
)
from tfds_adni.volumes.slices import resample
from tfds_adni.volumes.volume import Volume

# Where the sections lie in the strip.
AXIAL, CORONAL, SAGITTAL = (slice(n * SIZE, (n + 1) * SIZE) for n in range(3))
MIDDLE = SIZE // 2


def sheet_of(data, spacing=(4.0, 4.0, 4.0), *, mask=None, centre=None, **other):
    """A sheet of hand-made voxels; the mask has every second of them."""
    data = np.asarray(data, np.float32)
    centre = centre or tuple((n - 1) / 2 for n in data.shape)
    if mask is None:
        mask = data[::2, ::2, ::2] > 0
    found = BrainLocation(
        data=data, mean=1.0, centre=centre, mask=mask, steps=(2, 2, 2)
    )
    volume = Volume(data=data, spacing=spacing, **other)
    brain = Brain(suvr=data, spacing=spacing, centre=centre)
    return draw_sheet(volume, found, brain, scale=2.0)


def box(shape=(41, 41, 41), low=10, high=31):
    """A box of SUVR 1 from one voxel to before another."""
    data = np.zeros(shape, np.float32)
    data[low:high, low:high, low:high] = 1
    return data


def colours(sheet):
    """The palette's part of each pixel: 0 grey, 1 outline, 2 cross."""
    with Image.open(io.BytesIO(base64.b64decode(sheet.picture))) as image:
        assert (image.mode, image.size) == ("P", (3 * SIZE, SIZE))
        palette = np.reshape(image.getpalette(), (-1, 3))[: 3 * LEVELS]
        index = np.asarray(image)
    assert palette[LEVELS:].tolist() == (
        [[255, 140, 0]] * LEVELS + [[0, 220, 255]] * LEVELS
    )
    return index // LEVELS


def test_numbers_of_a_box():
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (-100, -50, 10)
    sheet = sheet_of(box(), affine=affine)
    # The mask has the voxels 10, 12, ... 30: 11 of 8 mm each way.
    assert sheet.mask_ml == pytest.approx(11**3 * 0.512)
    assert sheet.extent_mm == (88.0, 88.0, 88.0)
    assert sheet.centre_mm == (-20.0, 30.0, 90.0)
    assert sheet.scale == 2.0
    assert sheet.peak == 1.0
    assert sheet_of(box()).centre_mm == (80.0, 80.0, 80.0)
    assert all(type(v) is float for v in sheet.centre_mm + sheet.extent_mm)


def test_outline_and_cross_of_a_box():
    lines = colours(sheet_of(box()))
    expected = np.zeros((SIZE, SIZE), int)
    # Voxels 10 to 30 about 20, of which the mask knows the even ones; a pixel
    # between two takes the one with the even number in the mask.
    expected[MIDDLE - 10 : MIDDLE + 11, MIDDLE - 10 : MIDDLE + 11] = 1
    expected[MIDDLE - 9 : MIDDLE + 10, MIDDLE - 9 : MIDDLE + 10] = 0
    expected[MIDDLE, MIDDLE - 2 : MIDDLE + 3] = 2
    expected[MIDDLE - 2 : MIDDLE + 3, MIDDLE] = 2
    for section in (AXIAL, CORONAL, SAGITTAL):
        assert lines[:, section].tolist() == expected.tolist()


def test_sections_are_laid_out_as_slices_are():
    """A mark on the right, one at the front and one on top."""
    data = box()
    data[28, 20, 20], data[20, 28, 20], data[20, 20, 28] = 2.5, 2.5, 2.5
    grey = grey_levels(sheet_of(data))
    sections = (AXIAL, CORONAL, SAGITTAL)
    bright = [np.argwhere(grey[:, s] == LEVELS - 1) for s in sections]
    right, front = [MIDDLE, MIDDLE + 8], [MIDDLE, MIDDLE - 8]
    up = [MIDDLE - 8, MIDDLE]
    assert bright[0].tolist() == [up, right]
    assert bright[1].tolist() == [up, right]
    assert bright[2].tolist() == [up, front]


def test_greys_are_read_back_below_the_lines():
    grey = grey_levels(sheet_of(box()))
    assert grey.shape == (SIZE, 3 * SIZE)
    # SUVR 1 of 2.5 on 19 steps
    level = round(1 / 2.5 * (LEVELS - 1))
    assert np.count_nonzero(grey == level) == 3 * 21**2
    assert np.count_nonzero(grey) == 3 * 21**2
    loud = grey_levels(sheet_of(box() * 1000))
    assert set(np.unique(loud)) == {0, LEVELS - 1}


def test_grain_is_the_difference_from_the_neighbours():
    """Stripes of 1.5 and 0.5: 1 along x, at the two ends 1.25.

    Along y nothing, at the two ends half the value, which is air beside it.
    """
    data = box()
    data[::2] *= 1.5
    data[1::2] *= 0.5
    mean = (11 * 1.5 + 10 * 0.5) / 21
    along, across = (19 * 1 + 2 * 1.25) / 21, 2 / 21 * mean / 2
    expected = (along + across) / 2 / mean
    assert sheet_of(data).grain == pytest.approx(expected)
    assert sheet_of(box(low=2, high=39)).grain == pytest.approx(1 / 37)


@pytest.mark.parametrize("spacing", [1.0, 2.3, 6.0])
def test_whatever_the_grid_the_picture_is_the_same_size(spacing):
    """Also where the volume ends before the picture does."""
    rng = np.random.default_rng(1)
    data = rng.random((24, 30, 20)) + 0.5
    sheet = sheet_of(data, (spacing,) * 3, centre=(3.2, 25.9, 0.0))
    assert grey_levels(sheet).shape == (SIZE, 3 * SIZE)
    assert sheet == sheet_of(data, (spacing,) * 3, centre=(3.2, 25.9, 0.0))


def test_of_a_head_in_a_few_thousand_bytes():
    """The outline goes around the brain that was found."""
    volume = Volume(data=ida_tree.head(), spacing=(ida_tree.SPACING,) * 3)
    found = find_brain(volume)
    scaled = scale_to_suvr(volume, found)
    for spacing in (1.5, 3.0):
        brain = resample(scaled, spacing)
        sheet = draw_sheet(volume, found, brain, scale=scaled.divisor)
        assert len(sheet.picture) < 4500
        assert sheet.scale == pytest.approx(found.mean)
        lines = colours(sheet) == 1
        rows = np.flatnonzero(lines[:, AXIAL].any(axis=1))
        assert 4 * np.ptp(rows) == pytest.approx(168, abs=12)
        assert sheet.extent_mm == pytest.approx((132, 168, 120), abs=12)
    double = dataclasses.replace(volume, data=2 * volume.data)
    again = find_brain(double)
    scaled = scale_to_suvr(double, again)
    other = draw_sheet(
        double, again, resample(scaled, 3.0), scale=scaled.divisor
    )
    assert other.picture == sheet.picture
    assert other.scale == pytest.approx(2 * sheet.scale)


@pytest.mark.parametrize(
    "values",
    [
        lambda rng, shape: np.zeros(shape),
        lambda rng, shape: np.full(shape, -3.0),
        lambda rng, shape: np.full(shape, np.nan),
        lambda rng, shape: np.full(shape, np.inf),
        lambda rng, shape: rng.choice([np.nan, np.inf, -1, 3e38], shape),
        lambda rng, shape: rng.normal(0, 1e-38, shape),
        lambda rng, shape: rng.random(shape) * 1e5,
    ],
)
@pytest.mark.parametrize("shape", [(20, 30, 10), (1, 1, 1), (300, 4, 2)])
def test_whatever_was_refused_can_be_drawn(values, shape):
    data = values(np.random.default_rng(0), shape).astype(np.float32)
    sheet = draw_refused(Volume(data=data, spacing=(2.0, 1.0, 3.0)))
    grey = grey_levels(sheet)
    assert grey.shape == (SIZE, 3 * SIZE)
    assert sheet.mask_ml == 0
    assert sheet.centre_mm == ()


def test_a_refused_head_is_bright_without_lines():
    data = np.ones((30, 30, 30), np.float32) * 7000
    sheet = draw_refused(Volume(data=data, spacing=(4.0,) * 3))
    grey = grey_levels(sheet)
    assert set(np.unique(grey)) == {0, round(1.5 / 2.5 * (LEVELS - 1))}
    assert np.count_nonzero(grey) == 3 * 30**2
