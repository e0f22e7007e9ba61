import numpy as np
import pytest

from pet_dcgan.metrics.distribution import (
    frechet_distance,
    frechet_ratio,
    kid,
    mean_shift,
    precision_recall_density_coverage,
)


def sample(count, seed, shift=0.0, length=6):
    return np.random.default_rng(seed).normal(shift, 1, (count, length))


def column(*values):
    return np.array(values, float)[:, None]


class TestKid:
    def test_a_value_by_hand(self):
        # (xy / 3 + 1)^3 is 1, or 8 for two rows of three ones. Of 12 real pairs
        # two are ones: 26/12; synthetic pairs 8; between them half and half
        real = column(0, 1, 0, 1).repeat(3, axis=1)
        found = kid(real, np.ones([5, 3]))
        assert found.value == pytest.approx(26 / 12 + 8 - 2 * 4.5)

    def test_values_by_subject_by_hand(self):
        # subjects a, a, b, b of rows 0 or 1: (xy + 1)^3 is 8 for two ones
        found = kid(column(0, 1, 1, 1), column(0, 0), subjects=[*"aabb"])
        # of four pairs of a and b two are ones; the others give 1
        assert found.value == pytest.approx((2 * 8 + 2 * 1) / 4 + 1 - 2 * 1)
        other = column(1, 1, 0)
        found = kid(column(0, 0), other, synthetic_subjects=[*"xxy"])
        # the pair of ones is of one subject: none is left
        assert found.value == pytest.approx(1 + 1 - 2 * 1)

    def test_of_equal_subjects_the_count_of_slices_means_nothing(self):
        few, other = sample(6, 0), sample(9, 1)
        many = np.repeat(few, 5, axis=0)
        owners = np.repeat(np.arange(6), 5)
        found = kid(many, other, subjects=owners)
        assert found == pytest.approx(kid(few, other))
        found = kid(other, many, synthetic_subjects=owners)
        assert found == pytest.approx(kid(few, other))

    def test_unbiased_for_subjects_with_unequal_numbers_of_slices(self):
        # arrays of 5 subjects of 2 to 12 slices, ICC 0.8
        values, as_slices = [], []
        for seed in range(150):
            rng = np.random.default_rng(seed)
            owners = np.repeat(np.arange(5), rng.integers(2, 13, 5))
            slices = sample(len(owners), rng) * 0.2**0.5
            slices += 0.8**0.5 * sample(5, rng)[owners]
            pair = slices, sample(60, rng)
            values.append(kid(*pair, subjects=owners).value)
            as_slices.append(kid(*pair).value)
        error = np.std(values) / np.sqrt(150)
        assert abs(np.mean(values)) < 3 * error
        assert np.mean(as_slices) > 5 * error

    def test_grows_with_the_distance(self):
        real = sample(100, 0)
        values = [kid(real, sample(100, 1, s)).value for s in (0, 0.2, 1)]
        assert np.all(np.diff(values) > 0)

    def test_the_standard_error_is_the_spread_over_samples(self):
        owners = np.repeat(np.arange(12), 5)
        found = []
        for seed in range(99):
            slices = sample(12, 2 * seed)[owners]
            slices += 0.1 * sample(60, 1000 + seed)
            synthetic = sample(60, 2 * seed + 1, 1.0)
            found.append(kid(slices, synthetic, subjects=owners))
        spread = np.std([f.value for f in found])
        error = np.mean([f.standard_error for f in found])
        assert error == pytest.approx(spread, rel=0.25)

    def test_the_standard_error_is_a_jackknife_over_subjects(self):
        real, owners, other = (
            sample(8, 0),
            np.array([*"aaabbccc"]),
            sample(4, 1),
        )
        pair = (
            [
                kid(
                    real[owners != o], other, subjects=owners[owners != o]
                ).value
                for o in "abc"
            ],
            [
                kid(real, np.delete(other, i, axis=0), subjects=owners).value
                for i in range(4)
            ],
        )
        variance = sum((len(v) - 1) * np.var(v) for v in pair)
        found = kid(real, other, subjects=owners).standard_error
        assert found == pytest.approx(np.sqrt(variance))

    def test_two_subjects_have_a_value_and_no_error(self):
        found = kid(sample(6, 0), sample(6, 1), subjects=[*"aaabbb"])
        assert np.isfinite(found.value)
        assert np.isnan(found.standard_error)

    def test_constant_images_do_not_differ(self):
        found = kid(np.ones([8, 3]), np.ones([5, 3]), subjects=[*"aabbccdd"])
        assert found == pytest.approx((0, 0), abs=1e-12)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"synthetic": sample(1, 1)}, "at least 2 rows, found 10 and 1"),
            ({"synthetic": sample(10, 1, length=7)}, "one length"),
            ({"synthetic": np.full((10, 6), np.nan)}, "NaN or infinity"),
            ({"subjects": np.arange(9)}, "each of 10 rows"),
            ({"subjects": ["a"] * 10}, "at least 2 different.*10 and 1"),
            ({"synthetic_subjects": ["a"] * 10}, "at least 2 different"),
        ],
    )
    def test_bad_input_is_refused(self, change, message):
        arguments = {"real": sample(10, 0), "synthetic": sample(10, 1)}
        with pytest.raises(ValueError, match=message):
            kid(**arguments | change)


@pytest.mark.parametrize("shift", [0.1, 0.3, 1.0])
def test_mean_shift_of_many_whitened_features(shift):
    pair = sample(1500, 0, length=64), sample(1500, 1, shift, length=64)
    found = mean_shift(kid(*pair).value)
    assert found == pytest.approx(shift, rel=0.06)


def test_no_shift_for_a_kid_of_zero_or_less():
    assert mean_shift(0.0) == mean_shift(-0.1) == 0
    assert mean_shift(0.003) == pytest.approx(np.sqrt(0.001), rel=1e-3)
    assert mean_shift(7.0) == pytest.approx(1)


class TestFrechet:
    def test_a_distance_by_hand(self):
        # means 1 and 2, variances 2 and 8: 1 + 2 + 8 - 2 * 4
        assert frechet_distance(column(0, 2), column(0, 4)) == pytest.approx(3)

    @pytest.mark.parametrize("counts", [(9, 7), (9, 30), (80, 7), (80, 60)])
    def test_equals_the_form_with_a_matrix_root(self, counts):
        a, b = (sample(n, i, i, length=20) for i, n in enumerate(counts))
        ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
        roots = np.sqrt(np.maximum(np.linalg.eigvals(ca @ cb).real, 0))
        means = np.sum((a.mean(0) - b.mean(0)) ** 2)
        expected = means + np.trace(ca + cb) - 2 * roots.sum()
        assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)

    def test_symmetric_zero_for_itself_and_invariant_to_rotation(self):
        a, b = sample(30, 0), sample(30, 1)
        turn = np.linalg.qr(sample(6, 2))[0]
        found = frechet_distance(a, b)
        assert found > 0.1
        assert frechet_distance(b, a) == pytest.approx(found)
        assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
        assert frechet_distance(a @ turn, b @ turn) == pytest.approx(found)

    def test_a_ratio_by_hand(self):
        # the only halves are {0, 2} and {1, 3}: means 1 and 2, variance 2: 1.
        # Against constant tens: 81 + 2 and 64 + 2, on average 74.5
        real, synthetic = column(0, 1, 2, 3), np.full([4, 1], 10.0)
        ratio = frechet_ratio(real, synthetic, seed=0, subjects=list("abab"))
        assert ratio == pytest.approx(1 / 74.5)

    def test_ratio_is_one_for_one_distribution_and_falls_with_distance(self):
        pairs = np.random.default_rng(0).normal(size=(20, 2, 200, 5))
        found = [frechet_ratio(*pair, seed=0) for pair in pairs]
        assert np.mean(found) == pytest.approx(1, abs=0.15)
        real, same = pairs[0]
        ratios = [frechet_ratio(real, same + s, seed=0) for s in (0, 0.1, 1)]
        assert np.all(np.diff(ratios) < 0)

    def test_halves_share_no_subject(self):
        slices = np.repeat(sample(10, 0), 20, axis=0) + 0.1 * sample(200, 1)
        subjects, synthetic = np.repeat(np.arange(10), 20), sample(200, 2)
        by_slice = frechet_ratio(slices, synthetic, seed=0)
        by_subject = frechet_ratio(slices, synthetic, seed=0, subjects=subjects)
        assert by_subject > 2 * by_slice

    def test_the_same_seed_gives_the_same_ratio(self):
        pair = sample(30, 0), sample(30, 1)
        assert frechet_ratio(*pair, seed=1) == frechet_ratio(*pair, seed=1)
        assert frechet_ratio(*pair, seed=1) != frechet_ratio(*pair, seed=2)

    @pytest.mark.parametrize(
        ("real", "synthetic", "subjects", "message"),
        [
            (20, 4, None, "at least 10 synthetic rows"),
            (20, 20, ["a"] * 20, "at least 2 different .*found 20 and 1"),
            (20, 20, ["a", "b"], "each of 20 rows.*found 2 and 2"),
            (3, 20, None, "at least 4 rows"),
        ],
    )
    def test_bad_input_is_refused(self, real, synthetic, subjects, message):
        pair = sample(real, 0), sample(synthetic, 1)
        with pytest.raises(ValueError, match=message):
            frechet_ratio(*pair, seed=0, subjects=subjects)
        with pytest.raises(ValueError, match="at least 2 rows, found 1 and"):
            frechet_distance(sample(1, 0), pair[1])


class TestPrecisionRecallDensityCoverage:
    def test_values_by_hand(self):
        # k 1: real balls reach 1, 1, 1 and 8; synthetic ones 1 each
        real, synthetic = column(0, 1, 2, 10), column(0.5, 1.5, 20, 21)
        found = precision_recall_density_coverage(real, synthetic, k=1)
        assert found.precision == 2 / 4  # 0.5 and 1.5
        assert found.density == (2 + 2) / 4  # each in two balls
        assert found.coverage == 3 / 4  # all but the ball of 10
        assert found.recall == 3 / 4  # 0, 1 and 2

    def test_the_edge_of_a_ball_is_inside(self):
        real, synthetic = column(0, 1), column(2, 4)
        found = precision_recall_density_coverage(real, synthetic, k=1)
        # real balls reach 1, to 2; synthetic ones reach 2, to 0
        assert found == (1 / 2, 2 / 2, 1 / 2, 1 / 2)

    def test_one_distribution_is_matched(self):
        # Naeem et al.: coverage 1 - 2^-k and density 1
        pair = (sample(900, seed, length=3) for seed in (0, 1))
        found = precision_recall_density_coverage(*pair)
        assert found.coverage == pytest.approx(1 - 2**-5, abs=0.02)
        assert found.density == pytest.approx(1, abs=0.08)
        assert min(found.precision, found.recall) > 0.85

    def test_one_image_repeated_is_precise_and_covers_little(self):
        real = sample(100, 0)
        one = np.repeat(real[:1], 100, axis=0)
        found = precision_recall_density_coverage(real, one)
        assert found.precision == 1
        assert found.recall == pytest.approx(0.01)
        assert found.coverage < 0.2

    def test_values_by_subject_by_hand(self):
        # k 1, other subjects only: real balls reach 10, 9, 9 and 10;
        # synthetic ones, each of its own subject, 2 each
        real, synthetic = column(0, 1, 10, 11), column(-7, -5, 4.5, 6.5)
        found = precision_recall_density_coverage(
            real, synthetic, k=1, subjects=[*"aabb"]
        )
        assert found.precision == 4 / 4
        assert found.density == (2 + 2 + 4 + 4) / 4
        assert found.coverage == 4 / 4
        assert found.recall == 0 / 4
        by_slice = precision_recall_density_coverage(real, synthetic, k=1)
        assert by_slice == (0, 0, 0, 0)
        swapped = precision_recall_density_coverage(
            synthetic, real, k=1, synthetic_subjects=[*"aabb"]
        )
        assert (swapped.precision, swapped.recall) == (0 / 4, 4 / 4)

    def test_slices_of_one_subject_do_not_hide_a_match(self):
        rng = np.random.default_rng(0)
        owners = np.repeat(np.arange(12), 10)
        real = sample(12, rng, length=20)[owners] * 0.8**0.5
        real += 0.2**0.5 * sample(120, rng, length=20)
        pair = real, sample(120, rng, length=20)
        by_slice = precision_recall_density_coverage(*pair)
        found = precision_recall_density_coverage(*pair, subjects=owners)
        assert by_slice.coverage < 0.1 < 0.7 < found.coverage
        assert by_slice.density < 0.1 < 0.5 < found.density < 2.5

    @pytest.mark.parametrize(
        ("real", "synthetic", "k", "message"),
        [
            (sample(10, 0), sample(9, 0), 5, "found 9 and 10: use equal"),
            (sample(5, 0), sample(5, 1), 5, "found k 5 and 5 rows"),
            (sample(5, 0), sample(5, 1), 0, "found k 0"),
        ],
    )
    def test_bad_input_is_refused(self, real, synthetic, k, message):
        with pytest.raises(ValueError, match=message):
            precision_recall_density_coverage(real, synthetic, k=k)

    def test_too_few_rows_of_other_subjects_are_refused(self):
        pair, owners = (sample(9, 0), sample(9, 1)), [*"aaaaabbbb"]
        found = precision_recall_density_coverage(*pair, k=4, subjects=owners)
        assert found.precision == 1
        with pytest.raises(ValueError, match="k 5 and 9 rows, 5 of one"):
            precision_recall_density_coverage(*pair, k=5, subjects=owners)
