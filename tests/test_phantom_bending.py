import numpy as np
import pytest

from tfds_adni.phantom import bending
from tfds_adni.phantom.bending import bend, lattice_axes

AXES = [np.arange(0, 60, 3.0)] * 3


def upright(*, up=2, length=1.0, share=1.0):
    """The way to a hull that lies in one direction everywhere."""
    lattice = [len(a) for a in lattice_axes(AXES)]
    ways = np.zeros((4, *lattice), np.float32)
    ways[up], ways[3] = length, share
    return ways


def ramp(axis):
    """A head whose values are its voxels' places along an axis, in mm."""
    return np.stack(np.meshgrid(*AXES, indexing="ij"))[axis].astype(np.float32)


def bent(head, number=0, **options):
    return bend(head, AXES, upright(**options), np.random.default_rng(number))


def shift(axis, **options):
    """How far a head's middle is moved along an axis, in mm."""
    inner = (slice(5, -5),) * 3
    return (bent(ramp(axis), **options) - ramp(axis))[inner]


@pytest.fixture
def only_along(monkeypatch):
    monkeypatch.setattr(bending, "_SHAPE", (0, 60))


def test_no_bends_leave_a_head_as_it_is(monkeypatch, only_along):
    monkeypatch.setattr(bending, "_ALONG", (0, 22))
    head = np.random.default_rng(0).random((20, 20, 20), np.float32)
    np.testing.assert_allclose(bent(head), head, atol=1e-6)


@pytest.mark.parametrize("length", [1.0, 0.6])
def test_narrow_bends_move_nothing_towards_the_hull(only_along, length):
    assert np.abs(shift(2, up=2, length=length)).max() < 1e-4
    assert shift(0, up=2, length=length).std() > 1


@pytest.mark.parametrize("length", [1.0, 0.6])
def test_the_way_to_the_hull_may_be_along_any_axis(only_along, length):
    assert np.abs(shift(0, up=0, length=length)).max() < 1e-4
    assert shift(2, up=0, length=length).std() > 1


def test_far_from_a_hull_bends_go_every_way(only_along):
    assert shift(2, up=2, length=0.0).std() > 1


def test_a_short_way_to_the_hull_counts_less(only_along):
    """A quarter long is half sure: three quarters are left."""
    free = shift(2, length=0.0)
    half = shift(2, length=0.5 * bending._SURE)
    near = np.abs(free) > 0.5
    assert np.median(half[near] / free[near]) == pytest.approx(0.75, abs=0.02)


def test_narrow_bends_fade_with_their_share(only_along):
    whole, third = shift(0), shift(0, share=1 / 3)
    np.testing.assert_allclose(third, whole / 3, atol=1e-4)


def test_bends_are_as_large_as_they_say(monkeypatch):
    monkeypatch.setattr(bending, "_ALONG", (0, 22))
    monkeypatch.setattr(bending, "_SHAPE", (1.8, 20))
    moves = [shift(0, number=n).ravel() for n in range(20)]
    assert np.concatenate(moves).std() == pytest.approx(1.8, rel=0.15)


def test_a_seed_is_a_head():
    np.testing.assert_array_equal(bent(ramp(0)), bent(ramp(0)))
    assert np.abs(bent(ramp(0)) - bent(ramp(0), number=1)).max() > 1


def test_what_leaves_the_box_goes_on_at_its_border(only_along):
    assert bent(np.ones((20, 20, 20), np.float32)).min() == 1


def test_values_between_the_lattice_are_linear():
    # 8 mm lies a third of the way from 6 to 12
    weights = bending._linear_basis(np.array([8.0]), np.array([0.0, 6, 12]))
    np.testing.assert_allclose(weights, [[0, 2 / 3, 1 / 3]], rtol=1e-6)


def test_the_lattice_holds_the_box():
    for own, lattice in zip(AXES, lattice_axes(AXES), strict=True):
        assert lattice[0] == own[0]
        assert lattice[-1] >= own[-1]
