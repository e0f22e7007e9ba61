"""Measures of conditions, on images whose answer is known."""

import dataclasses

import numpy as np
import pytest

from pet_dcgan.conditions import Conditions
from pet_dcgan.training.condition_vitals import RealConditions

STAGE_AND_POSITION = Conditions(
    names=("stage", "position"), bands_mm={"axial": (0.0, 20.0)}
)
ALL = Conditions(
    names=("stage", "plane", "position", "age", "sex"),
    bands_mm={"axial": (0.0, 20.0), "sagittal": (0.0, 20.0)},
    ages=(60, 80),
)
SUBJECTS = 6
# images that stage, plane and position change by one step each
DIRECTIONS = np.random.default_rng(0).normal(size=[3, 1024])


def shown(conditions):
    """Conditions of slices 2 mm apart of six subjects of each stage."""
    values = {name: [] for name in conditions.inputs}
    subjects = []
    for stage in conditions.stages:
        place = ("NC", "MCI", "AD").index(stage)
        for number in range(SUBJECTS):
            for plane, (low, high) in conditions.bands_mm.items():
                which = ("axial", "coronal", "sagittal").index(plane)
                for position in np.arange(low, high + 1, 2):
                    each = {
                        "stage": np.eye(3)[place],
                        "plane": np.eye(3)[which],
                        "position_mm": [position],
                        "age": [60 + number],
                        "sex": [number % 2],
                    }
                    for name, rows in values.items():
                        rows.append(each[name])
                    subjects.append(f"{stage}{number}")
    values = {name: np.float32(rows) for name, rows in values.items()}
    return values, np.array(subjects)


def drawn(values, brains, effects=(1, 1, 1)):
    """Rows of brains `[n, 1024]` that conditions change by such effects."""
    stage, plane, position = effects
    rows = brains + stage * np.outer(values["stage"] @ [0, 1, 2], DIRECTIONS[0])
    if "plane" in values:
        rows = rows + plane * np.outer(
            values["plane"] @ [0, 1, 2], DIRECTIONS[1]
        )
    if "position_mm" in values:
        rows = rows + position * np.outer(
            values["position_mm"][:, 0] / 10, DIRECTIONS[2]
        )
    return rows


def noise(count, spread=1.0, seed=1):
    return np.random.default_rng(seed).normal(0, spread, [count, 1024])


@pytest.fixture
def real():
    """`real(conditions)`: images with effects of 1, of different brains."""

    def of(conditions):
        values, subjects = shown(conditions)
        names, codes = np.unique(subjects, return_inverse=True)
        rows = drawn(values, noise(len(names))[codes])
        return RealConditions(conditions, values, rows, subjects)

    return of


def asked(real, *, effects=(1, 1, 1), spread=1.0):
    """What a generator with such effects draws, of the latents' brains."""
    count = len(real.requests[0]["stage"])
    brains = noise(count, spread, seed=2)
    rows = [drawn(each, brains, effects) for each in real.requests]
    return real.vitals(np.array(rows), label_weight=1.0)


@pytest.mark.parametrize("conditions", [STAGE_AND_POSITION, ALL])
def test_a_generator_that_does_as_it_is_asked(real, conditions):
    vitals = asked(real(conditions))
    assert vitals.label_weight == 1
    assert vitals.conditional_diversity == pytest.approx(1.0, abs=0.05)
    # the means of six subjects a stage lie beside the truth
    assert vitals.stage_effect == pytest.approx(1.0, abs=0.15)
    assert vitals.position_effect == pytest.approx(1.0, abs=0.01)
    if conditions is ALL:
        assert vitals.plane_effect == pytest.approx(1.0, abs=0.01)
    else:
        assert np.isnan(vitals.plane_effect)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("effect", [0.0, 0.5, -1.0])
def test_each_effect_is_measured_by_itself(real, number, effect):
    effects = [1.0, 1.0, 1.0]
    effects[number] = effect
    vitals = asked(real(ALL), effects=effects)
    found = vitals.stage_effect, vitals.plane_effect, vitals.position_effect
    np.testing.assert_allclose(found, effects, atol=0.2)


def test_change_in_another_direction_is_no_obedience(real):
    found = real(STAGE_AND_POSITION)
    count = len(found.requests[0]["stage"])
    other = np.random.default_rng(9).normal(size=1024)
    brains = noise(count, seed=2)
    rows = [
        brains + np.outer(each["stage"] @ [0, 5, 9], other)
        for each in found.requests
    ]
    vitals = found.vitals(np.array(rows), label_weight=1.0)
    assert abs(vitals.stage_effect) < 0.8
    assert abs(vitals.position_effect) < 0.1


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_brains_that_are_alike_within_a_condition(real, spread):
    vitals = asked(real(ALL), spread=spread)
    assert vitals.conditional_diversity == pytest.approx(spread, abs=0.02)
    assert vitals.stage_effect > 0.8


def test_one_stage_without_variety_is_enough(real):
    found = real(STAGE_AND_POSITION)
    count = len(found.requests[0]["stage"])
    rows = np.array([drawn(x, noise(count)) for x in found.requests])
    rows[2] = rows[2].mean(axis=0)
    assert found.vitals(rows, label_weight=1.0).conditional_diversity == 0


def test_requests_are_stages_in_the_middle_and_all_near_the_ends(real):
    found = real(ALL).requests
    assert len(found) == 2 * (3 + 2)
    assert {each["stage"].shape for each in found} == {(16, 3)}
    planes = [each["plane"].argmax(axis=1) for each in found]
    assert [set(each) for each in planes] == [{0}] * 5 + [{2}] * 5
    positions = [set(each["position_mm"][:, 0]) for each in found]
    assert positions[:5] == [{10}] * 3 + [{4}, {16}]
    assert positions[5:] == positions[:5]
    stages = [set(each["stage"].argmax(axis=1)) for each in found]
    assert stages[:5] == [{0}, {1}, {2}, {0, 1, 2}, {0, 1, 2}]
    for each in found:
        assert set(each) == set(ALL.inputs)
        assert {values.dtype for values in each.values()} == {np.dtype("f")}


def test_typical_conditions_are_those_of_images(real):
    typical = real(ALL).typical
    assert {len(values) for values in typical.values()} == {64}
    assert set(typical["age"][:, 0]) <= set(range(60, 66))
    assert typical["stage"].sum(axis=0).min() > 15


def test_without_position_a_stage_is_that_of_all_slices(real):
    found = real(dataclasses.replace(STAGE_AND_POSITION, names=("stage",)))
    assert len(found.requests) == 3
    vitals = asked(found)
    assert vitals.conditional_diversity == pytest.approx(1.0, abs=0.05)
    assert vitals.stage_effect == pytest.approx(1.0, abs=0.15)
    assert np.isnan(vitals.position_effect)


def test_a_band_of_one_position_has_no_effect_of_it(real):
    narrow = {"axial": (4.0, 4.0)}
    found = real(dataclasses.replace(STAGE_AND_POSITION, bands_mm=narrow))
    assert len(found.requests) == 3
    assert np.isnan(asked(found).position_effect)


def test_one_subject_a_stage_has_nothing_to_compare_variety_with():
    values, subjects = shown(STAGE_AND_POSITION)
    rows = noise(len(subjects))
    alone = np.char.add(subjects.astype("U3"), "")
    alone[:] = values["stage"].argmax(axis=1).astype(str)
    found = RealConditions(STAGE_AND_POSITION, values, rows, alone)
    assert np.isnan(asked(found).conditional_diversity)


def test_what_does_not_fit_is_refused_in_a_line(real):
    values, subjects = shown(STAGE_AND_POSITION)
    rows = noise(len(subjects))
    for changed, people in (
        ({"stage": values["stage"]}, subjects),
        (values | {"stage": values["stage"][1:]}, subjects),
        (values, subjects[1:]),
    ):
        with pytest.raises(ValueError, match=r"^expected conditions .*found"):
            RealConditions(STAGE_AND_POSITION, changed, rows, people)
    with pytest.raises(ValueError, match="finite"):
        RealConditions(STAGE_AND_POSITION, values, rows * np.nan, subjects)
    ill = values | {"stage": np.eye(3, dtype="f")[np.arange(len(rows)) % 2]}
    with pytest.raises(ValueError, match="axial images of AD, found none"):
        RealConditions(STAGE_AND_POSITION, ill, rows, subjects)
    found = real(STAGE_AND_POSITION)
    for wrong in (np.zeros([5, 32, 9]), np.full([5, 32, 1024], np.nan)):
        with pytest.raises(ValueError, match="expected finite rows"):
            found.vitals(wrong, label_weight=1.0)
