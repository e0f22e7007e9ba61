"""Either side of every number that a training's health turns on.

The numbers stand here once more, so that one that moves is noticed; a look
is named by its number, as by `make_looks(5, ...)`.
"""

import numpy as np
import pytest
from health_looks import make_looks

from pet_dcgan.training.health.states import examine

WON = {"real_accuracy": 1.0, "fake_accuracy": 1.0, "g_loss": 9.0}
# recognised by a discriminator that the generator could still learn from
AHEAD = {"real_accuracy": 1.0, "fake_accuracy": 1.0, "g_loss": 3.0}
LOST = {"fake_accuracy": 0.0, "g_loss": 0.0}
ALIKE = {"diversity": 0.2, "misfit": 0.4}
FEW = {"distinctness": 0.0}
STILL = {"misfit": 0.9}
COPIES = {"training_distance": 0.0}

WINS, LOSES = "discriminator_winning", "generator_winning"


@pytest.fixture
def found(tiny_config):
    """`found(5, **changes)`: states of so many looks, failures with a !."""

    def of(count, before=(), **changes):
        looks = [*before, *make_looks(count, **changes)]
        findings = examine(looks, tiny_config())
        return " ".join(f.state + "!" * f.failure for f in findings)

    return of


@pytest.mark.parametrize(
    ("changes", "name", "value", "state"),
    [
        (WON, "real_accuracy", 0.985, ""),
        (WON, "real_accuracy", 0.99, WINS),
        (WON, "fake_accuracy", 0.985, ""),
        (WON, "fake_accuracy", 0.99, WINS),
        (WON, "g_loss", 4.95, ""),
        (WON, "g_loss", 5.0, ""),
        (WON, "g_loss", 5.05, WINS),
        (AHEAD, "misfit", 0.297, ""),
        (AHEAD, "misfit", 0.3, ""),
        (AHEAD, "misfit", 0.303, WINS),
        (LOST, "fake_accuracy", 0.198, LOSES),
        (LOST, "fake_accuracy", 0.2, LOSES),
        (LOST, "fake_accuracy", 0.202, ""),
        (LOST, "g_loss", 0.3465, LOSES),
        (LOST, "g_loss", 0.35, LOSES),
        (LOST, "g_loss", 0.3535, ""),
        (FEW, "distinctness", 0.0495, "collapse"),
        (FEW, "distinctness", 0.05, ""),
        (FEW, "distinctness", 0.0505, ""),
        (FEW, "misfit", 0.693, "collapse"),
        (FEW, "misfit", 0.7, "collapse"),
        (FEW, "misfit", 0.707, ""),
        (ALIKE, "diversity", 0.4455, "collapse"),
        (ALIKE, "diversity", 0.45, ""),
        (ALIKE, "diversity", 0.4545, ""),
        (ALIKE, "misfit", 0.7, "collapse"),
        (ALIKE, "misfit", 0.707, ""),
        (COPIES, "training_distance", 0.594, "memorisation"),
        (COPIES, "training_distance", 0.6, ""),
        (COPIES, "training_distance", 0.606, ""),
    ],
)
def test_a_number_that_makes_a_state(found, changes, name, value, state):
    assert found(5, **changes | {name: value}) == state


@pytest.mark.parametrize("changes", [FEW, {"diversity": (0.2,) * 5}])
@pytest.mark.parametrize(
    ("misfits", "state"),
    [((0.71, 0.71, 0.71, 0.71, 0.7), "collapse"), ((0.7,) * 4 + (0.71,), "")],
)
def test_noise_now_is_no_collapse_and_noise_before_may_be(
    found, changes, misfits, state
):
    assert found(5, **changes | {"misfit": misfits}) == state


@pytest.mark.parametrize(
    ("misfit", "state"), [(0.297, ""), (0.3, ""), (0.303, "no_progress")]
)
def test_images_so_bad_that_standing_still_counts(found, misfit, state):
    assert found(10, misfit=misfit) == state


@pytest.mark.parametrize(
    ("name", "value", "sound"),
    [
        ("real_accuracy", 0.989, True),
        ("real_accuracy", 0.99, False),
        ("fake_accuracy", 0.198, False),
        ("fake_accuracy", 0.2, False),
        ("fake_accuracy", 0.202, True),
        ("diversity", 0.4455, False),
        ("diversity", 0.45, False),
        ("diversity", 0.4545, True),
        ("distinctness", 0.0495, False),
        ("distinctness", 0.05, False),
        ("distinctness", 0.0505, True),
        ("misfit", 0.297, True),
        ("misfit", 0.3, False),
        ("misfit", 0.303, False),
        ("training_distance", 0.594, False),
        ("training_distance", 0.6, True),
        ("training_distance", 0.606, True),
    ],
)
def test_a_number_that_makes_a_look_unsound(name, value, sound):
    others = {"real_accuracy": 1.0, "fake_accuracy": 0.98}
    if name == "real_accuracy":
        others["fake_accuracy"] = 1.0
    (look,) = make_looks(1, **others | {name: value})
    assert look.sound is sound


@pytest.mark.parametrize(
    ("last", "state"),
    [(0.0495, "collapse"), (0.05, "collapse"), (0.0505, "")],
)
def test_a_diversity_that_rises_is_no_collapse(found, last, state):
    rising = {"diversity": (0.0, 0.0, 0.0, 0.0, last)}
    assert found(5, **ALIKE | rising) == state


@pytest.mark.parametrize(("low", "learns"), [(0.955, 0), (0.95, 0), (0.945, 1)])
@pytest.mark.parametrize(
    ("changes", "scale", "count", "state"),
    [
        (AHEAD, 1.0, 5, WINS),
        (ALIKE, 0.5, 5, "collapse"),
        ({}, 1.0, 10, "no_progress"),
    ],
)
def test_a_misfit_that_falls_is_progress(
    found, low, learns, changes, scale, count, state
):
    misfit = [1.0 * scale] * count
    misfit[2] = low * scale  # the best since the first, not the last
    assert found(count, **changes | {"misfit": misfit}) == state * (not learns)


@pytest.mark.parametrize(
    ("changes", "state", "takes", "fails"),
    [
        (WON, WINS, 5, 20),
        (AHEAD | STILL, WINS, 5, 20),
        (LOST, LOSES, 5, 20),
        (ALIKE, "collapse", 5, 20),
        (FEW, "collapse", 5, 20),
        (STILL, "no_progress", 10, 20),
        (COPIES, "memorisation", 5, None),
    ],
)
def test_how_many_looks_make_a_state_and_a_failure(
    found, changes, state, takes, fails
):
    for before in ([], make_looks(30)):
        assert found(takes - 1, before, **changes) == ""
        assert found(takes, before, **changes) == state
        assert found(19, before, **changes) == state
        for count in (20, 21):
            failure = "!" * (fails is not None)
            assert found(count, before, **changes) == state + failure


@pytest.mark.parametrize(
    ("since", "state"), [(9, ""), (10, "no_progress"), (11, "no_progress")]
)
def test_how_long_a_cause_explains_bad_images(found, since, state):
    assert found(since, make_looks(5, **WON | STILL), **STILL) == state


def test_what_cannot_be_compared_keeps_a_look_sound():
    assert make_looks(1, training_distance=np.nan)[0].sound
