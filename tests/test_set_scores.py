from types import SimpleNamespace

import numpy as np
import pytest
from toy_evaluation import evaluation, slices

from pet_dcgan.evaluation.set_scores import (
    intensity_scores,
    memorization_scores,
    number,
    texture_scores,
)
from pet_dcgan.metrics.uptake import wasserstein


def test_a_number_of_all_rows_with_the_interval_of_halves():
    values, owners = np.arange(20.0), np.arange(20) // 2

    def mean(rows):
        return float(values[rows].mean())

    found = number(mean, (owners,))
    low, high = found["interval"]
    assert low < 9.5 < high
    assert found["value"] == 9.5
    assert number(mean, (owners,), interval=False)["interval"] is None


@pytest.mark.parametrize("with_others", [True, False])
def test_texture_and_intensities_beside_real_ones(with_others):
    real, others = slices(9, 2, 0, 16), slices(9, 3, 1, 16)
    real = real._replace(images=real.images * 0.1 + 1)
    synthetic = real.images[::-1] + 0.25
    others = others._replace(images=others.images * 0.1 + 1)
    images = evaluation(real, synthetic, others if with_others else None)
    numbers, spectra = texture_scores(images)
    distances, histograms = intensity_scores(images)
    kinds = {"real", "synthetic"} | ({"others"} if with_others else set())
    assert set(spectra) == set(histograms) == kinds
    assert histograms["real"].shape == (18, 256)
    found = distances["wasserstein"]
    assert found["synthetic"]["value"] == pytest.approx(
        wasserstein(real.images, synthetic), abs=1e-6
    )
    assert found["synthetic"]["value"] == pytest.approx(0.25, abs=1e-6)
    # a shift leaves the texture as it is
    assert numbers["checkerboard"]["synthetic"]["value"] == pytest.approx(1)
    detail = numbers["finest_detail"]
    assert detail["real"]["value"] == detail["synthetic"]["value"] > 0
    for each in (found, numbers["distance"], numbers["checkerboard"]):
        assert (each["real"] is not None) is with_others


def discs(count, seed):
    """Blurred random squares: no two look like one brain."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.5, 2, [count, 8, 8])
    return np.pad(coarse.repeat(3, 1).repeat(3, 2), [(0, 0), (4, 4), (4, 4)])


def memorization(training_subjects, replayed):
    training = discs(6, 0)
    held_out = slices(6, 1)._replace(images=discs(6, 1))
    synthetic = np.concatenate([training[:replayed], discs(6 - replayed, 2)])
    stored = np.round(training / 2.5 * 65535).astype(np.uint16)
    trained = SimpleNamespace(images=stored, subjects=training_subjects)
    return memorization_scores(evaluation(held_out, synthetic, None, trained))


def test_copies_are_found_and_shown_first():
    numbers, (synthetic, training) = memorization(np.arange(6), replayed=2)
    assert numbers["verdict"] == "copies"
    assert numbers["twins"] == pytest.approx(2 / 6, abs=1e-6)
    assert numbers["images"] == numbers["held_out_subjects"] == 6
    assert len(synthetic) == len(training) == 6
    np.testing.assert_allclose(synthetic[:2], training[:2], atol=1e-4)
    assert memorization(np.arange(6), replayed=0)[0]["twins"] == 0


def test_one_training_subject_leaves_copies_open():
    numbers, closest = memorization(np.zeros(6), replayed=2)
    assert closest is None
    assert numbers["verdict"] is None
    assert "two training subjects" in numbers["words"]
