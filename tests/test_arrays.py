import numpy as np
import pytest

from pet_dcgan.metrics.arrays import checked_rows, subject_codes


def test_images_become_rows():
    images = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    (rows,) = checked_rows(images)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, np.arange(12.0).reshape(3, 4))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((np.ones((2, 3)), np.ones((2, 4))), r"\(2, 3\) and \(2, 4\)"),
        ((np.ones(3),), r"found shapes \(3,\)"),
        ((np.ones((0, 3)),), "at least 1 rows, found 0"),
        ((np.ones((3, 0)),), "at least 1 rows"),
        ((np.array([[np.inf]]),), "NaN or infinity"),
    ],
)
def test_arrays_that_are_not_rows_are_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        checked_rows(*arrays)


def test_subjects_become_numbers():
    assert subject_codes(["b", "a", "b"], 3).tolist() == [1, 0, 1]
    assert subject_codes(None, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("subjects", [["a", "a"], ["a", "b", "c"]])
def test_missing_subjects_are_refused(subjects):
    with pytest.raises(ValueError, match="each of 2 rows and at least 2"):
        subject_codes(subjects, 2, least=2)
