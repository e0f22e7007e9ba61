import numpy as np
import pytest

from tfds_adni.volumes.brain import MAX_SHARE, repair
from tfds_adni.volumes.errors import VolumeError


def spoilt(holes, shape=(30, 30, 30)):
    """A ramp along x with holes; the brain is all but a border of 5."""
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
    repaired, count = repair(data, bad, inside)
    assert count == 2
    around = data[9:12, 9:12, 9:12][~bad[9:12, 9:12, 9:12]]
    assert len(around) == 25
    assert repaired[10, 10, 10] == pytest.approx(around.mean())


def test_what_is_good_stays_and_the_input_is_not_touched():
    data, bad, inside = spoilt([(12, 9, 8)])
    before = data.copy()
    repaired, _ = repair(data, bad, inside)
    np.testing.assert_array_equal(repaired[~bad], before[~bad])
    np.testing.assert_array_equal(data, before)


def test_background_and_what_is_outside_the_brain_stay_zero():
    outside = (slice(0, 8), 10, 10)  # reaches the border
    air = (2, 2, 2)
    data, bad, inside = spoilt([outside, air])
    repaired, count = repair(data, bad, inside)
    assert count == 0
    assert repaired is data


def test_many_are_refused():
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
    data, bad, _ = spoilt([cube], shape=(30, 30, 30))
    inside = np.ones_like(bad)
    with pytest.raises(VolumeError, match="three voxels wide"):
        repair(data, bad, inside)
