import numpy as np
import pytest
from toy_evaluation import evaluation, slices

from pet_dcgan.evaluation.images import Samples
from pet_dcgan.evaluation.set_scores import (
    intensity_scores,
    number,
    texture_scores,
)
from pet_dcgan.metrics.uptake import wasserstein


def test_a_number_of_all_rows_with_the_interval_of_halves():
    samples = Samples({}, {"real": np.arange(20) // 2}, seed=0)
    values = {"real": np.arange(20.0)}
    found = number(np.mean, values, samples, "real")
    low, high = found["interval"]
    assert low < 9.5 < high
    assert found["value"] == 9.5
    found = number(np.mean, values, samples, "real", interval=False)
    assert found == {"value": 9.5, "interval": None}


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
