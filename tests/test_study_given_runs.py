import pytest
from study_toy import make_settings
from toy_run import make_run

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.study.data import load_material
from pet_dcgan.study.generators import Place, fitting_runs


@pytest.fixture(scope="module")
def settings(toy_set):
    return make_settings(toy_set)


@pytest.fixture(scope="module")
def material(settings):
    return load_material(settings)


@pytest.fixture
def made(toy_set, tmp_path):
    """`made("ad", "AD", subjects=...)`: a run of that name."""

    def made(name, stage="AD", **changes):
        return make_run(tmp_path / name, toy_set, stage, **changes)

    return made


def test_runs_go_where_their_subjects_are(made, settings, material):
    few = made("few", subjects=sorted(material.subsets[34]["AD"]))
    whole = made("whole")
    assert fitting_runs([whole, few], settings, material) == {
        Place(34, "axial", "AD"): few,
        Place(100, "axial", "AD"): whole,
    }


def test_a_run_that_began_with_other_stages_of_the_fraction_fits(
    made, settings, material
):
    run = made("warm", subjects=sorted(material.subjects(34)))
    assert list(fitting_runs([run], settings, material)) == [
        Place(34, "axial", "AD")
    ]


def test_a_run_of_more_than_the_largest_fraction_is_refused(
    toy_set, made, material
):
    settings = make_settings(toy_set, fractions=(34,))
    (allowed,) = material.subsets[34]["AD"]
    outside = sorted({f"999_S_300{i}" for i in range(3)} - {allowed})
    with pytest.raises(DataLeakageError, match=f"2: {', '.join(outside)}"):
        fitting_runs([made("ad")], settings, load_material(settings))


def test_a_run_of_held_out_subjects_is_refused(made, settings, material):
    run = made("ad", subjects=["999_S_3000", "999_S_3003"])
    with pytest.raises(DataLeakageError, match="1: 999_S_3003"):
        fitting_runs([run], settings, material)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"size": 64}, "size 32, .*found 64"),
        ({"suvr_max": 3.0}, "suvr_max 2.5, .*found 3.0"),
        ({"phantom": False}, "phantom True, .*found False"),
        ({"plane": "coronal"}, "plane axial, found coronal"),
        ({"stage": "MCI"}, "stage NC or AD, found MCI"),
    ],
)
def test_runs_of_other_images_are_refused(
    made, settings, material, changes, found
):
    stage = changes.pop("stage", "AD")
    run = made("run", stage, subjects=["999_S_3000"], **changes)
    with pytest.raises(ValueError, match=found):
        fitting_runs([run], settings, material)


def test_a_run_without_a_generator_is_refused(made, settings, material):
    with pytest.raises(FileNotFoundError, match="finished run"):
        fitting_runs([made("ad", finished=False)], settings, material)


def test_two_runs_of_one_place_are_refused(made, settings, material):
    runs = [made("one"), made("two")]
    with pytest.raises(ValueError, match=r"expected one run of AD axial, 100"):
        fitting_runs(runs, settings, material)


def test_whom_a_generator_was_chosen_by_is_not_judged(toy_set, made):
    settings = make_settings(
        toy_set, with_validation=True, overrides={"select_every": 1}
    )
    run = made("ad")
    material = load_material(settings)
    assert fitting_runs([run], settings, material)
    object.__setattr__(run.config, "select_every", 1)
    with pytest.raises(ValueError, match="--with-validation"):
        fitting_runs([run], settings, material)
