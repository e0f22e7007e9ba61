import numpy as np
import pytest

from pet_dcgan.metrics import significance as module
from pet_dcgan.metrics.significance import kid_p_value


def sample(count, seed, shift=0.0, length=16):
    return np.random.default_rng(seed).normal(shift, 1, (count, length))


def slices(subjects, seed, each=10, icc=0.8):
    """Slices of some subjects, with variance 1, and whose they are."""
    rng = np.random.default_rng(seed)
    owners = np.repeat(np.arange(subjects), each)
    own = sample(len(owners), rng) * (1 - icc) ** 0.5
    return own + icc**0.5 * sample(subjects, rng)[owners], owners


def test_one_distribution_and_another():
    real, owners = slices(12, 0)
    p_values = [
        kid_p_value(real, sample(120, 1, s), subjects=owners, seed=0)
        for s in (0.0, 0.6)
    ]
    assert p_values[0] > 0.05
    assert p_values[1] == pytest.approx(1 / 1001)


def test_false_alarms_are_as_stated_for_slices_that_are_alike(monkeypatch):
    monkeypatch.setattr(module, "_DRAWS", 99)
    by_subject, by_slice = [], []
    for seed in range(60):
        real, owners = slices(8, seed, each=6)
        pair = real, sample(48, 1000 + seed)
        found = kid_p_value(*pair, subjects=owners, seed=seed)
        by_subject.append(found <= 0.05)
        rows = np.arange(len(real))
        by_slice.append(kid_p_value(*pair, subjects=rows, seed=seed) <= 0.05)
    assert np.mean(by_subject) < 0.12
    assert np.mean(by_slice) > 0.5


def test_real_against_real_permutes_the_subjects_of_both():
    (real, owners), (others, of_others) = slices(9, 0), slices(6, 1, each=15)
    arguments = {
        "subjects": owners,
        "synthetic_subjects": of_others,
        "seed": 0,
    }
    assert kid_p_value(real, others, **arguments) > 0.05
    assert kid_p_value(real, others + 1, **arguments) < 0.01
    # as names, in another order
    order = np.random.default_rng(0).permutation(90)
    names = np.char.add("s", owners.astype(str))[order]
    found = kid_p_value(real[order], others, **arguments | {"subjects": names})
    assert found == kid_p_value(real, others, **arguments)


def test_the_smallest_p_value_of_few_subjects():
    # two ways out of six leave the pairs of two together, as they are
    real, owners = slices(2, 0, each=6)
    found = kid_p_value(real, sample(12, 1, 50), subjects=owners, seed=0)
    assert found == pytest.approx(1 / 3, abs=0.06)


@pytest.mark.parametrize("count", [3, 7, 40])
def test_other_numbers_of_synthetic_rows(count):
    real, owners = slices(5, 0, each=4)
    found = kid_p_value(real, sample(count, 1), subjects=owners, seed=0)
    assert 0 < found <= 1
    groups = module._alike_groups(np.random.default_rng(0), owners, count)
    sizes = np.bincount(groups)
    assert len(sizes) == min(5, count)
    assert np.ptp(sizes) <= 1


def test_ties_and_constant_images_are_no_evidence():
    constant, owners = np.full([20, 4], 1 / 3), np.repeat(np.arange(5), 4)
    assert kid_p_value(constant, constant, subjects=owners, seed=0) == 1


def test_the_same_seed_gives_the_same_p_value():
    real, owners = slices(8, 0)
    found = [
        kid_p_value(real, sample(80, 1), subjects=owners, seed=seed)
        for seed in (3, 3, 4)
    ]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subjects": ["a"] * 20}, "at least 2 different.*20 and 1"),
        ({"subjects": [*"ab"]}, "each of 20 rows"),
        ({"synthetic_subjects": ["a"] * 9}, "at least 2 different.*9 and 1"),
        ({"synthetic": sample(1, 0)}, "at least 2 rows, found 20 and 1"),
        ({"synthetic": np.full([9, 16], np.inf)}, "NaN or infinity"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {
        "real": sample(20, 0),
        "synthetic": sample(9, 1),
        "subjects": np.arange(20) // 4,
        "seed": 0,
    }
    with pytest.raises(ValueError, match=message):
        kid_p_value(**arguments | change)
