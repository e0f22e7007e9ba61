import numpy as np
import pytest

from pet_dcgan.metrics.distribution import precision_recall_density_coverage


def column(*values):
    return np.array(values, float)[:, None]


def sample(count, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, (count, 3))


def test_values_by_hand():
    # k 1: real balls reach 1, 1, 1 and 8; synthetic ones 1 each
    real, synthetic = column(0, 1, 2, 10), column(0.5, 1.5, 20, 21)
    found = precision_recall_density_coverage(real, synthetic, k=1)
    assert found.precision == 2 / 4  # 0.5 and 1.5
    assert found.density == (2 + 2) / 4  # each in two balls
    assert found.coverage == 3 / 4  # all but the ball of 10
    assert found.recall == 3 / 4  # 0, 1 and 2


def test_what_lies_on_the_edge_is_inside():
    real, synthetic = column(0, 1), column(2, 4)
    found = precision_recall_density_coverage(real, synthetic, k=1)
    # real balls reach 1, to 2; synthetic ones reach 2, to 0
    assert found == (1 / 2, 2 / 2, 1 / 2, 1 / 2)


def test_exchanging_the_kinds_exchanges_precision_and_recall():
    a, b = sample(50, 0), sample(50, 1, 0.5)
    there = precision_recall_density_coverage(a, b)
    back = precision_recall_density_coverage(b, a)
    assert (there.precision, there.recall) == (back.recall, back.precision)


def test_one_distribution_is_matched():
    # Naeem et al.: coverage 1 - 2^-k and density 1
    found = precision_recall_density_coverage(sample(900, 0), sample(900, 1))
    assert found.coverage == pytest.approx(1 - 2**-5, abs=0.02)
    assert found.density == pytest.approx(1, abs=0.08)
    assert found.precision > 0.85
    assert found.recall > 0.85


def test_copies_of_all_are_in_every_ball():
    real = sample(30, 0)
    found = precision_recall_density_coverage(real, real)
    assert found[:2] == (1, 1)
    assert found.coverage == 1


def test_one_image_repeated_is_precise_and_covers_little():
    real = sample(100, 0)
    one = np.repeat(real[:1], 100, axis=0)
    found = precision_recall_density_coverage(real, one)
    assert found.precision == 1
    assert found.recall == pytest.approx(0.01)
    assert found.coverage < 0.2


@pytest.mark.parametrize(
    ("real", "synthetic", "k", "message"),
    [
        (sample(10, 0), sample(9, 0), 5, "found 9 and 10: take equal counts"),
        (sample(5, 0), sample(5, 1), 5, "found k 5 and 5 rows"),
        (sample(5, 0), sample(5, 1), 0, "found k 0"),
        (sample(9, 0), np.full((9, 3), np.nan), 5, "NaN or infinity"),
        (sample(9, 0), np.ones((9, 2)), 5, "one length"),
    ],
)
def test_bad_input_is_refused(real, synthetic, k, message):
    with pytest.raises(ValueError, match=message):
        precision_recall_density_coverage(real, synthetic, k=k)
