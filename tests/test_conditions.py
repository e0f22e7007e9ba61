"""What a conditional generator is asked for: its description and its values."""

import math

import numpy as np
import pytest

from pet_dcgan.conditions import Conditions
from pet_dcgan.models.condition_values import checked_values, stage_weights

AXIAL = {"axial": (0.0, 36.0)}
BOTH = AXIAL | {"coronal": (-54.0, -18.0)}


def make(names=("stage", "position"), bands_mm=AXIAL, **options):
    return Conditions(names=names, bands_mm=bands_mm, **options)


def test_order_is_that_of_the_networks_whatever_is_given():
    found = make(("position", "stage", "plane"), dict(reversed(BOTH.items())))
    assert found.names == ("stage", "plane", "position")
    assert found.planes == ("axial", "coronal")
    assert found.inputs == {"stage": 3, "plane": 3, "position_mm": 1}


def test_every_condition_has_an_input():
    names = ("stage", "plane", "position", "age", "sex")
    inputs = make(names, ages=(50, 90)).inputs
    assert list(inputs) == ["stage", "plane", "position_mm", "age", "sex"]


def test_dictionary_gives_the_same_conditions():
    conditions = make(("stage", "plane", "age"), BOTH, ages=(55, 90.5))
    assert Conditions.from_dict(conditions.to_dict()) == conditions


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"names": ("position",)}, "expected stage among the conditions"),
        ({"names": ("stage", "stage")}, "each once"),
        ({"names": ("stage", "weight")}, "expected conditions among stage"),
        ({"names": ()}, "expected conditions among stage"),
        ({"names": ("stage",), "bands_mm": BOTH}, "expected plane among"),
        ({"stages": ("AD",)}, "two stages or more"),
        ({"stages": ("AD", "SCD")}, "expected stages among NC, MCI, AD"),
        ({"bands_mm": {}}, "expected planes among axial"),
        ({"bands_mm": {"axial": (36, 0)}}, "the lower one first"),
        ({"bands_mm": {"axial": (0, math.nan)}}, "expected band of axial"),
        ({"bands_mm": {"axial": 3}}, "expected band of axial"),
        ({"ages": (50, 90)}, "expected ages where age is a condition"),
        ({"names": ("stage", "age")}, "expected ages where age is a"),
        ({"names": ("stage", "age"), "ages": (-1, 9)}, "expected ages as two"),
    ],
)
def test_contradictions_are_refused_in_one_line(options, words):
    with pytest.raises(ValueError, match=words) as error:
        make(**{"names": ("stage", "position")} | options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        {"names": ["stage"]},
        make().to_dict() | {"more": 1},
        make().to_dict() | {"bands_mm": [0, 36]},
        make().to_dict() | {"names": 7},
        make().to_dict() | {"stages": [["NC"], "AD"]},
        make().to_dict() | {"bands_mm": {"axial": ["a", "b"]}},
    ],
)
def test_a_foreign_dictionary_is_refused(values):
    with pytest.raises(ValueError, match="expected"):
        Conditions.from_dict(values)


def test_a_stage_is_a_name_or_weights():
    assert stage_weights("MCI") == (0, 1, 0)
    assert stage_weights([0.5, 0.25, 0.25]) == (0.5, 0.25, 0.25)
    assert stage_weights(np.array([0, 0, 1])) == (0, 0, 1)


@pytest.mark.parametrize(
    "stage",
    [
        *("SCD", "", None),
        *((1, 0), (0.5, 0.4, 0), (1.5, -0.5, 0), (math.inf, 0, 0)),
        # wherever NaN stands
        *((math.nan, 0, 1), (0.5, math.nan, 0.5), (0.5, 0.5, math.nan)),
    ],
)
def test_other_stages_are_refused(stage):
    with pytest.raises(ValueError, match="expected"):
        stage_weights(stage)


def test_values_are_numbers_and_the_only_plane_is_known():
    found = checked_values(make(), stage="AD", position_mm=12)
    assert found["stage"] == (0, 0, 1)
    assert (found["plane"], found["position_mm"]) == ("axial", 12.0)
    assert math.isnan(found["age"])
    assert math.isnan(found["sex"])


def test_what_is_not_asked_for_is_left_open():
    conditions = make(("stage", "plane", "position"), BOTH)
    found = checked_values(conditions)
    assert found["stage"] is None
    assert found["plane"] is None
    assert found["position_mm"] is None


def test_age_and_sex_are_years_and_a_bit():
    conditions = make(("stage", "age", "sex"), ages=(55, 90))
    found = checked_values(conditions, age=70, sex="M")
    assert (found["age"], found["sex"]) == (70.0, 1.0)
    assert checked_values(conditions, sex="F")["sex"] == 0.0


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"stage": "MCI"}, "expected a stage among NC, AD"),
        ({"stage": (0.5, 0.5, 0)}, "expected a stage among NC, AD"),
        ({"plane": "sagittal"}, "expected a plane among axial, coronal"),
        ({"position_mm": 3.0}, "expected a plane with position"),
        ({"plane": "axial", "position_mm": 36.5}, "from 0 to 36 mm in the ax"),
        ({"plane": "coronal", "position_mm": 0.0}, "from -54 to -18 mm"),
        ({"plane": "axial", "position_mm": math.nan}, "expected a position"),
        ({"plane": "axial", "position_mm": "3"}, "expected a position from"),
        ({"age": "70"}, "expected an age from 55 to 90"),
        ({"age": 95}, "expected an age from 55 to 90"),
        ({"age": math.nan}, "expected an age from 55 to 90"),
        ({"sex": "m"}, "expected sex F or M"),
    ],
)
def test_what_the_generator_does_not_know_is_refused(wanted, words):
    names = ("stage", "plane", "position", "age", "sex")
    conditions = make(names, BOTH, stages=("NC", "AD"), ages=(55, 90))
    with pytest.raises(ValueError, match=words):
        checked_values(conditions, **wanted)


@pytest.mark.parametrize(
    "wanted", [{"position_mm": 3}, {"age": 70}, {"sex": "F"}]
)
def test_what_is_no_condition_cannot_be_asked_for(wanted):
    with pytest.raises(ValueError, match="conditions are stage"):
        checked_values(make(("stage",)), **wanted)
