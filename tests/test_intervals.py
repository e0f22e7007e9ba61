import itertools

import numpy as np
import pytest

from pet_dcgan.metrics.confidence import (
    MIN_SUBJECTS,
    Interval,
    bootstrap_interval,
    halves_interval,
    mean_interval,
)

# what a level has to be so that, with eight subjects, the percentiles read
# are the 25th and 75th: t of 7 degrees, times sqrt(8 / 7), is 0.67449
QUARTILES = 0.44981


@pytest.fixture
def rows():
    """Values of ten subjects, four each, that vary between subjects."""
    rng = np.random.default_rng(0)
    subjects = np.repeat([f"s{i}" for i in range(10)], 4)
    return np.repeat(rng.normal(size=10), 4) + rng.normal(size=40), subjects


def mean_of(values):
    return lambda rows: values[rows].mean()


def width(interval):
    return interval.high - interval.low


def test_hand_computed():
    # one subject of eight has 8, the others 0: the mean of a resample is how
    # often that one was drawn, binomial(8, 1/8): none in 34 %, once in 39 %,
    # twice or more in 26 %, so the quartiles are 0 and 2
    values = np.array([8.0, 0, 0, 0, 0, 0, 0, 0])
    found = mean_interval(
        values, np.arange(8), level=QUARTILES, resamples=20_000
    )
    assert found == Interval(0.0, 2.0, QUARTILES, 8, 20_000)


def test_normal_means_give_the_interval_of_student():
    # Hesterberg's correction: 3.0 +- t(19) * sd / sqrt(20)
    rng = np.random.default_rng(1)
    values = rng.normal(size=20)
    values = 3 + (values - values.mean()) / values.std(ddof=1)
    found = mean_interval(values, np.arange(20), resamples=50_000)
    reach = 2.093 / np.sqrt(20)
    assert found.low == pytest.approx(3 - reach, abs=0.03)
    assert found.high == pytest.approx(3 + reach, abs=0.03)


def test_all_values_alike_leave_no_width():
    found = mean_interval(np.full(16, 2.5), np.arange(16) // 2)
    assert (found.low, found.high) == (2.5, 2.5)


def test_it_is_the_subjects_that_are_resampled(rows):
    values, subjects = rows
    by_subject = mean_interval(values, subjects)
    by_value = mean_interval(values, np.arange(40))
    assert by_subject.subjects == 10
    assert width(by_subject) > 1.3 * width(by_value)


def test_the_order_of_rows_does_not_matter(rows):
    values, subjects = rows
    order = np.random.default_rng(2).permutation(40)
    there, again = (
        mean_interval(values, subjects),
        mean_interval(values[order], subjects[order]),
    )
    assert again.low == pytest.approx(there.low)
    assert again.high == pytest.approx(there.high)


def test_scaling_and_shifting_the_values_does_so_to_the_ends(rows):
    values, subjects = rows
    there = mean_interval(values, subjects)
    scaled = mean_interval(3 * values + 1, subjects)
    assert scaled.low == pytest.approx(3 * there.low + 1)
    assert scaled.high == pytest.approx(3 * there.high + 1)


def test_a_seed_gives_the_same_ends_again(rows):
    assert mean_interval(*rows, seed=3) == mean_interval(*rows, seed=3)
    assert mean_interval(*rows, seed=3) != mean_interval(*rows, seed=4)


def test_more_confidence_is_wider(rows):
    assert width(mean_interval(*rows, level=0.99)) > width(mean_interval(*rows))


def test_values_of_pairs_vary_with_both_subjects():
    # a value is the sum of what its two subjects have: each of them counts
    subjects = np.arange(12)
    own = np.random.default_rng(5).normal(size=12)
    first, second = np.array(list(itertools.combinations(subjects, 2))).T
    values = own[first] + own[second]
    both = mean_interval(values, first, partners=second)
    alone = mean_interval(2 * own, subjects)
    assert both.subjects == 12
    assert width(both) == pytest.approx(width(alone), rel=0.15)
    assert both.low < values.mean() < both.high


def test_the_general_one_agrees_with_that_of_the_mean(rows):
    values, subjects = rows
    general = bootstrap_interval(
        mean_of(values), subjects=subjects, resamples=2000
    )
    special = mean_interval(values, subjects)
    assert general.low == pytest.approx(special.low, abs=0.1)
    assert general.high == pytest.approx(special.high, abs=0.1)
    assert (general.subjects, general.resamples) == (10, 2000)


def test_a_resample_holds_whole_subjects():
    subjects = np.array(list("abcdefghij") * 3)
    seen = []
    bootstrap_interval(
        lambda rows: seen.append(rows) or 0.0, subjects=subjects, resamples=20
    )
    for drawn in seen:
        assert len(drawn) == 30
        counts = np.bincount(drawn, minlength=30).reshape(3, 10)
        np.testing.assert_array_equal(counts[0], counts[1])
        np.testing.assert_array_equal(counts[0], counts[2])
    assert any(np.bincount(drawn).max() > 1 for drawn in seen)


def test_sets_are_resampled_each_on_its_own():
    sets = np.arange(20) // 2, np.arange(9)
    seen = []
    found = bootstrap_interval(
        lambda a, b: seen.append((len(a), len(b))) or 0.0,
        subjects=sets,
        resamples=5,
    )
    assert seen == [(20, 9)] * 5
    assert found.subjects == 9


@pytest.mark.parametrize("count", [20, 21])
def test_halves_of_a_mean_give_the_interval_of_student(count):
    values = np.random.default_rng(6).normal(size=count)
    found = halves_interval(
        mean_of(values), subjects=np.arange(count), resamples=4000
    )
    reach = 2.09 * values.std(ddof=1) / np.sqrt(count)
    assert (found.low + found.high) / 2 == pytest.approx(values.mean())
    assert width(found) / 2 == pytest.approx(reach, rel=0.06)


def test_halves_repeat_no_row():
    seen = []
    halves_interval(
        lambda rows: seen.append(rows) or 0.0,
        subjects=np.arange(24) % 8,
        resamples=10,
    )
    assert [len(rows) for rows in seen] == [12] * 10 + [24]
    assert all(len(np.unique(rows)) == len(rows) for rows in seen)


@pytest.mark.parametrize("count", [1, MIN_SUBJECTS - 1])
def test_too_few_subjects_have_a_reason_and_no_interval(count):
    def never(rows):
        raise NotImplementedError

    subjects = np.repeat(np.arange(count), 3)
    values = np.ones(3 * count)
    for found in (
        mean_interval(values, subjects),
        bootstrap_interval(never, subjects=subjects),
        bootstrap_interval(never, subjects=(np.arange(99), subjects)),
        halves_interval(never, subjects=subjects),
    ):
        assert found.low is None
        assert found.high is None
        assert found.subjects == count
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
        (np.ones(9), np.arange(9), {"level": 1}, "a level between 0 and 1"),
        (np.ones(9), np.arange(9), {"resamples": 1}, "two or more resamples"),
    ],
)
def test_bad_input_is_refused(values, subjects, options, message):
    with pytest.raises(ValueError, match=message):
        mean_interval(values, subjects, **options)


@pytest.mark.parametrize("interval", [bootstrap_interval, halves_interval])
def test_a_statistic_that_is_not_finite_is_refused(interval):
    with pytest.raises(ValueError, match="finite for every resample"):
        interval(lambda rows: np.nan, subjects=np.arange(9), resamples=3)
    with pytest.raises(ValueError, match="two or more resamples"):
        interval(lambda rows: 0.0, subjects=np.arange(9), resamples=1)
