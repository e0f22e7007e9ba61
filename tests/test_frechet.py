import numpy as np
import pytest
from scipy.linalg import sqrtm

from pet_dcgan.metrics.distribution import frechet_distance, frechet_ratio


def sample(count, seed, shift=0.0, length=6):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(length, length))
    return random.normal(shift, 1, (count, length)) @ mixing


def test_a_value_by_hand():
    # means 1 and 2, variances 2 and 8: 1 + (sqrt 2 - sqrt 8)^2 = 3
    a, b = np.array([[0.0], [2.0]]), np.array([[0.0], [4.0]])
    assert frechet_distance(a, b) == pytest.approx(3.0)


def test_equals_the_form_with_a_matrix_root():
    a, b = sample(50, 0), sample(40, 1, 0.5)
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    apart = np.sum((a.mean(0) - b.mean(0)) ** 2)
    expected = apart + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)


def test_a_distance_is_symmetric_zero_for_itself_and_turns_along():
    a, b = sample(30, 0), sample(30, 1)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))[0]
    there = frechet_distance(a, b)
    assert there > 0.1
    assert frechet_distance(b, a) == pytest.approx(there)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(there)


def test_fewer_rows_than_features_give_a_number():
    found = frechet_distance(sample(4, 0), sample(3, 1))
    assert np.isfinite(found)
    assert found >= 0


@pytest.mark.parametrize("counts", [(9, 7), (9, 30), (80, 7), (80, 60)])
def test_rows_many_or_few_equal_the_form_with_a_matrix_root(counts):
    a, b = (sample(n, i, length=20) for i, n in enumerate(counts))
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(ca @ cb).real, 0))
    apart = np.sum((a.mean(0) - b.mean(0)) ** 2)
    expected = apart + np.trace(ca + cb) - 2 * roots.sum()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_a_ratio_by_hand():
    # the only halves are {0, 2} and {1, 3}: means 1 and 2, variance 2: 1.
    # Against constant tens: 81 + 2 and 64 + 2, on average 74.5
    real = np.array([[0.0], [1.0], [2.0], [3.0]])
    synthetic = np.full([4, 1], 10.0)
    ratio = frechet_ratio(real, synthetic, seed=0, subjects=list("abab"))
    assert ratio == pytest.approx(1 / 74.5)


def test_one_distribution_has_a_ratio_of_one_and_a_worse_one_less():
    pairs = np.random.default_rng(0).normal(size=(20, 2, 200, 5))
    found = [frechet_ratio(*pair, seed=0) for pair in pairs]
    assert np.mean(found) == pytest.approx(1, abs=0.15)
    real, same = pairs[0]
    ratios = [frechet_ratio(real, same + s, seed=0) for s in (0, 0.1, 0.3, 1)]
    assert np.all(np.diff(ratios) < 0)


def test_halves_that_share_subjects_would_flatter_the_real_ones():
    random = np.random.default_rng(1)
    people = random.normal(size=(10, 4))
    real = np.repeat(people, 20, axis=0) + 0.1 * random.normal(size=(200, 4))
    synthetic = random.normal(size=(200, 4))
    subjects = np.repeat(np.arange(10), 20)
    careless = frechet_ratio(real, synthetic, seed=0)
    assert frechet_ratio(real, synthetic, seed=0, subjects=subjects) > (
        2 * careless
    )


def test_a_seed_gives_the_same_ratio_again():
    pair = sample(30, 0), sample(30, 1)
    assert frechet_ratio(*pair, seed=1) == frechet_ratio(*pair, seed=1)
    assert frechet_ratio(*pair, seed=1) != frechet_ratio(*pair, seed=2)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.ones((1, 2)), np.ones((2, 2)), "at least 2 rows, found 1 and 2"),
        (np.ones((2, 2)), np.ones((2, 3)), "one length"),
        (np.ones((2, 2)), np.full((2, 2), np.inf), "NaN or infinity"),
    ],
)
def test_bad_input_of_the_distance_is_refused(a, b, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(a, b)


@pytest.mark.parametrize(
    ("real", "synthetic", "subjects", "message"),
    [
        (20, 4, None, "at least 10 synthetic rows"),
        (20, 20, ["a"] * 20, "at least 2 different ones, found 20 and 1"),
        (20, 20, ["a", "b"], "each of 20 real rows.*found 2 and 2"),
        (3, 20, None, "at least 4 rows"),
    ],
)
def test_bad_input_of_the_ratio_is_refused(real, synthetic, subjects, message):
    with pytest.raises(ValueError, match=message):
        frechet_ratio(
            sample(real, 0), sample(synthetic, 1), seed=0, subjects=subjects
        )
