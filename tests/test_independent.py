"""Metrics against implementations by others, on shared arrays.

Each agrees to 1e-6 of its value. A convention that differs is named in the
docstring of its test.
"""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from prdc import compute_prdc
from scipy import stats
from scipy.linalg import sqrtm
from skimage.measure import block_reduce, centroid
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.transform import EuclideanTransform, warp
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    pairwise_distances,
    roc_auc_score,
    roc_curve,
)
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from pet_dcgan.metrics.centring import centred
from pet_dcgan.metrics.confidence import percentile_interval, share_interval
from pet_dcgan.metrics.contrast import welch
from pet_dcgan.metrics.distribution import (
    Prdc,
    frechet_distance,
    kid,
    precision_recall_density_coverage,
)
from pet_dcgan.metrics.image_quality import ms_ssim, psnr, windowed_ssim
from pet_dcgan.metrics.membership import attack
from pet_dcgan.metrics.memorization import (
    authenticity,
    check_memorization,
    copy_test,
)
from pet_dcgan.metrics.nearest_subjects import two_nearest_subjects
from pet_dcgan.metrics.neighbors import kth_neighbour_distances, nearest_rows
from pet_dcgan.metrics.region_statistics import set_statistics
from pet_dcgan.metrics.spectrum import radial_power_spectrum
from pet_dcgan.metrics.uptake import (
    histogram_distance,
    intensity_histogram,
    joint_histogram,
    wasserstein,
)
from pet_dcgan.study.intervals import over_trainings
from pet_dcgan.study.scores import Predictions

SUVR_MAX = 2.5


def agree(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def images(count, side=32, seed=0):
    """Smooth images of positive uptake, and noisier ones of the same brains."""
    rng = np.random.default_rng(seed)
    steps = np.cumsum(np.cumsum(rng.normal(size=[count, side, side]), 1), 2)
    clean = np.clip(1.2 + steps / 60, 0.01, SUVR_MAX)
    return clean, np.abs(clean + 0.1 * rng.normal(size=clean.shape))


def features(shift=0.3, rows=(40, 40), width=6, seed=0):
    rng = np.random.default_rng(seed)
    first, second = (rng.normal(size=[n, width]) for n in rows)
    return first, second * 1.1 + shift


class TestImageQuality:
    def test_psnr(self):
        """The peak is that of the real image, as in Islam & Zhang.

        scikit-image takes the range of the data type or what it is given.
        """
        real, image = images(4)
        expected = [
            peak_signal_noise_ratio(r, i, data_range=r.max())
            for r, i in zip(real, image, strict=True)
        ]
        agree(psnr(real, image), expected)

    def test_windowed_ssim(self):
        """scikit-image weighs evenly and takes sample covariances by default.

        Wang et al. weigh by a Gaussian and divide by `n`, as here.
        """
        real, image = images(4)
        expected = [
            structural_similarity(
                r,
                i,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                data_range=SUVR_MAX,
            )
            for r, i in zip(real, image, strict=True)
        ]
        agree(windowed_ssim(real, image, dynamic_range=SUVR_MAX), expected)

    def test_windowed_and_multiscale_ssim_of_tensorflow(self):
        """TensorFlow computes in float32 and takes five scales by default.

        Its variances lose digits where the mean is large: here it is 0. The
        number of scales follows from the size here: two at 32 pixels.
        """
        real, noise = np.random.default_rng(0).normal(size=[2, 4, 32, 32]) / 2
        image = 0.8 * real + 0.3 * noise
        pair = [tf.constant(x[..., None], tf.float32) for x in (real, image)]
        windowed = tf.image.ssim(*pair, SUVR_MAX)
        agree(windowed_ssim(real, image, dynamic_range=SUVR_MAX), windowed)
        weights = np.array([0.0448, 0.2856])
        scales = tf.image.ssim_multiscale(
            *pair, SUVR_MAX, power_factors=weights / weights.sum()
        )
        agree(ms_ssim(real, image, dynamic_range=SUVR_MAX), scales)


class TestDistribution:
    def test_precision_recall_density_and_coverage(self):
        """prdc leaves a row on the edge of a ball out (<), this takes it in.

        Random rows lie on no edge, so both agree here.
        """
        for shift in (0.0, 0.8):
            real, synthetic = features(shift)
            expected = compute_prdc(real, synthetic, nearest_k=5)
            found = precision_recall_density_coverage(real, synthetic, k=5)
            agree(found, [expected[name] for name in Prdc._fields])

    def test_precision_recall_density_and_coverage_by_subject(self):
        """prdc has no subjects: its balls are given the radii of theirs."""
        real, synthetic = features()
        subjects = np.arange(40) // 4
        radii = [
            NearestNeighbors(n_neighbors=5)
            .fit(real[subjects != owner])
            .kneighbors(row[None])[0][0, -1]
            for row, owner in zip(real, subjects, strict=True)
        ]
        distances = pairwise_distances(real, synthetic)
        inside = distances < np.array(radii)[:, None]
        found = precision_recall_density_coverage(
            real, synthetic, subjects=subjects
        )
        agree(
            [found.precision, found.density, found.coverage],
            [
                inside.any(0).mean(),
                inside.sum(0).mean() / 5,
                inside.any(1).mean(),
            ],
        )
        by_row = compute_prdc(real, synthetic, nearest_k=5)
        agree(found.recall, by_row["recall"])
        assert found.density > by_row["density"]

    def test_where_ties_part_from_prdc(self):
        """A repeated row: its ball has no radius and holds but its like."""
        rows = np.repeat(np.arange(3.0), 2)[:, None]
        found = precision_recall_density_coverage(rows, rows, k=1)
        assert found.precision == found.coverage == 1
        assert compute_prdc(rows, rows, nearest_k=1)["precision"] == 0

    @pytest.mark.parametrize("each", [1, 4])
    def test_kid(self, each):
        """scikit-learn has the kernel, whose gamma is `1 / d` by default.

        Others leave out pairs of a row with itself; here those of a subject
        with itself, which is the same where each has one row.
        """
        real, synthetic = features(rows=(32, 41))
        subjects = np.arange(32) // each
        apart = subjects[:, None] != subjects, ~np.eye(41, dtype=bool)
        among = [
            polynomial_kernel(x, degree=3)[allowed].mean()
            for x, allowed in zip((real, synthetic), apart, strict=True)
        ]
        between = polynomial_kernel(real, synthetic, degree=3).mean()
        found = kid(real, synthetic, subjects=subjects).value
        agree(found, sum(among) - 2 * between)

    def test_frechet_distance(self):
        """By the root of a matrix, where the code takes eigenvalues."""
        a, b = features(rows=(30, 41))
        covariances = [np.cov(x, rowvar=False) for x in (a, b)]
        spread = np.trace(sum(covariances) - 2 * sqrtm(np.dot(*covariances)))
        shift = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
        agree(frechet_distance(a, b), shift + spread.real)

    @pytest.mark.filterwarnings("ignore:Metric `Kernel:UserWarning")
    def test_kid_and_frechet_distance_of_torchmetrics(self):
        """torchmetrics comes with PyTorch, in the `benchmarks` extra alone.

        Its KID is a mean over subsets, here one subset of all rows, so both
        sets need as many.
        """
        torch = pytest.importorskip("torch")
        pytest.importorskip("torchmetrics")
        from torchmetrics.image.fid import FrechetInceptionDistance
        from torchmetrics.image.kid import KernelInceptionDistance

        inception = torch.nn.Identity()
        inception.num_features = 6
        pair = features()
        judges = (
            KernelInceptionDistance(
                inception, subsets=1, subset_size=len(pair[0])
            ),
            FrechetInceptionDistance(inception),
        )
        for judge in judges:
            judge.set_dtype(torch.float64)
            for rows, is_real in zip(pair, (True, False), strict=True):
                judge.update(torch.from_numpy(rows), real=is_real)
        agree(kid(*pair).value, judges[0].compute()[0])
        agree(frechet_distance(*pair), judges[1].compute())


class TestNeighbours:
    def test_nearest_and_kth(self):
        queries, pool = features(rows=(20, 30))
        distance, index = (
            NearestNeighbors(n_neighbors=1).fit(pool).kneighbors(queries)
        )
        found = nearest_rows(queries, pool)
        np.testing.assert_array_equal(found[0], index[:, 0])
        agree(found[1], distance[:, 0])
        # without queries a row is no neighbour of itself
        third = NearestNeighbors(n_neighbors=3).fit(pool).kneighbors()[0][:, 2]
        agree(kth_neighbour_distances(pool, 3), third)

    def test_ratio_of_the_nearest_subjects(self):
        queries, pool = features(rows=(20, 30))
        subjects = np.arange(30) % 5
        nearest = [
            NearestNeighbors(n_neighbors=1)
            .fit(pool[subjects == s])
            .kneighbors(queries)[0][:, 0]
            for s in range(5)
        ]
        first, second = np.sort(nearest, axis=0)[:2]
        found = two_nearest_subjects(queries, pool, subjects)
        agree(found.ratios, first / second)
        agree(found.distances, np.stack([first, second], axis=1))


class TestMemorization:
    def test_data_copying_test(self):
        """C_T is Mann-Whitney's z without a correction for continuity."""
        train, held_out = features(rows=(40, 25))
        synthetic = features(seed=1)[1][:, ::-1]
        near = NearestNeighbors(n_neighbors=1).fit(train)
        synthetic_far, held_out_far = (
            near.kneighbors(x)[0][:, 0] for x in (synthetic, held_out)
        )
        expected = stats.mannwhitneyu(
            synthetic_far,
            held_out_far,
            alternative="less",
            use_continuity=False,
            method="asymptotic",
        )
        found = copy_test(train, held_out, synthetic)
        agree(found.p_value, expected.pvalue)
        pairs = len(synthetic) * len(held_out)
        agree(1 - found.share_nearer, expected.statistic / pairs)

    def test_authenticity(self):
        """Alaa et al. take any other row; here one of another subject."""
        train, synthetic = features(shift=0.0)
        distance, index = (
            NearestNeighbors(n_neighbors=1).fit(train).kneighbors(synthetic)
        )
        radii = NearestNeighbors(n_neighbors=1).fit(train).kneighbors()[0]
        expected = np.mean(distance > radii[index[:, 0]])
        assert 0 < expected < 1
        everyone = np.arange(len(train))
        agree(authenticity(train, synthetic, subjects=everyone), expected)

    @pytest.mark.parametrize("copies", [0, 3, 20])
    def test_largest_rate_of_suspects(self, copies):
        """One-sided, as none could be fewer than none."""
        kinds = np.random.default_rng(0).random([3, 20, 32, 32], np.float32)
        kinds[2, :copies] = kinds[0, :copies]
        owners = np.arange(20)
        found = check_memorization(
            *kinds, train_subjects=owners, held_out_subjects=owners
        )
        test = stats.binomtest(copies, 20, alternative="less")
        agree(found.bound, test.proportion_ci(0.95, "exact").high)

    @pytest.mark.parametrize("count", [40, 250])
    def test_attack_on_membership(self, count):
        """scikit-learn goes up to 1 % false positives, without ties as here.

        Its score is the higher for a member, so a distance counts negative.
        """
        rng = np.random.default_rng(0)
        members, others = rng.normal(size=30) - 1.5, rng.normal(size=count)
        truth = np.repeat([1, 0], [30, count])
        scores = -np.concatenate([members, others])
        found = attack(members, others, images=1)
        agree(found.auc, roc_auc_score(truth, scores))
        false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
        agree(found.found, true[false <= 0.01].max())
        test = stats.binomtest(round(found.found * 30), 30)
        ends = test.proportion_ci(0.95, "exact")
        interval = found.found_interval
        agree([interval.low, interval.high], [ends.low, ends.high])

    def test_images_are_centred(self):
        """scikit-image samples the other way round: from where to where."""
        image = np.zeros([64, 64])
        image[9:30, 20:51] = images(1)[0][0, :21, :31]
        shift = centroid(image) - 31.5
        moved = warp(image, EuclideanTransform(translation=shift[::-1]))
        found = centred(image[None])[0]
        expected = block_reduce(moved, (2, 2), np.mean)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


class TestUptake:
    def test_wasserstein(self):
        a, b = (x.ravel() for x in features(rows=(30, 41)))
        agree(wasserstein(a, b), stats.wasserstein_distance(a, b))

    def test_histograms(self):
        """NumPy drops what lies beyond the last bin; it counts in it here."""
        pair = np.stack(images(2, seed=3))[:, 1] + 0.6
        assert pair.max() > SUVR_MAX
        clipped = [np.clip(x, 0, SUVR_MAX).ravel() for x in pair]
        edges = {"bins": 16, "range": (0, SUVR_MAX)}
        shares = [np.histogram(x, **edges)[0] / x.size for x in clipped]
        found = intensity_histogram(pair, suvr_max=SUVR_MAX, bins=16)
        agree(found, shares)
        edges["range"] = (edges["range"],) * 2
        both = np.histogram2d(*clipped, **edges)[0] / clipped[0].size
        agree(joint_histogram(*pair, suvr_max=SUVR_MAX, bins=16), both)
        middles = (np.arange(16) + 0.5) * SUVR_MAX / 16
        expected = stats.wasserstein_distance(middles, middles, *shares)
        agree(histogram_distance(*found, suvr_max=SUVR_MAX), expected)

    def test_radial_power_spectrum(self):
        """SciPy bins by edges; a ring reaches half a step to both sides."""
        image = images(1)[0][0]
        slope = np.sin(np.pi * (np.arange(32) + 0.5) / 32) ** 2
        window = np.outer(slope, slope)
        flat = (image - np.average(image, weights=window)) * window
        density = np.abs(np.fft.fft2(flat, norm="ortho")) ** 2
        steps = np.fft.fftfreq(32, 1 / 32)
        means = stats.binned_statistic(
            np.hypot(steps[:, None], steps).ravel(),
            density.ravel() / flat.size / np.mean(window**2),
            bins=np.arange(0.5, 23.6),
        ).statistic
        agree(radial_power_spectrum(image[None], spacing_mm=6).power[0], means)


class TestRegions:
    def test_moments_of_regions(self):
        values = np.random.default_rng(0).normal(1, 0.1, [24, 9])
        found = set_statistics(values, np.arange(24) // 2)
        table = pd.DataFrame(values)
        agree(found.mean.value, table.mean())
        agree(found.sd.value, table.std())
        agree(found.correlations.value, table.corr())

    def test_contrast_of_stages(self):
        """SciPy's t is of the first less the second; here the other way."""
        first, second = np.random.default_rng(0).normal(1, 0.1, [2, 9, 5, 4])
        found = welch(first[:6], second)
        expected = stats.ttest_ind(second, first[:6], equal_var=False)
        agree(found.t, expected.statistic)


class TestStudy:
    @pytest.mark.parametrize("stages", [2, 3])
    def test_scores_of_predictions(self, stages):
        """Areas of each stage against the others, unless there are two.

        Brier's score is the sum over the stages, as Brier has it; that of
        scikit-learn's two stages is half of it.
        """
        rng = np.random.default_rng(0)
        truth = np.arange(30) % stages
        weights = rng.random([30, stages]).round(1) + 0.1  # some tie
        weights[np.arange(30), truth] += 0.3
        probabilities = weights / weights.sum(axis=1, keepdims=True)
        found = Predictions(
            np.arange(30).astype(str), truth, probabilities
        ).scores()
        predicted = probabilities.argmax(axis=1)
        judged = probabilities if stages > 2 else probabilities[:, 1]
        agree(found["accuracy"], accuracy_score(truth, predicted))
        expected = balanced_accuracy_score(truth, predicted)
        agree(found["balanced_accuracy"], expected)
        agree(found["auc"], roc_auc_score(truth, judged, multi_class="ovr"))
        errors = [
            brier_score_loss(truth == stage, probabilities[:, stage])
            for stage in range(stages)
        ]
        agree(found["brier"], sum(errors))

    def test_interval_over_splits(self):
        """SciPy's is for independent trainings; these share subjects."""
        values = np.random.default_rng(0).normal(size=5)
        test = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        # a variance of 1/5 + 1/4 of the values' in place of 1/5
        factor = np.sqrt((1 / 5 + 1 / 4) / (1 / 5))
        ends = np.array([test.low, test.high])
        found = over_trainings(values, 5)
        mean = values.mean()
        agree([found.low, found.high], mean + factor * (ends - mean))


class TestConfidence:
    def test_percentiles_of_a_normal_mean_become_those_of_student(self):
        """SciPy's interval of a mean, from 12 values with mean 3 and SD 2."""
        ranks = np.clip(np.linspace(0, 1, 100_001), 1e-9, 1 - 1e-9)
        # a resample's variance is divided by n, not by n - 1
        spread = 2 / np.sqrt(12) * np.sqrt(11 / 12)
        found = percentile_interval(3 + spread * stats.norm.ppf(ranks), 12)
        expected = stats.t.interval(0.95, 11, loc=3, scale=2 / np.sqrt(12))
        agree([found.low, found.high], expected)

    @pytest.mark.parametrize("right", [0, 5, 12])
    def test_interval_of_a_share(self, right):
        found = share_interval(right / 12, 12)
        test = stats.binomtest(right, 12).proportion_ci(0.95, "wilson")
        ends = np.array([test.low, test.high])
        np.testing.assert_allclose([found.low, found.high], ends, 1e-6, 1e-9)


class TestSymmetries:
    """What no implementation may depend on: order of rows, axes of features."""

    @pytest.mark.parametrize("each", [1, 4])
    @pytest.mark.parametrize("seed", range(3))
    def test_order_and_rotation(self, each, seed):
        real, synthetic = features(rows=(32, 32), seed=seed)
        subjects = np.arange(32) // each
        rng = np.random.default_rng(seed)
        order, others = rng.permutation(32), rng.permutation(32)
        turn = np.linalg.qr(rng.normal(size=[6, 6]))[0]
        pairs = (
            (real, synthetic, subjects),
            (real[order], synthetic[others], subjects[order]),
            (real @ turn, synthetic @ turn, subjects),
        )
        by_kid, by_balls, by_moments, by_nearest = zip(
            *(self._numbers(*pair) for pair in pairs), strict=True
        )
        for found in (by_kid, by_balls, by_moments, by_nearest):
            for other in found[1:]:
                np.testing.assert_allclose(other, found[0], rtol=1e-9)

    @staticmethod
    def _numbers(real, synthetic, owners):
        kwargs = {"subjects": owners}
        return (
            kid(real, synthetic, **kwargs),
            precision_recall_density_coverage(real, synthetic, **kwargs),
            frechet_distance(real, synthetic),
            np.sort(two_nearest_subjects(synthetic, real, owners).ratios),
        )
