"""Regions of an evaluation: numbers, intervals, what is not enough."""

import dataclasses
import json

import numpy as np
import pytest
from toy_evaluation import CONFIG, evaluation, slices

from pet_dcgan.evaluation.pair_scores import real_pairs
from pet_dcgan.evaluation.region_rows import region_tables
from pet_dcgan.evaluation.region_scores import region_scores
from pet_dcgan.metrics.regions import region_names

NAMES = list(region_names("axial"))


def cohort(subjects, each=4, seed=0, side=12):
    """Slices of people, each with levels of uptake of their own by region."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(1, 0.1, [subjects, 1, 3, 3])
    levels = np.repeat(levels, each, axis=1).reshape(-1, 3, 3)
    levels = levels + rng.normal(0, 0.03, levels.shape)
    images = np.kron(levels, np.ones([side // 3, side // 3]))
    return slices(subjects, each)._replace(images=images)


def scores(real, synthetic, **changes):
    images = evaluation(real, synthetic)
    config = type(CONFIG)(**vars(CONFIG) | changes)
    images = dataclasses.replace(images, config=config)
    found = region_scores(images, real_pairs(images))
    json.dumps(found[0], allow_nan=False)
    return found


def test_numbers_are_those_of_the_images():
    real, synthetic = cohort(9), cohort(60, 1, seed=1).images
    found = scores(real, synthetic)[0]
    corner = synthetic[:, 0, 0]
    number = found["mean"]["synthetic"]["front left"]
    assert number["value"] == pytest.approx(corner.mean(), abs=1e-6)
    low, high = number["interval"]
    assert low < number["value"] < high
    sd = found["sd"]["synthetic"]["front left"]["value"]
    assert sd == pytest.approx(corner.std(ddof=1), abs=1e-6)
    assert list(found["mean"]["real"]) == NAMES
    matrix = np.array(found["correlations"]["real"]["value"])
    assert matrix.shape == (9, 9)
    corners = real.images[:, 0, 0], real.images[:, 0, -1]
    expected = np.corrcoef(corners)[0, 1]
    assert matrix[0, 2] == pytest.approx(expected, abs=1e-6)
    assert found["correlations"]["real"]["low"][0][2] < matrix[0, 2]


def test_a_generator_that_mirrors_loses_the_asymmetry():
    real = cohort(9)
    real.images[:, :, :4] *= 1.4
    synthetic = cohort(60, 1, seed=1).images
    synthetic[:, :, :4] *= 1.4
    synthetic[::2] = synthetic[::2, :, ::-1]
    found = scores(real, synthetic)[0]["asymmetry"]
    for row in ("front", "middle", "back"):
        low, high = found["real"][row]["interval"]
        assert 0 < low < high
        assert abs(found["synthetic"][row]["value"]) < 0.05


def test_intervals_are_over_subjects():
    level = np.repeat(np.arange(9.0), 6)[:, None, None]
    real = slices(9, 6, side=12)
    real = real._replace(images=1 + 0.1 * level + 0.01 * real.images)
    found = scores(real, real.images + 0.3)[0]
    number = found["difference"]["real"]["front left"]
    low, high = number["interval"]
    assert low < number["value"] < high
    # slices of one subject are alike: the interval is that of nine, not of 54
    assert high - low > 0.05
    low, high = found["mean"]["real"]["centre"]["interval"]
    assert high - low > 0.3


def test_differences_of_images_that_are_brighter():
    real = cohort(3)
    images = evaluation(real, real.images)
    pairs = real_pairs(images)
    nearest = pairs["synthetic"].partners["nearest"]
    changed = dataclasses.replace(
        pairs["synthetic"], images=real.images[nearest] * 1.1
    )
    numbers, data = region_scores(images, pairs | {"synthetic": changed})
    bias = data.differences["synthetic"].bias
    for column, number in enumerate(
        numbers["difference"]["synthetic"].values()
    ):
        assert number["value"] == pytest.approx(bias[column], abs=1e-6)
        assert number["lower"] <= number["value"] <= number["upper"]
        assert 0.05 < number["value"] < 0.2


@pytest.mark.parametrize(
    ("subjects", "ceiling", "interval"),
    [(1, False, False), (3, False, False), (4, True, False), (8, True, True)],
)
def test_how_many_subjects_are_enough(subjects, ceiling, interval):
    found = scores(cohort(subjects), cohort(40, 1, seed=1).images)[0]
    for name in ("correlation", "difference", "sd_factor"):
        numbers = found["agreement"][name]
        assert numbers["synthetic"]["value"] is not None
        assert (numbers["real"]["value"] is not None) == ceiling
    ends = found["agreement"]["correlation"]["synthetic"]["interval"]
    assert (ends is not None) == interval
    ends = found["mean"]["real"]["centre"]["interval"]
    assert (ends is not None) == interval
    assert (found["difference"]["real"] is None) == (subjects == 1)


def test_images_without_variation():
    same = np.ones([40, 12, 12])
    found = scores(cohort(9), same)[0]
    assert found["agreement"]["correlation"]["synthetic"] == {
        "value": None,
        "interval": None,
    }
    assert found["agreement"]["sd_factor"]["synthetic"]["value"] is None
    assert found["sd"]["synthetic"]["centre"]["value"] == 0


def test_sagittal_slices_have_no_sides():
    found = scores(cohort(4), cohort(20, 1).images, plane="sagittal")[0]
    assert found["asymmetry"] is None
    assert "top front" in found["mean"]["real"]
    assert len(list(region_tables(found))) == 2


def test_every_row_has_a_number():
    found = scores(cohort(8), cohort(40, 1, seed=1).images)[0]
    tables = list(region_tables(found))
    assert len(tables) == 3
    for _, _, rows in tables:
        for row in rows:
            for kind in ("synthetic", "real"):
                value = {"regions": found}
                for name in row["path"].replace("*", kind).split("."):
                    value = value[name]
                assert value["value"] is not None, row
