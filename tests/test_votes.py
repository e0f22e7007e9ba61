import numpy as np
import pytest

from pet_dcgan.study.classifiers import aggregate_by_subject


def votes(*ones):
    ones = np.array(ones)
    return np.stack([1 - ones, ones], axis=1)


def test_slices_of_a_subject_are_averaged():
    names, joined = aggregate_by_subject(
        [(votes(0.2, 0.9, 0.4), np.array(["b", "a", "b"]))]
    )
    assert names.tolist() == ["a", "b"]
    np.testing.assert_allclose(joined, votes(0.9, 0.3))


def test_planes_count_the_same_however_many_slices_they_have():
    axial = votes(0.0, 0.0, 0.0), np.array(["a", "a", "a"])
    coronal = votes(1.0, 0.6), np.array(["a", "b"])
    names, joined = aggregate_by_subject([axial, coronal])
    assert names.tolist() == ["a", "b"]  # b has no axial slice
    np.testing.assert_allclose(joined[:, 1], [0.5, 0.6])


def test_the_order_of_slices_does_not_matter():
    rng = np.random.default_rng(0)
    said, owners = votes(*rng.random(30)), rng.choice(["x", "y", "z"], 30)
    order = rng.permutation(30)
    _, joined = aggregate_by_subject([(said, owners)])
    _, again = aggregate_by_subject([(said[order], owners[order])])
    np.testing.assert_allclose(joined, again)
    np.testing.assert_allclose(joined.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("planes", "reason"),
    [
        ([], "no plane"),
        ([(np.zeros([0, 2]), np.array([]))], "one or more slices"),
        ([(votes(0.5), np.array(["a", "b"]))], "and 2"),
        ([(votes(1.5), np.array(["a"]))], "from 0 to 1"),
        ([(votes(np.nan), np.array(["a"]))], "from 0 to 1"),
    ],
)
def test_votes_that_do_not_fit_are_refused(planes, reason):
    with pytest.raises(ValueError, match=reason):
        aggregate_by_subject(planes)
