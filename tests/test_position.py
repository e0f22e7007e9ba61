"""Whether images lie where they were asked to."""

import numpy as np
import pytest

from pet_dcgan.metrics.position import fit_position_reader, position_error

SIDE = 32


def slices(subjects=8, noise=0.02, seed=0):
    """Discs that move down by a pixel a 3 mm, of several brightnesses."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    images, owners, places = [], [], []
    for number in range(subjects):
        bright = rng.uniform(0.5, 2)
        for position in np.arange(0.0, 30.0, 3.0):
            middle = 10 + position / 3
            apart = np.hypot(rows - middle, columns - 16)
            image = np.clip(8 - apart, 0, 1)
            image += noise * rng.normal(size=image.shape)
            images.append(bright * image)
            owners.append(f"s{number}")
            places.append(position)
    return np.array(images), np.array(places), np.array(owners)


def test_position_is_read_from_the_image_alone():
    reader = fit_position_reader(*slices())
    images, places, owners = slices(seed=1)
    found = position_error(reader.read(images), places, owners)
    assert found.error < 1
    assert found.slope == pytest.approx(1, abs=0.05)
    assert found.interval.low <= found.error <= found.interval.high
    # subjects left out tell what new ones will be like
    assert reader.error == pytest.approx(found.error, abs=0.3)


def test_brightness_does_not_tell_a_position():
    reader = fit_position_reader(*slices())
    images, *_ = slices(seed=1)
    moved = 3 * images + 0.5
    np.testing.assert_allclose(reader.read(images), reader.read(moved))


def test_what_ignores_the_position_is_as_far_off_as_by_chance():
    reader = fit_position_reader(*slices())
    images, places, owners = slices(seed=1)
    asked = np.random.default_rng(0).permutation(places)
    found = position_error(reader.read(images), asked, owners)
    assert found.error == pytest.approx(found.unrelated, rel=0.2)
    assert abs(found.slope) < 0.3


def test_the_error_by_hand():
    found = position_error([1.0, 4.0], [0.0, 2.0], ["a", "b"])
    assert found.error == 1.5
    # 1 over 0, 1 over 2, 4 over 0 and 4 over 2
    assert found.unrelated == (1 + 1 + 4 + 2) / 4
    assert found.slope == pytest.approx(1.5)
    assert found.interval.low is None
    assert np.isnan(position_error([1.0, 4.0], [2.0, 2.0], ["a", "b"]).slope)


def test_noise_makes_the_penalty_large():
    clean = fit_position_reader(*slices(noise=0.001))
    noisy = fit_position_reader(*slices(noise=0.5))
    assert noisy.penalty > clean.penalty


def test_the_same_seed_gives_the_same_reader():
    one, other = (fit_position_reader(*slices(), seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.weights, other.weights)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": np.ones([80, 30, 32])}, "multiples of 16"),
        ({"images": np.full([80, 32, 32], np.nan)}, "finite"),
        ({"positions_mm": np.zeros(80)}, "more slices of a scan"),
        ({"positions_mm": np.zeros(79)}, "a position for each of 80"),
        ({"subjects": np.repeat(["a", "b"], 40)}, "at least 4 different"),
    ],
)
def test_bad_input(change, words):
    images, places, owners = slices()
    values = {"images": images, "positions_mm": places, "subjects": owners}
    with pytest.raises(ValueError, match=words):
        fit_position_reader(**values | change)


def test_bad_positions():
    with pytest.raises(ValueError, match="as many positions read"):
        position_error([1.0], [1.0, 2.0], ["a", "b"])
