import re

import pytest

from pet_dcgan.config import check_overrides
from pet_dcgan.presets import PRESETS, parse_overrides
from pet_dcgan.training.health import remedies

ALL = (
    remedies.against_imbalance,
    remedies.against_sameness,
    remedies.against_copies,
)
STEADY = "--set g_learning_rate=0.001 --set d_learning_rate=0.0002"
AUGMENT = "--set augment=translate,cutout,rotate,scale"


@pytest.fixture
def advice(tiny_config):
    return lambda against, **settings: against(tiny_config(**settings))


@pytest.mark.parametrize("against", ALL)
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
def test_every_remedy_can_be_followed(advice, tiny_config, against, settings):
    text = advice(against, **settings)
    assert text.startswith("train under another --run with ")
    found = re.findall(r"--preset (\w+)", text)
    assert all(name in PRESETS for name in found)
    for option in text.split(", or "):
        overrides = parse_overrides(re.findall(r"--set (\S+=\S+)", option))
        check_overrides("demo", overrides)
        tiny_config(**settings | overrides)


@pytest.mark.parametrize(
    "settings",
    [
        {"g_learning_rate": 1e-4, "d_learning_rate": 1e-4},
        {"g_learning_rate": 1e-3, "d_learning_rate": 1e-5},
        {"g_learning_rate": 1e-6, "d_learning_rate": 2e-7},
    ],
)
def test_rates_that_fail_are_replaced_by_some_that_did(advice, settings):
    text = advice(remedies.against_imbalance, **settings)
    assert STEADY in text
    assert AUGMENT not in text


def test_where_the_rates_are_steady_something_else_is_advised(advice):
    text = advice(remedies.against_imbalance)
    assert STEADY not in text
    assert AUGMENT in text
    assert "g_learning_rate=0.0005 --set d_learning_rate=0.0001" in text
    text = advice(
        remedies.against_imbalance, augment="cutout", augment_probability=0.5
    )
    assert AUGMENT not in text


def test_sameness_is_first_sought_in_its_own_causes(advice):
    text = advice(remedies.against_sameness, latent_dim=1, beta_1=0.9)
    assert "--set latent_dim=100, or --set beta_1=0.5, or " in text
    text = advice(remedies.against_sameness, latent_dim=16, beta_1=0.5)
    assert "latent_dim" not in text
    assert "beta_1" not in text


def test_copies_are_met_by_choosing_earlier(advice):
    text = advice(remedies.against_copies)
    assert "--set select_every=5 --set patience=4" in text
    assert "more subjects than AD has" in text
    text = advice(remedies.against_copies, select_every=3)
    assert "--set select_every=3 --set patience=4" in text
    text = advice(remedies.against_copies, select_every=3, patience=2)
    assert "select_every" not in text


def test_the_robust_preset_comes_first(advice):
    text = advice(remedies.against_imbalance)
    assert text.startswith("train under another --run with --preset robust, or")
