import numpy as np
import pytest

from pet_dcgan.evaluation.numbers import ends, number, rounded, summary
from pet_dcgan.metrics.confidence import Interval


def test_numbers_for_json():
    assert rounded(1 / 3) == 0.333333
    assert rounded(np.float32(0.5)) == 0.5
    assert rounded(np.inf) is None
    assert rounded(None) is None


def test_ends_of_an_interval():
    assert ends(Interval(1 / 3, 1.0)) == [0.333333, 1.0]
    assert ends(Interval(None, None, "few")) is None
    assert ends(None) is None


def test_summary_by_hand():
    values = np.array([1.0, 2.0, 6.0, np.inf])
    found = summary(values, np.array(["a", "b", "c", "d"]))
    assert found == {
        "mean": 3.0,
        "median": 2.0,
        "sd": pytest.approx(2.645751),
        "n": 3,
        "interval": None,
    }


def test_interval_of_a_mean_is_over_subjects():
    values = np.repeat(np.arange(8.0), 10)
    low, high = summary(values, np.repeat(np.arange(8), 10))["interval"]
    assert low < 2.5
    assert high > 4.5
    low, high = summary(values, np.arange(80))["interval"]
    assert 2.7 < low < high < 4.3


def test_partners_are_left_out_with_their_values():
    values = np.array([1.0] * 9 + [np.nan])
    subjects = np.arange(10)
    found = summary(values, subjects, partners=subjects[::-1])
    assert found["n"] == 9
    assert found["interval"] == [1.0, 1.0]


def test_number_of_all_rows_with_the_interval_of_halves():
    values = np.arange(20.0)
    owners = np.arange(20) // 2
    found = number(lambda rows: float(values[rows].mean()), (owners,))
    assert found["value"] == 9.5
    low, high = found["interval"]
    assert low < 9.5 < high
