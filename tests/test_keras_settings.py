"""A user's global Keras settings change nothing of this program."""

import contextlib
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import training_process

from pet_dcgan.models.classifier import build_classifier
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.networks import build_discriminator, build_generator
from pet_dcgan.utils import keras_settings
from pet_dcgan.utils.keras_settings import keras_defaults

CONFIG = keras.config
SETTINGS = {
    "floatx": "float16",
    "image_data_format": "channels_first",
    "epsilon": 1e-3,
    "dtype_policy": "bfloat16",
}


def settings():
    values = {name: getattr(CONFIG, name)() for name in SETTINGS}
    return values | {"dtype_policy": values["dtype_policy"].name}


@pytest.fixture
def hostile():
    """Sets the user's settings for a test."""
    before = settings()
    for name, value in SETTINGS.items():
        getattr(CONFIG, f"set_{name}")(value)
    yield
    for name, value in before.items():
        getattr(CONFIG, f"set_{name}")(value)


def small_dcgan():
    options = {"size": 32, "channels": 1, "width": 4}
    model = DCGAN(
        build_generator(**options),
        build_discriminator(**options),
        ema_decay=0.9,
    )
    model.compile()
    return model


def trained():
    """Every variable of a model after two steps."""
    images = np.random.default_rng(0).uniform(-1, 1, [4, 32, 32, 1])
    model = small_dcgan()
    for _ in range(2):
        model.train_step(images.astype(np.float32))
    return {
        part: [v.numpy() for v in variables]
        for part, variables in model.state.items()
    }


def test_a_step_is_the_same_under_any_settings(request):
    plain = trained()
    request.getfixturevalue("hostile")
    own = trained()
    assert own.keys() == plain.keys()
    for part, values in plain.items():
        for mine, expected in zip(own[part], values, strict=True):
            assert mine.dtype == expected.dtype
            np.testing.assert_array_equal(mine, expected)


def test_the_settings_are_the_users_again_afterwards(hostile):
    before = settings()
    small_dcgan()
    build_classifier(size=32, classes=2)
    assert settings() == before


def test_they_are_the_users_again_after_an_error(hostile):
    with contextlib.suppress(ZeroDivisionError), keras_defaults():
        assert settings()["floatx"] == "float32"
        raise ZeroDivisionError
    assert settings()["floatx"] == "float16"


def test_the_defaults_are_those_of_keras():
    with keras_defaults():
        assert settings() == {
            "floatx": "float32",
            "image_data_format": "channels_last",
            "epsilon": 1e-7,
            "dtype_policy": "float32",
        }


@pytest.fixture
def without_keras(monkeypatch, tmp_path):
    """As if Keras had not been imported, with an empty home."""
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "keras.json"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, "tensorflow"),
        ('{"backend": "jax"}', "jax"),
        ('{"floatx": "float16"}', "tensorflow"),
        ("[1]", "tensorflow"),
        ("{", "tensorflow"),
        ("\x00", "tensorflow"),
    ],
)
def test_the_backend_in_keras_json(without_keras, text, found):
    if text is not None:
        without_keras.write_text(text)
    if found == "tensorflow":
        keras_settings.require_tensorflow_backend()
        return
    with pytest.raises(ImportError) as refused:
        keras_settings.require_tensorflow_backend()
    assert str(refused.value) == (
        f"expected the TensorFlow backend of Keras, found {found} "
        f"({without_keras}); set KERAS_BACKEND=tensorflow before Keras is "
        "imported"
    )


def test_the_variable_goes_before_keras_json(without_keras, monkeypatch):
    without_keras.write_text('{"backend": "jax"}')
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    keras_settings.require_tensorflow_backend()
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(ImportError, match=r"found torch \(KERAS_BACKEND\)"):
        keras_settings.require_tensorflow_backend()


def test_python_refuses_another_backend_in_one_line():
    script = "import pet_dcgan\ntry:\n    pet_dcgan.DCGAN\n"
    script += "except ImportError as error:\n    print(error)"
    printed = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.startswith("expected the TensorFlow backend of Keras, found")


@pytest.mark.slow
def test_the_command_trains_alike_under_any_settings(toy_set, tmp_path):
    worst = {
        "floatx": "float16",
        "image_data_format": "channels_first",
        "epsilon": 0.01,
        "backend": "jax",
    }
    (tmp_path / "keras.json").write_text(json.dumps(worst))
    for name, env in (
        ("plain", {}),
        ("own", {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "torch"}),
    ):
        command = training_process.command(toy_set, tmp_path / name, epochs=1)
        subprocess.run(command, env=os.environ | env, check=True)
    training_process.assert_same_run(tmp_path / "plain", tmp_path / "own")
