import numpy as np
import pytest

from pet_dcgan.metrics.classification import accuracy, balanced_accuracy


def test_shares_counted_by_hand():
    truth = np.array([0, 0, 0, 0, 1, 1])
    called = np.array([0, 0, 0, 1, 1, 0])
    assert accuracy(truth, called) == pytest.approx(4 / 6)
    assert balanced_accuracy(truth, called) == pytest.approx(
        (3 / 4 + 1 / 2) / 2
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_one_name_for_everyone_is_chance_however_many_there_are(classes):
    truth = np.repeat(np.arange(classes), np.arange(1, classes + 1) * 5)
    called = np.full(len(truth), classes - 1)
    assert balanced_accuracy(truth, called) == pytest.approx(1 / classes)
    assert accuracy(truth, called) > 1 / classes


@pytest.mark.parametrize("metric", [accuracy, balanced_accuracy])
def test_answers_that_do_not_fit_are_refused(metric):
    with pytest.raises(ValueError, match=r"found \(3,\) and \(2,\)"):
        metric(np.zeros(3), np.zeros(2))
    with pytest.raises(ValueError, match="one or more"):
        metric(np.zeros(0), np.zeros(0))
