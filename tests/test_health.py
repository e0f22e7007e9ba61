"""States and remedies, at either side of every number they depend on."""

import re

import numpy as np
import pytest
from toy_health import make_records

from pet_dcgan.config import check_overrides
from pet_dcgan.presets import PRESETS, parse_overrides
from pet_dcgan.training.health import examine, is_healthy, non_finite

WON = {"real_accuracy": 1.0, "fake_accuracy": 1.0, "g_loss": 9.0}
# recognised by a discriminator that the generator could still learn from
AHEAD = WON | {"g_loss": 3.0}
LOST = {"fake_accuracy": 0.0, "g_loss": 0.0}
SAME = {"diversity": 0.2}
ALIKE = SAME | {"misfit": 0.4}
FEW = {"distinctness": 0.0}
STILL = {"misfit": 0.9}
COPIES = {"training_distance": 0.0}

WINS, LOSES = "discriminator_winning", "generator_winning"
COLLAPSE = ["collapse", ""]  # at the lower number only
RATES = "--set g_learning_rate=0.001 --set d_learning_rate=0.0002"
HALF_RATES = "--set g_learning_rate=0.0005 --set d_learning_rate=0.0001"
AUGMENT = "--set augment=translate,cutout,rotate,scale --set augment_target=0.6"


@pytest.fixture
def found(tiny_config):
    """`found(5, **changes)`: states of so many records, failures with a !."""

    def of(count, before=(), **changes):
        records = [*before, *make_records(count, **changes)]
        findings = examine(records, tiny_config())
        return " ".join(f.state + "!" * f.failure for f in findings)

    return of


@pytest.fixture
def remedy(tiny_config):
    """`remedy(WON, latent_dim=1)`: of the state, for these settings."""

    def of(changes, **settings):
        (finding,) = examine(
            make_records(10, **changes), tiny_config(**settings)
        )
        return finding.remedy

    return of


@pytest.mark.parametrize(
    ("changes", "name", "lower", "higher", "states"),
    [
        (WON, "real_accuracy", 0.985, 0.99, ["", WINS]),
        (WON, "fake_accuracy", 0.985, 0.99, ["", WINS]),
        (WON, "g_loss", 5.0, 5.05, ["", WINS]),
        (AHEAD, "misfit", 0.3, 0.303, ["", WINS]),
        (LOST, "fake_accuracy", 0.2, 0.202, [LOSES, ""]),
        (LOST, "g_loss", 0.35, 0.3535, [LOSES, ""]),
        (FEW, "distinctness", 0.0495, 0.05, COLLAPSE),
        (FEW, "misfit", 0.7, 0.707, COLLAPSE),
        (ALIKE, "diversity", 0.4455, 0.45, COLLAPSE),
        (ALIKE, "misfit", 0.7, 0.707, COLLAPSE),
        (COPIES, "training_distance", 0.594, 0.6, ["memorisation", ""]),
        # the last record alone shows whether images are noise
        (FEW, "misfit", [0.71] * 4 + [0.7], [0.7] * 4 + [0.71], COLLAPSE),
        (SAME, "misfit", [0.71] * 4 + [0.7], [0.7] * 4 + [0.71], COLLAPSE),
        # rising diversity is no collapse
        (
            ALIKE,
            "diversity",
            [0.0] * 4 + [0.05],
            [0.0] * 4 + [0.0505],
            COLLAPSE,
        ),
    ],
)
def test_a_number_decides_on_a_state(
    found, changes, name, lower, higher, states
):
    assert [found(5, **changes | {name: n}) for n in (lower, higher)] == states


def test_bad_images_are_needed_for_no_progress(found):
    assert found(10, misfit=0.3) == ""
    assert found(10, misfit=0.303) == "no_progress"


@pytest.mark.parametrize(
    ("name", "lower", "higher", "healthy"),
    [
        ("real_accuracy", 0.989, 0.99, [True, False]),
        ("fake_accuracy", 0.2, 0.202, [False, True]),
        ("diversity", 0.45, 0.4545, [False, True]),
        ("distinctness", 0.05, 0.0505, [False, True]),
        ("misfit", 0.297, 0.3, [True, False]),
        ("training_distance", 0.594, 0.6, [False, True]),
        ("training_distance", np.nan, np.nan, [True, True]),
    ],
)
def test_a_number_decides_on_a_healthy_record(name, lower, higher, healthy):
    others = {"real_accuracy": 1.0, "fake_accuracy": 0.98}
    if name == "real_accuracy":
        others["fake_accuracy"] = 1.0
    values = {name: (lower, higher)}
    assert [*map(is_healthy, make_records(2, **others | values))] == healthy


@pytest.mark.parametrize(("low", "learns"), [(0.95, 0), (0.945, 1)])
@pytest.mark.parametrize(
    ("changes", "scale", "count", "state"),
    [
        (AHEAD, 1.0, 5, WINS),
        (ALIKE, 0.5, 5, "collapse"),
        ({}, 1.0, 10, "no_progress"),
    ],
)
def test_a_falling_misfit_is_progress(
    found, low, learns, changes, scale, count, state
):
    misfit = [1.0 * scale] * count
    misfit[2] = low * scale  # the best since the first, not the last
    assert found(count, **changes | {"misfit": misfit}) == state * (not learns)


@pytest.mark.parametrize(
    ("changes", "state", "takes", "failure"),
    [
        (WON, WINS, 5, "!"),
        (AHEAD | STILL, WINS, 5, "!"),
        (LOST, LOSES, 5, "!"),
        (ALIKE, "collapse", 5, "!"),
        (FEW, "collapse", 5, "!"),
        (STILL, "no_progress", 10, "!"),
        (COPIES, "memorisation", 5, ""),
    ],
)
def test_how_many_records_make_a_state_and_a_failure(
    found, changes, state, takes, failure
):
    for before in ([], make_records(30)):
        assert found(takes - 1, before, **changes) == ""
        assert found(takes, before, **changes) == state
        assert found(19, before, **changes) == state
        for count in (20, 21):
            assert found(count, before, **changes) == state + failure


@pytest.mark.parametrize("changes", [WON, LOST, FEW, COPIES])
def test_one_better_record_among_them_is_enough(tiny_config, changes):
    records = make_records(5, **changes)
    records[2] = make_records(1)[0]
    assert examine(records, tiny_config()) == []


def test_a_healthy_or_incomparable_training_is_in_no_state(found):
    assert found(0) == found(40) == ""
    names = ("diversity", "distinctness", "misfit", "training_distance")
    assert found(10, **dict.fromkeys(names, np.nan)) == ""


def test_a_young_generator_has_not_collapsed(found):
    # what a healthy training showed in its first 250 steps (AD, width 16)
    rising = {
        "diversity": (0.05, 0.1, 0.3, 0.4, 0.44),
        "distinctness": (0.04, 0.07, 0.2, 0.28, 0.3),
        "misfit": (0.84, 0.77, 0.5, 0.33, 0.2),
    }
    assert found(5, **rising) == ""
    fall = {"diversity": (0.44, 0.4, 0.3, 0.2, 0.2), "misfit": 0.3}
    assert found(5, make_records(20), **fall) == "collapse"


def test_a_cause_hides_its_consequences_but_not_copies(found):
    everything = ALIKE | FEW | COPIES | {"misfit": 0.6}
    assert found(10, **everything, **WON) == f"{WINS} memorisation"
    assert found(10, **everything, **LOST) == f"{LOSES} memorisation"
    assert found(10, **everything) == "collapse memorisation"


@pytest.mark.parametrize(("since", "state"), [(9, ""), (10, "no_progress")])
def test_how_long_a_cause_explains_bad_images(found, since, state):
    assert found(since, make_records(5, **WON | STILL), **STILL) == state


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (WON, r"recognises 100% of all images, and at a loss of 9\.0"),
        (LOST, "recognises only 0% of its images"),
        (ALIKE, "differ from each other only 20% as much"),
        ({"distinctness": 0.02}, "nearest other is 2% of that between"),
        ({"training_distance": 0.5}, "lie 50% as far from the nearest"),
        (STILL, r"as at epoch 1, with a misfit of 0\.90"),
    ],
)
def test_a_finding_has_the_numbers_and_the_remedy(tiny_config, changes, words):
    (finding,) = examine(make_records(10, **changes), tiny_config())
    assert re.search(words, str(finding))
    assert str(finding).endswith(f": {finding.remedy}")
    assert "\n" not in str(finding)


def test_divergence_is_a_failure_at_once():
    assert non_finite("g_loss nan").failure
    assert "lower --set g_learning_rate=" in str(non_finite("g_loss nan"))


@pytest.mark.parametrize("changes", [WON, FEW, COPIES])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"g_learning_rate": 1e-4, "d_learning_rate": 1e-4},
        {"latent_dim": 1, "beta_1": 0.9},
        {"g_learning_rate": 2e-8, "d_learning_rate": 1e-8},
        {"augment": "cutout", "augment_probability": 0.5},
        {"select_every": 3, "patience": 2},
    ],
)
def test_every_remedy_can_be_followed(remedy, tiny_config, changes, settings):
    text = remedy(changes, **settings)
    start = "train under another --run with --preset robust"
    assert text.startswith(start)
    assert set(re.findall(r"--preset (\w+)", text)) <= set(PRESETS)
    for option in text.split(", or "):
        overrides = parse_overrides(re.findall(r"--set (\S+=\S+)", option))
        check_overrides("demo", overrides)
        tiny_config(**settings | overrides)


@pytest.mark.parametrize("name", ["g_learning_rate", "d_learning_rate"])
@pytest.mark.parametrize(
    ("times", "near"), [(0.5, 0), (0.505, 1), (1.98, 1), (2.0, 0)]
)
def test_rates_outside_twice_the_robust_ones_are_replaced(
    remedy, name, times, near
):
    robust = {"g_learning_rate": 1e-3, "d_learning_rate": 2e-4}
    text = remedy(WON, **robust | {name: times * robust[name]})
    assert (RATES in text) != near
    assert (AUGMENT in text) == near


@pytest.mark.parametrize(
    ("changes", "settings", "option", "given"),
    [
        # where the rates are robust, something else
        (WON, {}, HALF_RATES, True),
        (WON, {}, AUGMENT, True),
        (
            WON,
            {"augment": "cutout", "augment_probability": 0.5},
            AUGMENT,
            False,
        ),
        (FEW, {"latent_dim": 15}, "--set latent_dim=100, or ", True),
        (FEW, {"latent_dim": 16}, "--set latent_dim=", False),
        (
            FEW,
            {"latent_dim": 16, "beta_1": 0.505},
            "--set beta_1=0.5, or",
            True,
        ),
        (FEW, {"latent_dim": 16, "beta_1": 0.5}, "--set beta_1=", False),
        (COPIES, {}, "--set select_every=5 --set patience=4", True),
        (
            COPIES,
            {"select_every": 3},
            "--set select_every=3 --set patience=4",
            True,
        ),
        (COPIES, {"select_every": 3, "patience": 1}, "select_every", False),
        (COPIES, {}, "more subjects than AD has", True),
        (COPIES, {}, AUGMENT, True),
        (COPIES, {"bend_mm": 2.5}, "--set bend_mm=3", True),
        (COPIES, {"bend_mm": 3.0}, "bend_mm", False),
    ],
)
def test_a_state_is_met_by_its_causes(remedy, changes, settings, option, given):
    assert (option in remedy(changes, **settings)) is given
