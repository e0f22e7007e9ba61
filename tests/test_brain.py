import ida_tree
import numpy as np
import pytest
from scipy import ndimage

from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.repair import MAX_SHARE, repair
from tfds_adni.volumes.volume import Volume, VolumeError

SPACING = (ida_tree.SPACING,) * 3


def found(data):
    return find_brain(Volume(data.astype(np.float32), SPACING))


def refined(data):
    """Every voxel as 4 x 4 x 4 of a quarter of its size."""
    return data.repeat(4, axis=0).repeat(4, axis=1).repeat(4, axis=2)


def offsets(shape):
    """Voxels from the middle, along x, y and z."""
    middle = (np.array(shape) - 1) / 2
    return np.indices(shape) - middle[:, None, None, None]


# --- the mask -----------------------------------------------------------------


def test_mask_fills_ventricles_and_leaves_the_scalp():
    data = ida_tree.head()
    data[np.sqrt((offsets(data.shape) ** 2).sum(0)) < 3] = 0
    data[:1] = 1.0
    brain = found(data)
    assert brain.mask[20, 20, 12]
    assert not brain.mask[:2].any()


# --- mean and centre ----------------------------------------------------------


def test_mean_and_centre():
    brain = found(ida_tree.head())
    assert brain.mean == pytest.approx(ida_tree.head()[brain.mask].mean())
    middle = (np.array(ida_tree.SHAPE) - 1) / 2
    np.testing.assert_allclose(brain.centre, middle, atol=0.1)
    moved = found(np.roll(ida_tree.head(), 3, axis=1))
    shift = np.subtract(moved.centre, brain.centre)
    np.testing.assert_allclose(shift, [0, 3, 0], atol=1e-5)


def test_the_mask_lies_on_every_nth_voxel():
    brain = find_brain(Volume(refined(ida_tree.head()), (1.5,) * 3))
    assert brain.steps == (2, 2, 2)
    assert brain.mask.shape == (80, 80, 48)
    middle = np.multiply(ndimage.center_of_mass(brain.mask), brain.steps)
    np.testing.assert_allclose(middle, brain.centre, atol=0.2)


@pytest.mark.parametrize("cv", [0.0, 0.1, 0.5])
def test_noise_is_measured(cv):
    data = refined(ida_tree.head())
    rng = np.random.default_rng(0)
    # blocks of equal voxels have edges, which are no noise
    smooth = ndimage.gaussian_filter(data, 3)
    noisy = smooth + cv * rng.normal(size=data.shape)
    brain = find_brain(Volume(noisy.astype(np.float32), (1.5,) * 3))
    assert brain.noise == pytest.approx(cv, rel=0.15, abs=0.02)


def test_finer_voxels_give_the_same_place():
    brain = find_brain(Volume(refined(ida_tree.head()), (1.5,) * 3))
    coarse = np.array(found(ida_tree.head()).centre) * 6.0
    np.testing.assert_allclose(np.array(brain.centre) * 1.5, coarse, atol=3)


def test_a_scalp_all_around_does_not_matter():
    bare = ida_tree.head()
    parts = zip(offsets(bare.shape), (15, 18, 11.9), strict=True)
    radius = np.sqrt(sum((o / r) ** 2 for o, r in parts))
    scalp = (radius > 0.95) & (radius < 1.02)
    with_scalp = np.where(scalp, np.float32(0.9), bare)
    assert with_scalp.sum() > bare.sum() * 1.1
    np.testing.assert_allclose(
        found(with_scalp).centre, found(bare).centre, atol=0.1
    )
    assert found(with_scalp).mean == pytest.approx(found(bare).mean, rel=0.02)


def test_negative_voxels_around_the_brain_do_not_matter():
    data = ida_tree.head()
    noisy = np.where(data == 0, -0.3, data)
    # the smoothed edge moves a little
    assert found(noisy).mean == pytest.approx(found(data).mean, rel=0.01)
    assert found(noisy).data.min() == np.float32(-0.3)


# --- refused volumes ----------------------------------------------------------


def too_small():
    data = np.zeros(ida_tree.SHAPE)
    data[18:24, 18:24, 10:14] = 1
    return data


def one_block(millilitres):
    side = round(millilitres ** (1 / 3) * 10 / ida_tree.SPACING)
    data = np.zeros(ida_tree.SHAPE)
    data[10 : 10 + side, 10 : 10 + side, 5 : 5 + side] = 1
    return data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (np.full(ida_tree.SHAPE, np.nan), "no finite voxel"),
        (np.full(ida_tree.SHAPE, np.inf), "no finite voxel"),
        (np.full(ida_tree.SHAPE, 3.0), "constant volume: every voxel is 3"),
        (np.zeros(ida_tree.SHAPE), "constant volume: every voxel is 0"),
        (-ida_tree.head() - 1, "no voxel above zero"),
        (too_small(), "no brain found: less than 300 ml above zero"),
        (one_block(400), "no brain found: largest bright part 346 ml"),
        (ida_tree.head()[:, :, 11:], "cut off at the bottom"),
    ],
)
def test_volumes_without_a_brain(data, reason):
    with pytest.raises(VolumeError, match=reason):
        found(data)


@pytest.mark.parametrize(
    ("part", "end"),
    [
        (np.s_[:20], "left"),
        (np.s_[21:], "right"),
        (np.s_[:, :19], "back"),
        (np.s_[:, 22:], "front"),
        (np.s_[:, :, :11], "bottom"),
        (np.s_[:, :, 13:], "top"),
    ],
)
def test_half_a_brain_in_view(part, end):
    data = ida_tree.head()
    data[part] = 0
    with pytest.raises(VolumeError, match=f"part of a brain: cut .* the {end}"):
        found(data)


def test_a_tenth_of_the_brain_missing_is_refused():
    data = ida_tree.head()
    data[:, :, :4] = 0  # 12 of 120 mm: the centre would move by 2 mm
    with pytest.raises(VolumeError, match="cut off at the bottom"):
        found(data)


def test_something_too_flat_for_a_brain():
    # Half the height, as with a wrong third zoom.
    with pytest.raises(VolumeError, match=r"no brain found|part of a brain"):
        find_brain(Volume(ida_tree.head(), (6.0, 6.0, 3.0)))


# --- NaN and Inf --------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e35])
def test_invalid_voxels_around_the_brain_count_as_zero(bad):
    data = ida_tree.head()
    hollow = np.where(data == 0, bad, data)
    np.testing.assert_array_equal(found(hollow).data, found(data).data)
    assert found(hollow).repaired == 0


def test_a_few_inside_the_brain_are_repaired():
    data = ida_tree.head()
    spoilt = data.copy()
    spoilt[20, 20, 12] = np.nan
    spoilt[15, 20, 12] = np.inf
    brain = found(spoilt)
    assert brain.repaired == 2
    assert brain.data[20, 20, 12] == pytest.approx(data[20, 20, 12], abs=0.05)
    assert brain.mean == pytest.approx(found(data).mean, rel=1e-3)


def test_holes_of_fine_voxels_are_found_between_those_of_the_mask():
    fine = refined(ida_tree.head())
    fine[81, 81, 49] = np.nan  # none of every second voxel
    brain = find_brain(Volume(fine, (1.5,) * 3))
    assert brain.repaired == 1
    assert np.isfinite(brain.data).all()


def spoilt(holes):
    """A ramp along x with holes; the brain is all but a border of 5."""
    shape = (30, 30, 30)
    data = np.broadcast_to(np.arange(30.0)[:, None, None], shape).copy()
    bad = np.zeros(shape, bool)
    for hole in holes:
        bad[hole] = True
    inside = np.zeros(shape, bool)
    inside[5:-5, 5:-5, 5:-5] = True
    return np.where(bad, 0, data).astype(np.float32), bad, inside


def test_a_hole_gets_the_mean_of_its_good_neighbours():
    data, bad, inside = spoilt([(10, 10, 10), (10, 10, 11)])
    data[9:12, 9:12, 9:12] += 1
    before = data.copy()
    repaired, count = repair(data, bad, inside)
    assert count == 2
    around = data[9:12, 9:12, 9:12][~bad[9:12, 9:12, 9:12]]
    assert len(around) == 25
    assert repaired[10, 10, 10] == pytest.approx(around.mean())
    np.testing.assert_array_equal(repaired[~bad], before[~bad])
    np.testing.assert_array_equal(data, before)


def test_background_and_holes_outside_the_brain_stay_zero():
    to_the_border = (slice(0, 8), 10, 10)
    air = (2, 2, 2)
    data, bad, inside = spoilt([to_the_border, air])
    repaired, count = repair(data, bad, inside)
    assert count == 0
    assert repaired is data


def test_more_bad_voxels_than_a_share_are_refused():
    rng = np.random.default_rng(0)
    _, _, inside = spoilt([])
    places = np.argwhere(inside)
    few = int(MAX_SHARE * len(places))
    chosen = rng.permutation(len(places))[: few + 1]
    holes = [tuple(places[i]) for i in chosen]
    assert repair(*spoilt(holes[:few]))[1] == few
    with pytest.raises(VolumeError, match=rf"brain: {few + 1} voxels"):
        repair(*spoilt(holes))


def test_a_wide_hole_is_refused():
    cube = (slice(9, 12),) * 3
    data, bad, _ = spoilt([cube])
    inside = np.ones_like(bad)
    with pytest.raises(VolumeError, match="three voxels wide"):
        repair(data, bad, inside)
