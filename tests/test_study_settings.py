import numpy as np
import pytest
from study_toy import make_settings

from pet_dcgan.study.settings import StudySettings, _subset, load_study_data


@pytest.fixture(scope="module")
def data(toy_set):
    return load_study_data(make_settings(toy_set))


def test_settings_are_normalised():
    settings = StudySettings(
        data_dir="data", planes=("coronal", "axial"), fractions=(100, 25, 25)
    )
    assert settings.classes == ("NC", "AD")
    assert settings.test_splits == ("test",)
    assert settings.planes == ("axial", "coronal")
    assert settings.to_dict()["fractions"] == [25, 100]
    assert StudySettings(data_dir=".", task="three").classes[1] == "MCI"
    both = StudySettings(data_dir=".", with_validation=True)
    assert both.test_splits == ("validation", "test")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"task": "four"}, "four"),
        ({"planes": ("oblique",)}, "oblique"),
        ({"planes": ()}, "none"),
        ({"fractions": (0, 50)}, "0, 50"),
        ({"fractions": ()}, "none"),
        ({"seeds": 0}, "0, 400 and 0"),
        ({"preset": "nosuch"}, "nosuch"),
        ({"overrides": {"nosuch": 1}}, "nosuch"),
    ],
)
def test_unknown_values_are_refused(changes, found):
    with pytest.raises(ValueError, match=f"expected .*found .*{found}"):
        StudySettings(data_dir="data", **changes)


def test_a_subset_contains_every_smaller_one_and_depends_on_the_seed():
    names = [f"999_S_1{i:03}" for i in range(16)]
    smaller = set()
    for percent in (1, 10, 25, 50, 99, 100):
        chosen = _subset(names, percent=percent, seed=0)
        assert smaller <= chosen <= set(names)
        assert len(chosen) == max(1, round(16 * percent / 100))
        assert (
            _subset([*names[::-1], *names], percent=percent, seed=0) == chosen
        )
        smaller = chosen
    half = _subset(names, percent=50, seed=0)
    assert _subset(names, percent=50, seed=1) != half


def test_slices_of_training_and_of_test_subjects(data):
    training, test = data.training["axial"], data.test["axial"]
    assert training.images.shape == (2 * 3 * 4, 32, 32)
    assert test.images.shape == (2 * 2 * 4, 32, 32)
    for part in (training, test):
        stages = np.array([subject[6] for subject in part.subjects])
        np.testing.assert_array_equal(part.labels == 1, stages == "3")
    assert set(test.subjects) <= data.held_out
    assert not set(training.subjects) & data.held_out
    assert len(data.held_out) == 9
    assert training.count() == 24
    assert training.count(1) == 12
    assert training.count(0, of={"999_S_1000", "999_S_3000"}) == 4
    subjects, labels = data.test_subjects()
    assert [name[6:] for name in subjects] == ["1004", "1005", "3004", "3005"]
    assert labels.tolist() == [0, 0, 1, 1]


def test_fractions_hold_every_stage(data):
    for stage in ("NC", "MCI", "AD"):
        few, whole = (data.subsets[f][stage] for f in (34, 100))
        assert len(few) == 1
        assert few < whole
        assert len(whole) == 3
    third = data.training["axial"].of(data.subjects(34))
    assert len(third.images) == 2 * 4


def test_validation_subjects_are_tested_on_by_option(toy_set):
    settings = make_settings(toy_set, with_validation=True)
    found = load_study_data(settings).test["axial"]
    assert len(set(found.subjects)) == 2 * (2 + 1)


def test_a_plane_that_the_set_lacks_is_refused(toy_set):
    settings = make_settings(toy_set, planes=("axial", "coronal"))
    with pytest.raises(ValueError, match=r"found coronal: .*all_128"):
        load_study_data(settings)
