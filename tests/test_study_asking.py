import numpy as np
import pytest
from study_toy import make_settings
from toy_run import make_run

from pet_dcgan.study.classifiers import Cell, ask, nothing_said
from pet_dcgan.study.data import load_material
from pet_dcgan.study.generators import Place


@pytest.fixture(scope="module")
def material(toy_set):
    return load_material(make_settings(toy_set))


@pytest.fixture(scope="module")
def generators(toy_set, tmp_path_factory):
    home = tmp_path_factory.mktemp("runs")
    return {
        Place(100, "axial", stage): make_run(home / stage, toy_set, stage)
        for stage in ("NC", "AD")
    }


def test_who_is_judged_before_anything_is_said(material):
    blank = nothing_said(material.judged, 2)
    assert blank.subjects.tolist() == [
        *("999_S_1004", "999_S_1005"),
        *("999_S_3004", "999_S_3005"),
    ]
    assert blank.truth.tolist() == [0, 0, 1, 1]
    assert (blank.probabilities == 0.5).all()


def test_the_same_cell_says_the_same_bits(toy_set, material, generators):
    said = [
        ask(
            Cell(100, 0, "real+synthetic"),
            settings=make_settings(toy_set, steps=3),
            material=material,
            generators=generators,
        )
        for _ in range(2)
    ]
    first, second = (answer.probabilities for answer in said)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first.sum(axis=1), 1)


def test_shuffled_labels_stay_at_chance_where_true_ones_separate(
    toy_set, material
):
    """The stages differ in brightness alone, which no subject hides."""
    settings = make_settings(toy_set, shuffle_labels=True)
    areas = [
        ask(
            Cell(100, seed, "real"),
            settings=settings,
            material=material,
            generators={},
        ).scores()["auc"]
        for seed in range(4)
    ]
    assert 0.1 < np.mean(areas) < 0.9
