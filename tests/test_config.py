import dataclasses
import json
import re
import subprocess
import sys

import pytest

from pet_dcgan.config import TrainConfig, make_config
from pet_dcgan.presets import PLAIN, PRESETS, parse_overrides

FACTS = {
    "stage": "AD",
    "plane": "axial",
    "dataset": "axial_128",
    "data_dir": "/data",
    "phantom": True,
    "size": 128,
    "spacing_mm": 1.5,
    "suvr_max": 2.5,
    "reference": "brain",
    "seed": 7,
}
VOLUMES = {"plane": "volume", "dataset": "volume_64", "size": 64}


def test_the_paper_preset_has_the_values_of_the_paper():
    config = make_config("paper", **FACTS)
    assert (config.channels, config.latent_dim, config.width) == (3, 100, 64)
    assert (config.kernel_size, config.batch_size) == (5, 64)
    assert config.epochs == 500
    assert config.g_learning_rate == config.d_learning_rate == 1e-4
    assert (config.beta_1, config.beta_2) == (0.5, 0.999)
    assert config.augmentations == ()
    off = ("ema_decay", "augment_target", "select_every", "bend_mm")
    off += ("xla", "deterministic")
    assert not any(getattr(config, name) for name in off)
    assert config.precision == "float32"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_trained_and_its_json_read_again(preset):
    values, facts = PRESETS[preset], dict(FACTS)
    if values["conditions"] != "none":
        facts["stage"] = "ALL"
    if values["channels"] > 3:
        facts |= VOLUMES | {"size": values["channels"]}
    config = make_config(preset, overrides={"epochs": 3}, **facts)
    assert config.preset == preset
    assert TrainConfig.from_json(config.to_json()) == config
    assert json.loads(config.to_json())["phantom"] is True


@pytest.mark.parametrize(
    ("preset", "facts", "changes", "message"),
    [
        ("robust", VOLUMES, {}, "found one of slices .channels=1.: choose --"),
        ("paper", VOLUMES, {}, "found one of slices .channels=3.: choose --"),
        ("volume", {}, {}, "found one of volumes .channels=64.: choose"),
        ("robust", {}, {"channels": 64}, "found one of volumes .channels=64"),
        (
            "volume",
            VOLUMES,
            {"conditions": "stage,plane,position"},
            "volumes without plane and position as a condition, found stage,",
        ),
    ],
)
def test_generators_of_slices_and_of_volumes_are_told_apart(
    preset, facts, changes, message
):
    several = PRESETS[preset]["conditions"] != "none"
    facts = FACTS | facts | ({"stage": "ALL"} if several else {})
    with pytest.raises(ValueError, match=message) as caught:
        make_config(preset, overrides=changes, **facts)
    assert "\n" not in str(caught.value)


def test_the_space_of_a_set_is_one_that_is_known():
    assert make_config("demo", **FACTS).space == "native"
    known = make_config("demo", **FACTS, space="MNI152NLin6Asym")
    assert TrainConfig.from_json(known.to_json()).space == "MNI152NLin6Asym"
    with pytest.raises(ValueError, match="expected space among native"):
        make_config("demo", **FACTS, space="MNI")
    # of runs that were made before
    old = json.loads(make_config("demo", **FACTS).to_json())
    del old["space"]
    assert TrainConfig.from_json(json.dumps(old)).space == "native"


def test_the_demo_is_a_short_robust_training():
    differ = {
        n for n, v in PRESETS["demo"].items() if PRESETS["robust"][n] != v
    }
    assert differ == {"epochs", "select_every", "patience", "samples_every"}


def test_text_overrides_become_numbers_of_the_right_type():
    before = json.dumps(PRESETS, sort_keys=True)
    overrides = parse_overrides(["epochs=3", "g_learning_rate = 5e-4"])
    config = make_config("demo", overrides=overrides, **FACTS)
    assert (config.epochs, config.g_learning_rate) == (3, 5e-4)
    assert type(config.epochs) is int
    assert type(make_config("demo", **FACTS).spacing_mm) is float
    assert json.dumps(PRESETS, sort_keys=True) == before


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", "2.5", "epochs to be a whole number, found '2.5'"),
        ("epochs", "many", "epochs to be a whole number, found 'many'"),
        ("epochs", 0, "epochs between 1 and 1000000, found 0"),
        ("epochs", True, "epochs to be a whole number, found True"),
        ("g_learning_rate", "nan", "g_learning_rate to be a number"),
        ("beta_1", 1.0, "beta_1 between 0.0 and 0.9999, found 1.0"),
        ("channels", 2, "channels among 1, 3, 32, 64, 128, 256, found"),
        ("batch_size", "1", "batch_size between 2 and 4096, found 1"),
        ("width", None, "width to be a whole number, found None"),
        ("deterministic", "yes", "deterministic to be true or false, found"),
        ("ema_decay", 1, "ema_decay between 0.0 and 0.999999, found 1"),
        ("precision", "float16", "precision among float32, mixed_bfloat16"),
        ("augment", "flip", "some of translate,cutout,rotate,scale, each once"),
        ("augment", "rotate,rotate", "found rotate, rotate"),
        ("suvr_max", 3, "found suvr_max"),  # a fact of the data
        ("ema_deacy", 0.9, "among ema_decay, found ema_deacy"),
        ("zzz", 3, "width, xla, found zzz"),  # like none: all are listed
    ],
)
def test_a_bad_setting_is_named_with_its_value(name, value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make_config("demo", overrides={name: value}, **FACTS)


def test_a_bad_fact_or_preset_is_named():
    bad = {"stage": "EMCI", "plane": "oblique", "size": 100, "phantom": "yes"}
    for name, value in (
        bad | {"dataset": 3, "suvr_max": 0, "reference": "pons", "seed": -1}
    ).items():
        with pytest.raises(ValueError, match=f"expected {name} "):
            make_config("demo", **FACTS | {name: value})
    with pytest.raises(ValueError, match=r"found 'papr': write paper$"):
        make_config("papr", **FACTS)
    with pytest.raises(ValueError, match=f"among {', '.join(PRESETS)}, found"):
        make_config("xyz", **FACTS)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"augment": "rotate"}, "expected a probability for augment rotate"),
        ({"augment_probability": 0.5}, "found augment none: name some of"),
        ({"augment_target": 0.6}, "found augment none: name some of"),
        ({"patience": 3}, "expected select_every with patience 3, found 0"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(overrides, message):
    with pytest.raises(ValueError, match=message):
        make_config("paper", overrides=overrides, **FACTS)


@pytest.mark.parametrize("kind", [lambda value: value, str])
def test_an_option_that_is_off_takes_its_parts_along(kind):
    overrides = {"augment": "none", "select_every": kind(0)}
    config = make_config("robust", overrides=overrides, **FACTS)
    assert config.augment_target == config.augment_probability == 0
    assert config.patience == 0
    assert config.ema_decay > 0
    with pytest.raises(ValueError, match="expected select_every with patience"):
        make_config("robust", overrides=overrides | {"patience": 3}, **FACTS)


def test_augmentations_are_names_joined_by_commas():
    overrides = {"augment": "scale, rotate", "augment_probability": "0.5"}
    config = make_config("demo", overrides=overrides, **FACTS)
    assert config.augmentations == ("scale", "rotate")


def test_a_bad_override_is_refused():
    for item in ("epochs", "=3", "e=", ""):
        with pytest.raises(ValueError, match="expected --set name=value"):
            parse_overrides([item])
    with pytest.raises(ValueError, match="'epochs' twice"):
        parse_overrides(["epochs=3", "epochs=4"])


def test_a_run_of_an_earlier_version_had_every_option_off():
    config = make_config("paper", **FACTS)
    values = dataclasses.asdict(config)
    for name in PLAIN:
        del values[name]
    assert TrainConfig.from_json(json.dumps(values)) == config


def test_a_damaged_configuration_is_refused():
    values = dataclasses.asdict(make_config("demo", **FACTS)) | {"more": 1}
    damaged = {
        "{": "found a fault: Expecting property name",
        "[]": "JSON object in .*, found list",
        "{}": "found missing: .*'stage'",
        json.dumps(values): r"unknown: \['more'\]",
    }
    for text, message in damaged.items():
        with pytest.raises(ValueError, match=message):
            TrainConfig.from_json(text)


def test_tensorflow_is_not_imported():
    code = "import pet_dcgan.config, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_conditions_are_names_in_their_order():
    facts = FACTS | {"stage": "ALL"}
    overrides = {"conditions": "age, position,stage"}
    config = make_config("conditional", overrides=overrides, **facts)
    assert config.conditions == "stage,position,age"
    assert config.condition_names == ("stage", "position", "age")
    assert make_config("robust", **FACTS).condition_names == ()


def test_without_conditions_there_is_no_transition():
    config = make_config(
        "conditional", overrides={"conditions": "none"}, **FACTS
    )
    assert not config.transition


def test_conditions_of_any_preset_come_with_their_transition():
    facts, asked = FACTS | {"stage": "ALL"}, {"conditions": "stage,position"}
    assert make_config("robust", overrides=asked, **facts).transition
    without = asked | {"transition": "false"}
    assert not make_config("robust", overrides=without, **facts).transition


@pytest.mark.parametrize(
    ("overrides", "facts", "words"),
    [
        ({"conditions": "stage,weight"}, {}, "some of stage,plane,position"),
        ({"conditions": "stage,stage"}, {}, "each once"),
        ({"conditions": "position"}, {}, "write stage,position"),
        ({}, {"stage": "AD"}, "leave out --stage"),
        ({"conditions": "none"}, {"stage": "ALL"}, "add --conditions"),
        ({"conditions": "stage"}, {"plane": "ALL"}, "expected plane among"),
        (
            {"conditions": "none", "transition": "true"},
            {"stage": "AD"},
            "expected conditions with transition true",
        ),
    ],
)
def test_conditions_that_contradict_the_rest_are_refused(
    overrides, facts, words
):
    facts = FACTS | {"stage": "ALL"} | facts
    with pytest.raises(ValueError, match=words) as error:
        make_config("conditional", overrides=overrides, **facts)
    assert "\n" not in str(error.value)
