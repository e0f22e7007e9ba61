import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from pet_dcgan.metrics import confidence
from pet_dcgan.metrics.confidence import (
    MIN_SUBJECTS,
    Interval,
    auc_interval,
    halves_interval,
    mean_interval,
    percentile_interval,
    share_interval,
    student_interval,
)


@pytest.fixture
def rows():
    """Values of ten subjects, four each, that vary between subjects."""
    rng = np.random.default_rng(0)
    subjects = np.repeat([f"s{i}" for i in range(10)], 4)
    return np.repeat(rng.normal(size=10), 4) + rng.normal(size=40), subjects


def width(interval):
    return interval.high - interval.low


def test_mean_by_hand(monkeypatch):
    # one subject of eight has 8, the others 0: the mean of a resample is how
    # often that one was drawn, binomial(8, 1/8): none in 34 %, once in 39 %,
    # twice or more in 26 %, so the quartiles are 0 and 2. At this level they
    # are the ends: t of 7 degrees, times sqrt(8 / 7), is 0.67449.
    monkeypatch.setattr(confidence, "LEVEL", 0.44981)
    values = np.array([8.0, 0, 0, 0, 0, 0, 0, 0])
    assert mean_interval(values, np.arange(8)) == Interval(0.0, 2.0)


@pytest.mark.parametrize(
    ("count", "low"),
    # of ten subjects normal.cdf(-sqrt(10 / 9) t(9)), t 2.262157
    [(100_000, 0.025), (10, 0.00855)],
)
def test_percentiles_are_those_of_95_percent(count, low):
    ranks = np.linspace(0, 1, 10_001)
    found = percentile_interval(ranks, count)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(1 - low, abs=1e-4)


def test_normal_means_give_the_interval_of_student():
    # Hesterberg's correction: 3.0 +- t(19) * sd / sqrt(20)
    values = np.random.default_rng(1).normal(size=20)
    values = 3 + (values - values.mean()) / values.std(ddof=1)
    found = mean_interval(values, np.arange(20))
    reach = 2.093 / np.sqrt(20)
    assert found.low == pytest.approx(3 - reach, abs=0.06)
    assert found.high == pytest.approx(3 + reach, abs=0.06)


def test_subjects_are_resampled_and_not_values(rows):
    values, subjects = rows
    by_value = mean_interval(values, np.arange(40))
    assert width(mean_interval(values, subjects)) > 1.3 * width(by_value)


def test_the_ends_depend_on_the_seed_but_not_on_the_order(rows):
    values, subjects = rows
    found = mean_interval(values, subjects, seed=3)
    assert found == mean_interval(values, subjects, seed=3)
    assert found != mean_interval(values, subjects, seed=4)
    order = np.random.default_rng(2).permutation(40)
    again = mean_interval(3 * values[order] + 1, subjects[order], seed=3)
    assert again.low == pytest.approx(3 * found.low + 1)
    assert again.high == pytest.approx(3 * found.high + 1)


def test_values_of_pairs_vary_with_both_subjects():
    # a value is the sum of what its two subjects have: each of them counts
    subjects = np.arange(12)
    own = np.random.default_rng(5).normal(size=12)
    first, second = np.array(list(itertools.combinations(subjects, 2))).T
    values = own[first] + own[second]
    both = mean_interval(values, first, partners=second)
    alone = mean_interval(2 * own, subjects)
    assert width(both) == pytest.approx(width(alone), rel=0.15)
    assert both.low < values.mean() < both.high


@pytest.mark.parametrize("count", [20, 21])
def test_halves_of_a_mean_give_the_interval_of_student(count, monkeypatch):
    monkeypatch.setattr(confidence, "_HALVES", 4000)
    values = np.random.default_rng(6).normal(size=count)
    found = halves_interval(
        lambda rows: values[rows].mean(), subjects=[np.arange(count)]
    )
    reach = 2.09 * values.std(ddof=1) / np.sqrt(count)
    assert (found.low + found.high) / 2 == pytest.approx(values.mean())
    assert width(found) / 2 == pytest.approx(reach, rel=0.06)


def test_halves_hold_whole_subjects_once_and_sets_are_halved_separately():
    seen = []
    halves_interval(
        lambda *rows: seen.append(rows) or 0.0,
        subjects=(np.arange(24) % 8, np.arange(9)),
    )
    lengths = [tuple(map(len, rows)) for rows in seen]
    assert lengths == [(12, 4)] * 50 + [(24, 9)]
    for first, _ in seen[:-1]:
        assert len(np.unique(first)) == 12
        assert len(np.unique(first % 8)) == 4


@pytest.mark.parametrize("count", [1, MIN_SUBJECTS - 1, MIN_SUBJECTS])
def test_too_few_subjects_have_a_reason_and_no_interval(count):
    subjects = np.repeat(np.arange(count), 3)
    for found in (
        mean_interval(np.ones(3 * count), subjects),
        halves_interval(lambda *rows: 1.0, subjects=(np.arange(99), subjects)),
    ):
        if count >= MIN_SUBJECTS:
            assert found == Interval(1.0, 1.0)
            continue
        assert (found.low, found.high) == (None, None)
        assert found.reason.startswith("an interval needs 8 or more subjects")
        assert found.reason.endswith(f" {count}")


@pytest.mark.parametrize(
    ("values", "subjects", "options", "message"),
    [
        (np.ones(9), np.arange(8), {}, r"found \(9,\), \(8,\)"),
        (np.ones((9, 2)), np.arange(9), {}, "one subject for each"),
        (np.full(9, np.nan), np.arange(9), {}, "found 9 of 9 that are not"),
        (np.ones(0), np.arange(0), {}, "one or more finite values"),
        (np.ones(9), np.arange(9), {"partners": [1]}, "one subject for each"),
    ],
)
def test_bad_values_are_refused(values, subjects, options, message):
    with pytest.raises(ValueError, match=message):
        mean_interval(values, subjects, **options)


def test_auc_by_hand():
    # at 0.5 with 12 and 12: 0.25 (1 + 11 / 3 + 11 / 3) / 144 is the variance,
    # 0.120281 its root, and 0.5 + 1.959964 * 0.120281 is 0.735747
    assert auc_interval(0.735747, 12, 12).low == pytest.approx(0.5, abs=1e-6)
    assert auc_interval(0.264253, 12, 12).high == pytest.approx(0.5, abs=1e-6)
    # at 0.5 with 4 and 9: 0.25 (1 + 5.5 / 3 + 5.5 / 3) / 36, its root 0.180021
    assert auc_interval(0.852834, 4, 9).low == pytest.approx(0.5, abs=1e-6)
    # 1.644854 standard errors at 90 %
    found = auc_interval(0.697845, 12, 12, level=0.9)
    assert found.low == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("auc", [0.0, 0.3, 0.5, 0.9, 0.975, 1 - 1e-12, 1.0])
@pytest.mark.parametrize("counts", [(1, 7), (12, 12), (5, 2000)])
def test_every_auc_has_an_interval_around_it(auc, counts):
    found = auc_interval(auc, *counts)
    assert 0 <= found.low <= auc <= found.high <= 1
    assert width(found) > 0.01
    other = auc_interval(1 - auc, *counts)
    assert 1 - other.high == pytest.approx(found.low)
    assert width(auc_interval(auc, *counts, level=0.5)) < width(found)


@pytest.mark.parametrize(
    ("right", "count"), [(0, 1), (0, 10), (3, 17), (10, 10)]
)
def test_share_is_wilson_s(right, count):
    found = share_interval(right / count, count)
    expected = binomtest(right, count).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    found = share_interval(right / count, count, level=0.9)
    expected = binomtest(right, count).proportion_ci(0.9, method="wilson")
    assert (found.low, found.high) == pytest.approx(tuple(expected))


@pytest.mark.parametrize(
    ("interval", "arguments"),
    [
        *((auc_interval, a) for a in ((1.01, 9, 9), (np.nan, 9, 9))),
        *((auc_interval, a) for a in ((0.5, 0, 9), (0.5, 9, 0))),
        *((share_interval, a) for a in ((-0.01, 9), (np.nan, 9), (0.5, 0))),
    ],
)
def test_bad_areas_and_shares_are_refused(interval, arguments):
    with pytest.raises(ValueError, match="found"):
        interval(*arguments)


def test_areas_of_too_few_subjects_have_no_interval():
    found = auc_interval(0.9, 3, 4)
    assert (found.low, found.high) == (None, None)
    assert found.reason.endswith("there are 7")
    assert auc_interval(0.9, 4, 4).reason is None


def test_a_statistic_that_is_not_finite_for_a_half_has_no_interval():
    # finite for all rows
    found = halves_interval(
        lambda rows: 1.0 if len(rows) == 9 else np.nan, subjects=[np.arange(9)]
    )
    assert found.low is found.high is None
    assert "infinite for some half" in found.reason
    with pytest.raises(ValueError, match="finite for all rows, found nan"):
        halves_interval(lambda rows: np.nan, subjects=[np.arange(9)])


def test_student_interval_by_hand():
    # the 97.5 % quantile of Student's t with 7 degrees of freedom
    found = student_interval(1.0, 0.5, 8)
    assert found.low == pytest.approx(1 - 0.5 * 2.3646, abs=1e-4)
    assert found.high == pytest.approx(1 + 0.5 * 2.3646, abs=1e-4)
    found = student_interval(1.0, 0.5, 7)
    assert found.low is found.high is None
    assert "there are 7" in found.reason
