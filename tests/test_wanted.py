import math

import numpy as np
import pytest
from test_model_info import FACTS
from toy_asked import CONDITIONS, FEW

from pet_dcgan.models.condition_rows import (
    as_columns,
    as_inputs,
    example_rows,
)
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.png_notes import description, png_notes
from pet_dcgan.serving.wanted import Wanted, WantedError, drawn_position


def facts(conditions=CONDITIONS, **changes):
    values = vars(FACTS) | {"stage": "ALL", "conditions": conditions.to_dict()}
    plane = "ALL" if len(conditions.planes) > 1 else conditions.planes[0]
    return ModelInfo(**values | {"plane": plane} | changes)


def asked(conditions=CONDITIONS, **given):
    return Wanted(**given).of(facts(conditions))


def test_a_request_by_name_and_its_columns():
    found = asked(stage="AD", plane="axial", position_mm=12, age=75, sex="F")
    columns = found.columns([3, 4])
    assert columns == {
        "stage": [[0.0, 0.0, 1.0]] * 2,
        "plane": ["axial"] * 2,
        "position_mm": [12.0] * 2,
        "age": [75.0] * 2,
        "sex": ["F"] * 2,
    }
    assert list(columns) == list(CONDITIONS.inputs)


def test_what_is_not_given_is_unknown_and_the_only_plane_is_taken():
    found = asked(FEW, stage=np.array([0.5, 0, 0.5]), position_mm=0)
    assert found.columns([1]) == {
        "stage": [[0.5, 0.0, 0.5]],
        "position_mm": [0.0],
    }
    found = asked(stage="NC", plane="coronal", position_mm=0).columns([1])
    assert (found["age"], found["sex"]) == ([-1.0], [""])


def test_a_position_is_drawn_by_the_seed_alone_and_evenly():
    found = asked(stage="NC", plane="axial")
    seeds = [*range(2000), 2**62]
    positions = found.columns(seeds)["position_mm"]
    assert (
        positions
        == asked(stage="AD", plane="axial").columns(seeds)["position_mm"]
    )
    assert found.row(7)["position_mm"] == positions[7]
    assert min(positions) >= -40
    assert max(positions) <= 50
    counts, _ = np.histogram(positions, 9, (-40, 50))
    assert counts.min() > 170  # 222 in each, and 15 for chance
    assert all(round(position, 2) == position for position in positions)


def test_a_drawn_position_is_that_of_its_hash():
    """SHA-256 of `position 0` begins with 0x2d81, which is 0.1778 of 1."""
    import hashlib

    first = hashlib.sha256(b"position 0").digest()[:2]
    share = int.from_bytes(first, "big") / 65536
    assert drawn_position(0, 0, 100) == pytest.approx(100 * share, abs=0.01)
    assert drawn_position(0, 5, 5) == 5
    # never beyond an end that has more digits
    assert 0.001 <= drawn_position(1, 0.001, 0.004) <= 0.004


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "expected a stage among NC, MCI, AD"),
        ({"stage": "ALL", "plane": "axial"}, "expected a stage among NC"),
        ({"stage": "EMCI", "plane": "axial"}, "expected a stage among NC"),
        ({"stage": [0.5, 0.4, 0], "plane": "axial"}, "that sum to 1"),
        ({"stage": [math.nan] * 3, "plane": "axial"}, "that sum to 1"),
        ({"stage": [1, 0], "plane": "axial"}, "that sum to 1"),
        ({"stage": [10**400, 0, 0], "plane": "axial"}, "that sum to 1"),
        ({"stage": "AD"}, "expected a plane among axial, coronal, found none"),
        ({"stage": "AD", "plane": "sagittal"}, "among axial, coronal"),
        ({"position_mm": 51}, "from -40 to 50 mm in the axial plane"),
        ({"position_mm": math.nan}, "position_mm to be a number"),
        ({"position_mm": "x"}, "position_mm to be a number"),
        ({"age": 54}, "expected an age from 55 to 90"),
        ({"age": math.inf}, "expected age to be a number"),
        ({"sex": "f"}, "expected sex F or M"),
    ],
)
def test_what_a_model_does_not_know_is_one_line(given, words):
    complete = {"stage": "AD", "plane": "axial"}
    known = {} if {"stage", "plane"} & set(given) or not given else complete
    with pytest.raises(WantedError, match=words) as refused:
        asked(**known, **given)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stage": "MCI"}, "among NC, AD, which the generator was trained"),
        ({"stage": [0.5, 0.5, 0]}, "found MCI"),
        ({"age": 75}, "expected no age"),
        ({"sex": "M"}, "expected no sex"),
        ({"plane": "axial"}, "expected a plane among coronal"),
    ],
)
def test_what_few_conditions_leave(given, words):
    with pytest.raises(WantedError, match=words):
        asked(FEW, **{"stage": "AD"} | given)


def test_a_model_without_conditions_is_asked_for_nothing():
    assert Wanted().of(FACTS) is None
    for given in ({"stage": "AD"}, {"position_mm": 0.0}, {"sex": "F"}):
        with pytest.raises(WantedError, match="without conditions"):
            Wanted(**given).of(FACTS)


def test_names_of_files_tell_the_stage():
    labels = {
        "AD": "ad",
        (0.5, 0.5, 0): "nc50-mci50-ad0",
        (0.3333, 0.3333, 0.3334): "nc33.33-mci33.33-ad33.34",
    }
    for stage, label in labels.items():
        assert asked(stage=stage, plane="axial").label == label


def test_a_batch_is_another_if_anything_else_is_asked_for():
    base = {"stage": "AD", "plane": "axial"}
    others = (
        {},
        {"stage": "NC"},
        {"stage": (0, 0.5, 0.5)},
        {"plane": "coronal"},
        {"position_mm": 0},
        {"age": 60},
        {"sex": "M"},
    )
    found = {str(asked(**base | other).identity()) for other in others}
    assert len(found) == len(others)


# --- rows ---------------------------------------------------------------------


def test_rows_as_a_request_and_as_a_network_have_them():
    rows = [
        asked(stage="MCI", plane="coronal", position_mm=-3, sex="M").row(0),
        asked(stage="NC", plane="axial", position_mm=4, age=80).row(0),
    ]
    columns = as_columns(CONDITIONS, rows)
    assert columns["age"] == [-1.0, 80.0]
    assert columns["sex"] == ["M", ""]
    inputs = as_inputs(CONDITIONS, rows)
    assert {n: v.shape[1] for n, v in inputs.items()} == CONDITIONS.inputs
    assert inputs["stage"].tolist() == [[0, 1, 0], [1, 0, 0]]
    assert inputs["plane"].tolist() == [[0, 1, 0], [1, 0, 0]]
    assert inputs["position_mm"].tolist() == [[-3], [4]]
    np.testing.assert_array_equal(inputs["age"], [[np.nan], [80]])
    np.testing.assert_array_equal(inputs["sex"], [[1], [np.nan]])


@pytest.mark.parametrize("conditions", [CONDITIONS, FEW])
def test_examples_use_all_that_is_known(conditions):
    rows = example_rows(conditions)
    assert len(rows) <= 16
    planes = {row["plane"] for row in rows}
    assert planes == set(conditions.planes)
    for plane in planes:
        here = [row for row in rows if row["plane"] == plane]
        assert {row["position_mm"] for row in here} == set(
            conditions.bands_mm[plane]
        )
        weights = [row["stage"] for row in here]
        assert len([each for each in weights if 1.0 in each]) == len(
            conditions.stages
        )
        assert any(0 < max(each) < 1 for each in weights)
    if conditions.ages:
        ages = {row["age"] for row in rows if not math.isnan(row["age"])}
        assert ages == set(conditions.ages)


# --- what files say -----------------------------------------------------------


def test_notes_and_description_of_an_image():
    row = asked(stage="AD", plane="axial", position_mm=12.25, age=75).row(0)
    notes = png_notes(facts(), row)
    assert (
        notes
        | {
            "stage": "AD",
            "plane": "axial",
            "position_mm": "12.25",
            "age": "75",
        }
        == notes
    )
    assert "sex" not in notes
    words = "synthetic phantom PET, not for diagnosis: AD axial 12.2mm 75y"
    assert notes["Description"] == words


def test_the_longest_description_fits_into_a_nifti_header():
    wide = dict(vars(CONDITIONS), ages=(0, 130))
    wide["bands_mm"] = {"sagittal": (-120.5, 0)}
    conditions = type(CONDITIONS)(**wide)
    row = asked(
        conditions,
        stage=(0.3333, 0.3333, 0.3334),
        position_mm=-120.5,
        age=100,
        sex="F",
    ).row(0)
    found = description(facts(conditions), row)
    assert found.endswith(": 33/33/33% sagittal -120.5mm 100y F")
    assert len(found) <= 79
