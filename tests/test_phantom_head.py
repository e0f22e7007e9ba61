"""What lies around the phantom's brain; all places in mm, MNI."""

import dataclasses

import numpy as np
import pytest

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.head import KINDS, draw_head, own_head
from tfds_adni.phantom.imaging import Grid
from tfds_adni.phantom.maps import box_axes
from tfds_adni.phantom.parameters import read_rows
from tfds_adni.phantom.render import render
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.volume import Volume

AXES = box_axes(2.0)


@pytest.fixture(scope="module")
def brain():
    """An ellipsoid 136 mm wide and 172 mm long whose top is at 72 mm."""
    x, y, z = np.meshgrid(*AXES, indexing="ij", sparse=True)
    parts = (x / 68) ** 2, ((y + 18) / 86) ** 2, ((z - 10) / 62) ** 2
    return sum(parts) < 1


@pytest.fixture(scope="module")
def drawn(brain):
    return draw_head(brain, AXES)


def at(volume, *place):
    """The value of the voxel nearest to a place."""
    pairs = zip(AXES, place, strict=True)
    return volume[tuple(int(np.argmin(np.abs(a - p))) for a, p in pairs)]


def test_skull_is_darker_than_scalp_and_nothing_is_beyond(drawn):
    uptake, kind = drawn
    # beside the brain's edge at 68 mm: skull to 78, scalp to 83 mm
    assert at(uptake, 74, -18, 10) < 0.07
    assert at(uptake, 80, -18, 10) > 0.15
    assert at(uptake, 92, -18, 10) < 0.01
    names = list(KINDS)
    assert names[at(kind, 74, -18, 10)] == "bone"
    assert names[at(kind, 80, -18, 10)] == "scalp"


def test_a_globe_is_darker_than_the_muscles_that_move_it(drawn):
    uptake, kind = drawn
    for side in (-1, 1):
        globe = at(uptake, 32 * side, 62, -38)
        muscle = at(uptake, 18 * side, 44, -36)
        assert globe < 0.1
        assert muscle > 0.5
        assert list(KINDS)[at(kind, 18 * side, 44, -36)] == "eye"


def test_the_bottom_slice_is_a_neck_with_an_airway(drawn):
    bottom = drawn[0][:, :, 0]
    square_cm = np.count_nonzero(bottom > 0.03) * 0.04
    assert 80 < square_cm < 220  # a neck with a jaw
    muscle = at(drawn[0], 36, 10, -80)
    assert at(drawn[0], 0, 8, -80) < 0.5 * muscle
    assert 0.08 < muscle < 0.35
    assert at(drawn[0], 0, -38, -80) > 1.5 * muscle  # the cord
    ends = bottom[[0, -1]].max(), bottom[:, [0, -1]].max()
    assert max(ends) < 0.01


def test_it_is_dimmer_than_grey_matter_and_none_in_the_brain(brain, drawn):
    uptake, kind = drawn
    assert not uptake[brain].any()
    assert not kind[brain].any()
    assert uptake.min() >= 0
    assert uptake.max() < 0.9
    outside = uptake[(kind > 0) & ~brain]
    assert 0.05 < np.median(outside) < 0.35
    assert kind.max() < len(KINDS)


def test_both_sides_are_alike(drawn):
    for volume in drawn:
        inner = volume[1:]  # x from -94 to 94
        np.testing.assert_allclose(inner, inner[::-1], atol=1e-6)


def test_one_person_has_a_factor_for_the_scalp_and_uneven_muscles(drawn):
    uptake, kind = drawn
    own = own_head(uptake, kind, AXES, np.random.default_rng(1))
    again = own_head(uptake, kind, AXES, np.random.default_rng(1))
    other = own_head(uptake, kind, AXES, np.random.default_rng(2))
    np.testing.assert_array_equal(own, again)
    assert own.dtype == np.float32
    names = list(KINDS)
    top = AXES[2] > 0
    scalp = (kind == names.index("scalp")) & (uptake > 0.1) & top
    factors = own[scalp] / uptake[scalp]
    np.testing.assert_allclose(factors, factors[0], rtol=1e-5)
    assert not np.isclose(factors[0], (other[scalp] / uptake[scalp])[0])
    muscle = (kind == names.index("muscle")) & (uptake > 0.05)
    assert 0.1 < np.log(own[muscle] / uptake[muscle]).std() < 0.35


def test_people_differ_as_much_as_is_said(drawn):
    uptake, kind = (np.ascontiguousarray(v[:, :, ::8]) for v in drawn)
    axes = [*AXES[:2], AXES[2][::8]]
    scalp = (kind == list(KINDS).index("scalp")) & (uptake > 0.1)
    scalp &= axes[2] > 0
    logs = [
        np.log(
            own_head(uptake, kind, axes, np.random.default_rng(n))[scalp][0]
            / uptake[scalp][0]
        )
        for n in range(60)
    ]
    # sqrt(.2^2 + .1^2) = .22, within three standard errors
    assert abs(np.std(logs) - 0.22) < 0.065
    assert abs(np.mean(logs)) < 0.1


def test_the_table_is_sound():
    rows = read_rows("head.csv")
    for row in rows:
        name, kind, *numbers = row.values()
        values = [float(n) for n in numbers]
        assert name
        assert kind in KINDS
        assert min(values[3:6]) > 0
        assert 0 <= values[6] < 1
        assert values[0] >= 0  # the other side is a mirror image


def test_brains_are_found_as_without_it():
    anatomy = build_anatomy(3.0)
    bare = dataclasses.replace(anatomy, outside=0 * anatomy.outside)
    grid = Grid((80, 80, 48), 3.0)
    for number, stage in enumerate(("NC", "MCI", "AD")):
        subject = make_subject(stage, number)
        with_it, without = (
            find_brain(Volume(render(subject, a, grid=grid), (3.0,) * 3))
            for a in (anatomy, bare)
        )
        larger = np.sum(with_it.mask) / np.sum(without.mask)
        assert 1 <= larger < 1.12
        moved = np.subtract(with_it.centre, without.centre) * 3
        assert np.linalg.norm(moved) < 1.5
        assert abs(with_it.mean / without.mean - 1) < 0.05
