import ida_tree
import numpy as np
import pytest

from tfds_adni.brain import brain_mask, scale_to_suvr
from tfds_adni.volumes import Volume, VolumeError

SPACING = (ida_tree.SPACING,) * 3


def scaled(data):
    return scale_to_suvr(Volume(data.astype(np.float32), SPACING))


def test_mean_inside_the_mask_is_one():
    brain = scaled(ida_tree.head() * 7000)
    mask = brain_mask(brain.suvr, SPACING)
    assert brain.suvr[mask].mean() == pytest.approx(1, abs=1e-5)
    assert brain.suvr.dtype == np.float32


@pytest.mark.parametrize("dose", [0.01, 3.0, 40000.0])
def test_dose_does_not_matter(dose):
    np.testing.assert_allclose(
        scaled(ida_tree.head() * dose).suvr,
        scaled(ida_tree.head()).suvr,
        rtol=1e-4,
    )


def test_centre_is_the_middle_of_a_centred_head():
    middle = (np.array(ida_tree.SHAPE) - 1) / 2
    np.testing.assert_allclose(scaled(ida_tree.head()).centre, middle, atol=0.1)


def test_centre_follows_the_head():
    moved = np.roll(ida_tree.head(), 3, axis=1)
    shift = np.subtract(scaled(moved).centre, scaled(ida_tree.head()).centre)
    np.testing.assert_allclose(shift, [0, 3, 0], atol=1e-6)


def test_mask_fills_ventricles_and_leaves_the_scalp():
    data = ida_tree.head()
    x, y, z = np.indices(data.shape)
    middle = (np.array(data.shape) - 1) / 2
    offsets = [v - m for v, m in zip((x, y, z), middle, strict=True)]
    radius = np.sqrt(sum(offset**2 for offset in offsets))
    data[radius < 3] = 0
    data[:1] = 1.0
    mask = brain_mask(data, SPACING)
    assert mask[20, 20, 12]
    assert not mask[:2].any()


def test_nan_around_the_brain_counts_as_nothing():
    data = ida_tree.head()
    hollow = np.where(data == 0, np.nan, data)
    np.testing.assert_array_equal(scaled(hollow).suvr, scaled(data).suvr)


def test_nan_inside_the_brain():
    data = ida_tree.head()
    data[20, 20, 12] = np.nan
    with pytest.raises(VolumeError, match="inside the brain"):
        scaled(data)


@pytest.mark.parametrize(
    ("value", "reason"),
    [(np.nan, "no finite voxel"), (3.0, "constant volume .* 3")],
)
def test_empty_volumes(value, reason):
    with pytest.raises(VolumeError, match=reason):
        scaled(np.full(ida_tree.SHAPE, value))


def test_negative_volume():
    with pytest.raises(VolumeError, match=r"no brain found|above zero"):
        scaled(-ida_tree.head())


def test_something_too_small_for_a_brain():
    data = np.zeros(ida_tree.SHAPE)
    data[18:24, 18:24, 10:14] = 1
    with pytest.raises(VolumeError, match=r"no brain found .* ml"):
        scaled(data)
