"""States of conditional trainings, and options against them."""

import re

import numpy as np
import pytest
from toy_health import make_conditional_records

from pet_dcgan.config import check_overrides
from pet_dcgan.presets import PRESETS, parse_overrides
from pet_dcgan.training.health import examine, is_healthy

ALIKE = {"conditional_diversity": 0.2}
NO_STAGE = {"stage_effect": 0.01}
COLLAPSE, IGNORED = "conditional_collapse", "condition_ignored"


@pytest.fixture
def config(tiny_config):
    """`config(...)`: that of a conditional training."""
    settings = {"stage": "ALL", "conditions": "stage,position"}
    return lambda **changes: tiny_config(**settings | changes)


@pytest.fixture
def found(config):
    """`found(5, **changes)`: states of so many records, failures with a !."""

    def of(count, **changes):
        findings = examine(make_conditional_records(count, **changes), config())
        return " ".join(f.state + "!" * f.failure for f in findings)

    return of


def test_an_obedient_training_is_in_no_state(found):
    assert found(40) == ""
    nothing = ("plane_effect", "position_effect", "conditional_diversity")
    assert found(40, **dict.fromkeys(nothing, np.nan)) == ""
    assert all(map(is_healthy, make_conditional_records(2)))


@pytest.mark.parametrize(
    ("changes", "name", "lower", "higher", "states"),
    [
        ({}, "conditional_diversity", 0.44, 0.45, [COLLAPSE, ""]),
        ({}, "stage_effect", 0.24, 0.25, [IGNORED, ""]),
        ({}, "plane_effect", 0.24, 0.25, [IGNORED, ""]),
        ({}, "position_effect", 0.24, 0.25, [IGNORED, ""]),
        (ALIKE, "misfit", 0.7, 0.71, [COLLAPSE, "no_progress"]),
        (NO_STAGE, "misfit", 0.3, 0.31, [IGNORED, "no_progress"]),
        (ALIKE, "label_weight", 0.99, 1.0, ["", COLLAPSE]),
        (NO_STAGE, "label_weight", 0.99, 1.0, ["", IGNORED]),
    ],
)
def test_a_number_decides_on_a_state(
    found, changes, name, lower, higher, states
):
    if name == "misfit" and changes is ALIKE:
        # falling, or it would be no progress
        lower, higher = ([x * 2] * 9 + [x] for x in (lower, higher))
        states = [COLLAPSE, ""]
    assert [found(10, **changes | {name: n}) for n in (lower, higher)] == states


@pytest.mark.parametrize(
    ("changes", "state", "takes", "failure"),
    [(ALIKE, COLLAPSE, 5, "!"), (NO_STAGE, IGNORED, 10, "")],
)
def test_how_many_records_make_a_state_and_a_failure(
    found, changes, state, takes, failure
):
    assert found(takes - 1, **changes) == ""
    assert found(takes, **changes) == found(19, **changes) == state
    assert found(20, **changes) == state + failure


@pytest.mark.parametrize(("changes", "count"), [(ALIKE, 5), (NO_STAGE, 10)])
def test_nothing_is_said_in_a_transition_nor_while_it_is_learnt(
    found, changes, count
):
    ((name, low),) = changes.items()
    weights = [0.9] + [1.0] * (count - 1)
    assert found(count, **changes, label_weight=weights) == ""
    assert found(20, **changes, label_weight=[0.0] * 16 + [1.0] * 4) == ""
    rising = [low] * (count - 1) + [low + 0.051]
    assert found(count, **{name: rising}) == ""
    rising[-1] = low + 0.049
    assert found(count, **{name: rising}) != ""


def test_a_cause_hides_what_becomes_of_conditions(found):
    both = ALIKE | NO_STAGE
    assert found(10, **both) == f"{COLLAPSE} {IGNORED}"
    assert found(10, **both, distinctness=0.0) == "collapse"
    assert found(10, **both, misfit=0.9) == "no_progress"
    won = {"real_accuracy": 1.0, "fake_accuracy": 1.0, "g_loss": 18.0}
    assert found(10, **both, **won) == "discriminator_winning"
    copies = {"training_distance": 0.5}
    assert found(10, **NO_STAGE, **copies) == f"{IGNORED} memorisation"


def test_one_record_shows_it_but_not_in_a_transition():
    for changes in (ALIKE, NO_STAGE, {"position_effect": 0.0}):
        bad, early = make_conditional_records(
            2, **changes, label_weight=(1.0, 0.5)
        )
        assert not is_healthy(bad)
        assert is_healthy(early)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (ALIKE, "of one stage and position differ from each other only 20% as"),
        (NO_STAGE, r"ignores the stage that .* change by 1% of what real"),
        (
            NO_STAGE | {"position_effect": 0.04},
            "ignores the stage and the position .* by 1% and 4% of",
        ),
    ],
)
def test_a_finding_has_the_numbers_and_the_remedy(config, changes, words):
    (finding,) = examine(make_conditional_records(10, **changes), config())
    assert re.search(words, str(finding))
    assert str(finding).endswith(f": {finding.remedy}")
    assert "\n" not in str(finding)


@pytest.mark.parametrize("changes", [ALIKE, NO_STAGE, {"distinctness": 0.0}])
@pytest.mark.parametrize("conditions", ["stage", "stage,plane,position"])
@pytest.mark.parametrize("transition", [True, False])
def test_every_remedy_can_be_followed(config, changes, conditions, transition):
    settings = {"conditions": conditions, "transition": transition}
    (finding,) = examine(
        make_conditional_records(10, **changes), config(**settings)
    )
    text = finding.remedy
    assert "with --preset conditional, or " in text
    assert set(re.findall(r"--preset (\w+)", text)) <= set(PRESETS)
    for option in text.split(", or "):
        overrides = parse_overrides(re.findall(r"--set (\S+=\S+)", option))
        overrides |= dict(re.findall(r"--(epochs|conditions) (\S+)", option))
        check_overrides("demo", {"conditions": conditions} | overrides)
        config(**settings | overrides)
    if "distinctness" not in changes:
        assert ("transition=true" in text) != transition
        fewer = "--conditions stage,plane" in text
        assert fewer == (conditions == "stage,plane,position")


def test_remedies_are_not_what_is_set_already(config):
    records = make_conditional_records(10, **ALIKE)
    (finding,) = examine(records, config(g_learning_rate=1e-3, bend_mm=3.0))
    assert "bend_mm" not in finding.remedy
    assert "--set g_learning_rate=0.0005" in finding.remedy
    (finding,) = examine(records, config(bend_mm=2.5))
    assert "--set bend_mm=3" in finding.remedy
    (finding,) = examine(make_conditional_records(10, **NO_STAGE), config())
    assert "--epochs 4" in finding.remedy
    copies = make_conditional_records(5, training_distance=0.1)
    (finding,) = examine(copies, config())
    assert "more subjects than the set has here" in finding.remedy


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_losses_of_two_questions_are_twice_as_large(found, weight):
    won = {"real_accuracy": 1.0, "fake_accuracy": 1.0, "label_weight": weight}
    lost = {"fake_accuracy": 0.0, "label_weight": weight}
    questions = 1 + weight
    assert found(5, **won, g_loss=4.99 * questions) == ""
    assert found(5, **won, g_loss=5.01 * questions) == "discriminator_winning"
    assert found(5, **lost, g_loss=0.349 * questions) == "generator_winning"
    assert found(5, **lost, g_loss=0.351 * questions) == ""
