import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from pet_dcgan.metrics.memorization import authenticity, copy_test


def column(*values):
    return np.array(values, float)[:, None]


def sample(count, seed, length=4):
    return np.random.default_rng(seed).normal(size=(count, length))


def clustered(subjects, slices, seed):
    """Slices that are all but equal within a subject, and whose they are."""
    rows = np.repeat(sample(subjects, seed), slices, axis=0)
    near = rows + 0.01 * sample(len(rows), seed + 1000)
    return near, np.repeat(np.arange(subjects), slices)


class TestAuthenticity:
    def test_by_hand(self):
        # 0.4 and 10.5 are nearer to 0 and 10 than any other training row is
        train, synthetic = column(0, 1, 10), column(0.4, 3, 10.5, 30)
        assert authenticity(train, synthetic) == 2 / 4

    def test_by_hand_with_subjects(self):
        # 0 and 1 are of one subject: the nearest of another is 10 and 9 away
        train, synthetic = column(0, 1, 10), column(0.4, 3, 10.5, 30)
        assert authenticity(train, synthetic, subjects=[7, 7, 8]) == 1 / 4

    def test_copies_have_none_and_strangers_all(self):
        train = sample(50, 0)
        assert authenticity(train, train[:20]) == 0
        assert authenticity(train, train + 100) == 1

    def test_fresh_rows_have_about_as_much_as_training_rows_would(self):
        shares = [
            authenticity(sample(100, s), sample(100, s + 50)) for s in range(20)
        ]
        assert 0.3 < np.mean(shares) < 0.7

    def test_a_changed_subject_is_noticed_with_subjects_only(self):
        train, subjects = clustered(20, 8, 0)
        changed = train + 0.1 * sample(len(train), 1)
        assert authenticity(train, changed) > 0.9
        assert authenticity(train, changed, subjects=subjects) < 0.1

    @pytest.mark.parametrize(
        ("train", "synthetic", "subjects", "message"),
        [
            (column(1), column(1), None, "row of another subject"),
            (column(1, 2), column(1), ["a", "a"], "row of another subject"),
            (column(1, 2), column(1), ["a"], "each of 2"),
            (column(1, 2), np.ones((1, 2)), None, "one length"),
        ],
    )
    def test_bad_input_is_refused(self, train, synthetic, subjects, message):
        with pytest.raises(ValueError, match=message):
            authenticity(train, synthetic, subjects=subjects)


class TestCopyTest:
    def test_by_hand(self):
        # distances 1, 2, 3 held out and 0.5, 2.5 synthetic: of six pairs the
        # synthetic one is nearer in four; mean 3, variance 6 * 6 / 12
        found = copy_test(column(0), column(1, 2, 3), column(0.5, 2.5))
        assert found.share_nearer == pytest.approx(4 / 6)
        assert found.z_score == pytest.approx((2 - 3) / np.sqrt(3))
        assert found.p_value == pytest.approx(0.2819, abs=1e-4)

    def test_by_hand_with_subjects(self):
        # subject a (1 and 2): share 1/2; b (3): 1; two subjects, mean 3/4
        found = copy_test(
            column(0),
            column(1, 2, 3),
            column(0.5, 2.5),
            held_out_subjects=["a", "a", "b"],
        )
        assert found.share_nearer == pytest.approx(3 / 4)
        expected = -0.25 / np.sqrt((2 + 2 + 1) / (12 * 2 * 2))
        assert found.z_score == pytest.approx(expected)

    def test_equals_scipy_with_ties(self):
        held_out = np.array([1.0, 2, 2, 3, 7, 9])
        synthetic = np.array([2.0, 3, 4, 4])
        u = mannwhitneyu(synthetic, held_out).statistic
        found = copy_test(column(0), held_out[:, None], synthetic[:, None])
        expected = (u - 12) / np.sqrt(6 * 4 * 11 / 12)
        assert found.z_score == pytest.approx(expected)

    def test_replayed_rows_are_caught_and_fresh_ones_pass(self):
        train, held_out = sample(60, 0), sample(40, 1)
        noisy = train + 0.1 * sample(60, 2)
        assert copy_test(train, held_out, train).z_score < -5
        assert copy_test(train, held_out, noisy).z_score < -5
        assert abs(copy_test(train, held_out, sample(60, 3)).z_score) < 3
        assert copy_test(train, held_out, sample(60, 4) * 2).z_score > 3

    def test_the_z_score_of_independent_rows_is_standard_normal(self):
        scores = [
            copy_test(*np.split(sample(90, s), 3)).z_score for s in range(300)
        ]
        # the training rows are shared by both kinds, hence a little more
        assert abs(np.mean(scores)) < 0.25
        assert 0.85 < np.std(scores) < 1.25

    def test_slices_of_few_subjects_raise_no_false_alarm(self):
        alarms = np.zeros(2)
        for s in range(200):
            train, _ = clustered(20, 6, 5000 + s)
            held_out, subjects = clustered(5, 12, 6000 + s)
            fresh = sample(60, 7000 + s)  # of as many subjects
            by_slice = copy_test(train, held_out, fresh)
            by_subject = copy_test(
                train, held_out, fresh, held_out_subjects=subjects
            )
            alarms += np.array([by_slice.p_value, by_subject.p_value]) < 0.01
        assert alarms[0] > 20  # ten times as often as it says, or more
        assert alarms[1] <= 8

    def test_many_slices_of_few_subjects_prove_no_more_than_few_can(self):
        train, held_out = sample(30, 0), sample(400, 1)
        subjects = np.arange(400) % 4
        found = copy_test(train, held_out, train, held_out_subjects=subjects)
        assert found.share_nearer == 1
        assert -np.sqrt(3 * 4) < found.z_score < -3

    def test_cells_are_weighted_by_held_out_rows_and_the_unseen_left_out(self):
        # cell at 0 with three held-out rows, at 100 with one: no synthetic
        # row lies there, so the first cell alone counts
        train = column(0, 0.1, 100, 100.1)
        held_out = column(1, 2, 3, 101)
        synthetic = column(*([0.5, 2.5] * 10))
        alone = copy_test(train[:2], held_out[:3], synthetic)
        found = copy_test(train, held_out, synthetic, cells=2)
        assert found == pytest.approx(alone)

    def test_of_several_cells_the_mean_is_weighted(self):
        train = column(0, 0.1, 100, 100.1)
        held_out = column(1, 2, 3, 102)
        synthetic = column(*([0.5, 2.5] * 10), *([103] * 20))
        near = copy_test(train[:2], held_out[:3], synthetic[:20])
        far = copy_test(train[2:], held_out[3:], synthetic[20:])
        found = copy_test(train, held_out, synthetic, cells=2)
        expected = (3 * near.z_score + far.z_score) / 4
        assert found.z_score == pytest.approx(expected)
        assert found.share_nearer == pytest.approx(3 / 4 * 4 / 6)

    def test_copies_in_every_cell_are_caught(self):
        centres = np.repeat([[-50.0, 0, 0, 0], [50.0, 0, 0, 0]], 30, axis=0)
        train, held_out = sample(60, 0) + centres, sample(60, 1) + centres
        assert copy_test(train, held_out, train, cells=2).z_score < -3
        fresh = sample(60, 2) + centres
        assert abs(copy_test(train, held_out, fresh, cells=2).z_score) < 3

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"held_out": np.ones((3, 2))}, "one length"),
            ({"synthetic": np.full((3, 1), np.nan)}, "NaN or infinity"),
            ({"held_out_subjects": ["a"]}, "3 held-out rows, found 1"),
            ({"cells": 0}, "at least one cell, found 0"),
            ({"cells": 2}, "20 or more synthetic rows, found none of 2"),
        ],
    )
    def test_bad_input_is_refused(self, change, message):
        kinds = dict.fromkeys(
            ("train", "held_out", "synthetic"), column(1, 2, 3)
        )
        arguments = kinds | change
        with pytest.raises(ValueError, match=message):
            copy_test(**arguments)
