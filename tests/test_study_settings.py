import numpy as np
import pytest
import toy_data
from study_toy import make_settings

from pet_dcgan.study.data import load_study_data
from pet_dcgan.study.report import summarise
from pet_dcgan.study.settings import StudySettings
from pet_dcgan.study.splits import Place


@pytest.fixture(scope="module")
def data(toy_set):
    return load_study_data(make_settings(toy_set))


def test_settings_are_normalised():
    settings = StudySettings(
        data_dir="data", planes=("coronal", "axial"), fractions=(100, 25, 25)
    )
    assert settings.classes == ("NC", "AD")
    assert settings.planes == ("axial", "coronal")
    assert settings.to_dict()["fractions"] == [25, 100]
    assert StudySettings(data_dir=".", task="three").classes[1] == "MCI"


def test_each_repetition_has_a_seed_of_its_own():
    places = [Place(split, seed, 25) for split in (0, 9) for seed in (0, 9)]
    seeds = {
        StudySettings(data_dir=".", seed=seed).seed_at(place)
        for seed in (0, 1)
        for place in places
    }
    assert len(seeds) == 2 * len(places)
    settings = StudySettings(data_dir=".")
    assert settings.seed_at(Place(2, 1, 25)) == settings.seed_at(
        Place(2, 1, 100)
    )


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"task": "four"}, "four"),
        ({"planes": ("oblique",)}, "oblique"),
        ({"planes": ()}, "none"),
        ({"fractions": (0, 50)}, "0, 50"),
        ({"fractions": ()}, "none"),
        ({"seeds": 0}, "5, 0, 400 and 2000, and 0"),
        ({"splits": 0}, "0, 1, 400 and 2000, and 0"),
        ({"splits": 1001}, "1001, 1, 400 and 2000, and 0"),
        ({"generator_steps": 0}, "400 and 0, and 0"),
        ({"seed": -1}, "and -1"),
        ({"splits": 1, "by_site": True}, "1, the set's own"),
        ({"preset": "nosuch"}, "nosuch"),
        ({"overrides": {"nosuch": 1}}, "nosuch"),
    ],
)
def test_unknown_values_are_refused(changes, found):
    with pytest.raises(ValueError, match=f"expected .*found .*{found}"):
        StudySettings(data_dir="data", **changes)


def test_slices_of_training_and_of_test_subjects(data):
    slices, (split,) = data.slices["axial"], data.splits
    assert slices.images.shape == (2 * 6 * 4, 32, 32)
    training, test = (slices.of(part) for part in (split.training, split.test))
    assert training.images.shape == (2 * 3 * 4, 32, 32)
    assert test.images.shape == (2 * 2 * 4, 32, 32)
    for part in (training, test):
        stages = np.array([subject[6] for subject in part.subjects])
        np.testing.assert_array_equal(part.labels == 1, stages == "3")
    assert slices.count(of=split.training) == 24
    assert slices.count(1, of=split.training) == 12
    assert slices.count(0, of={"999_S_1000", "999_S_3000"}) == 4
    subjects, labels = data.test_subjects(0)
    assert [name[6:] for name in subjects] == ["1004", "1005", "3004", "3005"]
    assert labels.tolist() == [0, 0, 1, 1]
    assert data.validation(0, "AD") == {"999_S_3003"}


def test_splits_of_its_own_test_every_subject_once(toy_set):
    data = load_study_data(make_settings(toy_set, splits=3))
    tested = np.concatenate([data.test_subjects(n)[0] for n in range(3)])
    assert len(tested) == len(set(tested)) == 12
    for split in range(3):
        subjects, labels = data.test_subjects(split)
        assert labels.sum() == 2
        for stage in ("NC", "MCI", "AD"):
            own = data.subjects(Place(split, 0, 100), stage)
            held_out = data.validation(split, stage)
            assert (len(own), len(held_out)) == (3, 1)
            assert not (own | held_out) & set(subjects)


def test_too_few_subjects_for_the_splits_are_refused(toy_set):
    with pytest.raises(ValueError, match=r"6 AD, 6 NC: choose --splits 3"):
        load_study_data(make_settings(toy_set, splits=4))
    with pytest.raises(ValueError, match=r"only site 999: leave out --by-site"):
        load_study_data(make_settings(toy_set, splits=2, by_site=True))


def test_by_site_a_split_tests_whole_sites(tmp_path, monkeypatch):
    example = toy_data._example

    def at_three_sites(stage, subject, position):
        found = example(stage, subject, position)
        name = f"{100 + subject % 3}{found['subject'][3:]}"
        return found | {"subject": name}

    monkeypatch.setattr(toy_data, "_example", at_three_sites)
    where = toy_data.prepare(tmp_path)
    data = load_study_data(make_settings(where, splits=3, by_site=True))
    sites = [{name[:3] for name in split.test} for split in data.splits]
    assert sorted(map(sorted, sites)) == [["100"], ["101"], ["102"]]
    summary = summarise(data, {}, cells=[], generators=[])
    assert (summary["by_site"], summary["sites"]) == (True, 3)
    assert summary["tested"] == {"NC": 6, "AD": 6}


def test_fractions_hold_every_stage_and_differ_by_repetition(toy_set, data):
    for stage in ("NC", "MCI", "AD"):
        few, whole = (
            data.subjects(Place(0, 0, fraction), stage)
            for fraction in (34, 100)
        )
        assert len(few) == 1
        assert few < whole
        assert len(whole) == 3
    chosen = {frozenset(data.subjects(Place(0, seed, 34))) for seed in range(5)}
    assert len(chosen) > 1


def test_a_plane_that_the_set_lacks_is_refused(toy_set):
    settings = make_settings(toy_set, planes=("axial", "coronal"))
    with pytest.raises(ValueError, match=r"found coronal: .*all_128"):
        load_study_data(settings)


def test_a_set_of_volumes_is_refused(toy_volumes):
    settings = make_settings(toy_volumes, dataset="volume_32")
    with pytest.raises(ValueError, match=r"set of slices, .* axial_64"):
        load_study_data(settings)
