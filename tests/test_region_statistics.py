"""Means, SDs and correlations of regions, and the ceiling of real halves."""

import numpy as np
import pytest
from scipy import stats

from pet_dcgan.metrics.ceiling import correlation, half_pairs, reliability
from pet_dcgan.metrics.region_statistics import set_agreement, set_statistics

PATTERN = np.random.default_rng(5).normal(size=[6, 6])


def cohort(subjects, each=6, seed=0, pattern=PATTERN):
    """Uptake `[n, 6]` of correlated regions and the subject of each row."""
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.normal(size=[subjects, 6]), each, axis=0)
    noise = rng.normal(size=own.shape)
    values = 1 + 0.1 * (own + 0.5 * noise) @ pattern.T
    return values, np.repeat(np.arange(subjects), each)


def test_moments_equal_those_of_numpy():
    values, subjects = cohort(5, each=4)
    found = set_statistics(values, subjects)
    np.testing.assert_allclose(found.mean.value, values.mean(axis=0))
    np.testing.assert_allclose(found.sd.value, values.std(axis=0, ddof=1))
    np.testing.assert_allclose(
        found.correlations.value, np.corrcoef(values, rowvar=False)
    )
    assert found.mean.low is None
    assert found.correlations.high is None


def test_intervals_from_eight_subjects_on():
    assert set_statistics(*cohort(7)).sd.low is None
    found = set_statistics(*cohort(8))
    for each in found[:2]:
        assert (each.low < each.value).all()
        assert (each.value < each.high).all()
    off = ~np.eye(6, dtype=bool)
    matrix = found.correlations
    assert (matrix.low < matrix.high)[off].all()


def test_the_interval_of_a_mean_is_that_of_student():
    values, subjects = cohort(9, each=1)
    found = set_statistics(values, subjects).mean
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose(found.low, expected.low)
    np.testing.assert_allclose(found.high, expected.high)


def test_the_interval_of_an_sd_by_hand():
    values, subjects = cohort(8, each=1)
    logs = [
        np.log(np.delete(values, i, 0).std(axis=0, ddof=1)) for i in range(8)
    ]
    pseudo = 8 * np.log(values.std(axis=0, ddof=1)) - 7 * np.array(logs)
    error = stats.sem(pseudo)
    found = set_statistics(values, subjects).sd
    # 2.3646: Student's t of seven degrees of freedom
    np.testing.assert_allclose(
        np.log(found.high), pseudo.mean(axis=0) + 2.364624 * error, rtol=1e-5
    )


def test_a_region_that_does_not_vary():
    values, subjects = cohort(9)
    values[:, 2] = 0.1
    found = set_statistics(values, subjects)
    assert found.sd.value[2] == 0
    assert np.isnan(found.correlations.value[2]).all()
    assert np.isnan(found.correlations.low[2]).all()
    alike = set_agreement(values, cohort(9)[0], subjects=subjects)
    assert alike.correlation is None
    assert alike.interval.low is None
    assert alike.sd_factor is None
    assert alike.ceiling is None


def test_a_perfect_generator_reaches_the_ceiling():
    found = []
    for seed in range(12):
        real, subjects = cohort(12, seed=seed)
        synthetic, _ = cohort(2000, each=1, seed=100 + seed)
        found.append(set_agreement(real, synthetic, subjects=subjects))
    for name, best, tolerance in (
        ("correlation", "ceiling", 0.04),
        ("difference", "least_difference", 0.03),
        ("sd_factor", "least_sd_factor", 0.05),
    ):
        mean, ceiling = (
            np.mean([getattr(each, key) for each in found])
            for key in (name, best)
        )
        assert mean == pytest.approx(ceiling, abs=tolerance), name


def test_another_pattern_and_another_spread_are_seen():
    real, subjects = cohort(16)
    other = np.random.default_rng(6).normal(size=[6, 6])
    wrong, _ = cohort(500, each=1, seed=1, pattern=other)
    found = set_agreement(real, wrong, subjects=subjects)
    assert found.interval.high < found.ceiling
    assert found.difference > 2 * found.least_difference
    narrow, _ = cohort(500, each=1, seed=1)
    narrow = 1 + (narrow - 1) / 3
    found = set_agreement(real, narrow, subjects=subjects)
    assert found.sd_factor == pytest.approx(3, rel=0.2)
    assert found.least_sd_factor < 1.5


def test_correlation_by_hand_and_by_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=[2, 9])
    expected = stats.pearsonr(a, b).statistic
    assert correlation(a, b) == pytest.approx(expected)
    holes = np.append(a, np.nan), np.append(b, 7)
    assert correlation(*holes) == pytest.approx(expected)
    assert np.isnan(correlation(a[:2], b[:2]))
    assert np.isnan(correlation(a, np.ones(9)))


def test_reliability_by_hand():
    assert reliability([0.5, 0.5]) == pytest.approx(2 / 3)
    assert reliability([0.5], 4) == pytest.approx(0.8)
    assert reliability([1.0, np.nan]) == 1
    assert reliability([-0.5, 0.1]) == 0
    assert reliability([]) is None
    assert reliability([np.nan]) is None


def test_halves_share_no_subject_and_leave_none_out():
    subjects = np.array(list("aabbccdd")), np.arange(5)
    for first, second in half_pairs(subjects, count=5):
        for rows, others, owners in zip(first, second, subjects, strict=True):
            assert not set(owners[rows]) & set(owners[others])
            assert len(rows) + len(others) == len(owners)
    assert not list(half_pairs([np.arange(3), np.arange(9)]))
    assert len(list(half_pairs([np.arange(4)], count=3))) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: set_statistics(np.ones([1, 3]), [0]), "two or more images"),
        (lambda: set_statistics(np.ones([3, 3]), [0]), "subject for each"),
        (lambda: set_statistics(np.full([2, 3], np.nan), [0, 1]), "NaN"),
        (
            lambda: set_agreement(
                np.ones([2, 3]), np.ones([2, 4]), subjects=[0, 1]
            ),
            "3 and 4",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
