import dataclasses

import numpy as np
import pytest

from pet_dcgan.conditions import Conditions
from pet_dcgan.data.conditional_slices import (
    condition_arrays,
    conditions_for,
    slice_gap_mm,
)
from pet_dcgan.data.prepared_set import load_slices

NAMES = ("stage", "plane", "position", "age", "sex")


@pytest.fixture(scope="module")
def slices(toy_set):
    """36 slices, 12 of each stage, of axial positions 0, 6, 12 and 18 mm."""
    return load_slices(
        toy_set, "axial_32", split="train", stage="ALL", plane="ALL"
    )


@pytest.fixture
def mixed(slices):
    """Four slices of three stages and two planes, one of an unknown age."""
    return dataclasses.replace(
        slices,
        images=slices.images[:4],
        stages=np.array(["NC", "MCI", "AD", "NC"]),
        planes=np.array(["axial", "sagittal", "axial", "axial"]),
        positions_mm=np.array([-1.5, -20.0, 24.5, 3.0], np.float32),
        ages=np.array([70.5, 81.0, np.nan, 62.0], np.float32),
        sexes=np.array(["F", "M", "", "M"]),
    )


def test_conditions_are_those_of_the_slices(mixed):
    found = conditions_for(mixed, NAMES)
    # the set says nothing of the sagittal band
    bands = {"axial": (-3.0, 24.5), "sagittal": (-20.0, -20.0)}
    assert found == Conditions(names=NAMES, bands_mm=bands, ages=(62.0, 81.0))
    ages = np.array([90.1, 55.3, 55.3, np.nan], np.float32)
    people = conditions_for(dataclasses.replace(mixed, ages=ages), NAMES)
    assert people.ages == (55.0, 91.0)  # nobody's, see what an export shows
    meta = dataclasses.replace(mixed.meta, bands_mm={})
    silent = conditions_for(dataclasses.replace(mixed, meta=meta), NAMES)
    assert silent.bands_mm["axial"] == (-1.5, 24.5)


def test_a_band_holds_every_position_that_a_slice_may_have(slices):
    """From 0 up to 24 mm, cut at pixels of 6 mm at most 3 mm from there."""
    found = conditions_for(slices, ["position", "stage"])
    assert found.names == ("stage", "position")
    assert found.bands_mm == {"axial": (-3.0, 21.0)}
    assert found.ages is None
    assert slice_gap_mm(slices) == 6.0
    assert np.all(np.abs(slices.positions_mm - 9.0) <= 12.0)


def test_arrays_are_what_networks_take(mixed):
    conditions = conditions_for(mixed, NAMES)
    found = condition_arrays(mixed, conditions)
    assert list(found) == list(conditions.inputs)
    for name, width in conditions.inputs.items():
        assert found[name].dtype == np.float32
        assert found[name].shape == (4, width)
    nan = np.nan
    expected = {
        "stage": [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]],
        "plane": [[1, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 0]],
        "position_mm": [[-1.5], [-20.0], [24.5], [3.0]],
        "age": [[70.5], [81.0], [nan], [62.0]],
        "sex": [[0.0], [1.0], [nan], [1.0]],
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)
    few = conditions_for(mixed, ["stage", "plane"])
    assert list(condition_arrays(mixed, few)) == ["stage", "plane"]


def test_a_plane_is_a_condition_of_a_set_of_one_as_well(slices):
    conditions = conditions_for(slices, ["stage", "plane"])
    found = condition_arrays(slices, conditions)["plane"]
    np.testing.assert_array_equal(found, [[1, 0, 0]] * 36)


@pytest.mark.parametrize(
    "names",
    [["stage", "stage"], ["stage", "gender"], ["plane", "position"], []],
    ids=["twice", "unknown", "without stage", "none"],
)
def test_names_that_are_no_conditions_are_refused(slices, names):
    with pytest.raises(ValueError, match="each once and stage among") as caught:
        conditions_for(slices, names)
    assert ", ".join(names) in str(caught.value)
    assert str(caught.value).endswith("--conditions stage,plane,position")


def test_slices_that_lack_a_stage_are_refused(toy_set, mixed):
    alone = load_slices(
        toy_set, "axial_32", split="train", stage="AD", plane="axial"
    )
    with pytest.raises(ValueError, match="none of NC, MCI in axial_32: "):
        conditions_for(alone, ["stage"])
    without = dataclasses.replace(mixed, stages=np.repeat(["NC", "AD"], 2))
    with pytest.raises(ValueError, match="none of MCI in axial_32: prepare"):
        conditions_for(without, ["stage"])


def test_planes_have_to_be_told_apart(mixed):
    match = "conditions of axial, sagittal slices, found stage, position: add"
    with pytest.raises(ValueError, match=match):
        conditions_for(mixed, ["stage", "position"])


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("age", {"ages": np.full(4, np.nan, np.float32)}),
        ("sex", {"sexes": np.full(4, "")}),
    ],
)
def test_what_is_known_of_nobody_is_no_condition(mixed, name, unknown):
    nobody = dataclasses.replace(mixed, **unknown)
    with pytest.raises(ValueError, match=f"found none: leave out {name}, or"):
        conditions_for(nobody, NAMES)
    rest = [each for each in NAMES if each != name]
    assert name not in conditions_for(nobody, rest).names
