import pytest

from pet_dcgan.study.settings import StudySettings


def test_the_defaults_are_those_of_the_paper_s_question():
    told = StudySettings(data_dir="data")
    assert told.classes == ("NC", "AD")
    assert (told.planes, told.fractions, told.seeds) == (
        ("axial",),
        (25, 100),
        5,
    )
    assert told.judged_on == ("test",)
    assert StudySettings(data_dir=".", task="three").classes[1] == "MCI"
    both = StudySettings(data_dir=".", with_validation=True)
    assert both.judged_on == ("validation", "test")


def test_order_and_repeats_do_not_matter():
    told = StudySettings(
        data_dir="data", planes=("coronal", "axial"), fractions=(100, 25, 25)
    )
    assert (told.planes, told.fractions) == (("axial", "coronal"), (25, 100))
    assert told.to_dict()["fractions"] == [25, 100]


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
def test_what_is_unknown_is_refused(changes, found):
    with pytest.raises(ValueError, match=f"expected .*found .*{found}"):
        StudySettings(data_dir="data", **changes)
