import numpy as np
import pytest
from study_toy import make_settings

from pet_dcgan.study.data import load_material


@pytest.fixture(scope="module")
def material(toy_set):
    return load_material(make_settings(toy_set))


def test_who_is_learnt_from_and_who_is_judged(material):
    training, judged = material.training["axial"], material.judged["axial"]
    assert training.images.shape == (2 * 3 * 4, 32, 32)
    assert judged.images.shape == (2 * 2 * 4, 32, 32)
    for part in (training, judged):
        stages = np.array([subject[6] for subject in part.subjects])
        np.testing.assert_array_equal(part.labels == 1, stages == "3")
    assert set(judged.subjects) <= material.held_out
    assert not set(training.subjects) & material.held_out
    assert len(material.held_out) == 9


def test_fractions_are_nested_and_hold_every_stage(material):
    for stage in ("NC", "MCI", "AD"):
        few, all_of_it = (material.subsets[f][stage] for f in (34, 100))
        assert len(few) == 1
        assert few < all_of_it
        assert len(all_of_it) == 3
    third = material.learnt_from(34, "axial")
    assert len(third.images) == 2 * 4
    assert set(third.subjects) <= material.subjects(34)


def test_slices_are_counted_without_being_copied(material):
    training = material.training["axial"]
    assert training.count() == 24
    assert training.count(1) == 12
    assert training.count(0, of={"999_S_1000", "999_S_3000"}) == 4


def test_validation_subjects_are_judged_where_asked(toy_set):
    settings = make_settings(toy_set, with_validation=True)
    found = load_material(settings).judged["axial"]
    assert len(set(found.subjects)) == 2 * (2 + 1)


def test_a_plane_that_the_set_lacks_is_refused(toy_set):
    settings = make_settings(toy_set, planes=("axial", "coronal"))
    with pytest.raises(ValueError, match=r"found coronal: .*all_128"):
        load_material(settings)
