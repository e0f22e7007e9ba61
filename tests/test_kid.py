import numpy as np
import pytest

from pet_dcgan.metrics.distribution import kid


def sample(count, seed, shift=0.0, length=8):
    return np.random.default_rng(seed).normal(shift, 1, (count, length))


def plainly(real, synthetic):
    def kernel(a, b):
        return (a @ b / len(a) + 1) ** 3

    def among(rows):
        pairs = [
            kernel(a, b)
            for i, a in enumerate(rows)
            for j, b in enumerate(rows)
            if i != j
        ]
        return np.mean(pairs)

    between = np.mean([kernel(a, b) for a in real for b in synthetic])
    return among(real) + among(synthetic) - 2 * between


def test_a_value_by_hand():
    real = np.array([[0.0], [1.0], [0.0], [1.0]])
    synthetic = np.ones([4, 1])
    # (xy + 1)^3 is 1, or 8 for two ones. Of 12 real pairs two are ones:
    # 26/12; synthetic pairs 8; between them half and half: 4.5
    assert kid(real, synthetic).value == pytest.approx(26 / 12 + 8 - 2 * 4.5)


def test_equals_the_plain_double_loop():
    real, synthetic = sample(7, 0), sample(5, 1, 0.5)
    expected = plainly(real, synthetic)
    assert kid(real, synthetic).value == pytest.approx(expected, rel=1e-12)


def test_unbiased_for_one_distribution():
    values = [
        kid(sample(20, 2 * s), sample(20, 2 * s + 1)).value for s in range(200)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(200)


def test_grows_with_the_distance():
    real = sample(100, 0)
    values = [kid(real, sample(100, 1, s)).value for s in (0, 0.2, 0.5, 1, 2)]
    assert np.all(np.diff(values) > 0)


def test_the_standard_error_is_the_spread_over_samples():
    found = [
        kid(sample(60, 2 * s), sample(60, 2 * s + 1, 0.4)) for s in range(99)
    ]
    spread = np.std([f.value for f in found])
    error = np.mean([f.standard_error for f in found])
    assert error == pytest.approx(spread, rel=0.25)


def test_a_smaller_subset_tells_the_same_error():
    real, synthetic = sample(200, 0), sample(200, 1, 1.0)
    half = kid(real, synthetic, subsets=400).standard_error
    fewer = kid(real, synthetic, subsets=400, subset_size=60).standard_error
    assert fewer == pytest.approx(half, rel=0.25)


def test_slices_of_a_subject_do_not_make_it_surer():
    people = sample(12, 0)
    slices = np.repeat(people, 10, axis=0) + 0.01 * sample(120, 1)
    subjects = np.repeat(np.arange(12), 10)
    synthetic = sample(400, 2, 0.5)
    by_slice = kid(slices, synthetic)
    by_subject = kid(slices, synthetic, subjects=subjects)
    assert by_subject.value == by_slice.value
    assert by_subject.standard_error > 2 * by_slice.standard_error


def test_a_seed_gives_the_same_error_again():
    pair = sample(20, 0), sample(20, 1)
    assert kid(*pair, seed=3) == kid(*pair, seed=3)
    assert kid(*pair, seed=3) != kid(*pair, seed=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"synthetic": sample(3, 1)}, "at least 4 rows, found 10 and 3"),
        ({"synthetic": sample(10, 1, length=7)}, "one length"),
        ({"synthetic": np.full((10, 8), np.nan)}, "NaN or infinity"),
        ({"subsets": 1}, "found 1 of 5"),
        ({"subset_size": 10}, "fewer than 10 rows, found 50 of 10"),
        ({"subset_size": 1}, "found 50 of 1"),
        ({"subjects": np.arange(9)}, "each of 10 real rows"),
        ({"subjects": np.arange(10) % 3}, "at least 4 different.*10 and 3"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {"real": sample(10, 0), "synthetic": sample(10, 1)} | change
    with pytest.raises(ValueError, match=message):
        kid(arguments.pop("real"), arguments.pop("synthetic"), **arguments)
