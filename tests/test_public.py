"""`import pet_dcgan`: what it gives, and what it does not start."""

import subprocess
import sys

import pytest

import pet_dcgan


def test_every_public_name_is_there():
    assert pet_dcgan.__all__ == [
        "DCGAN",
        "DataLeakageError",
        "PRESETS",
        "Run",
        "TrainConfig",
        "build_discriminator",
        "build_generator",
        "evaluate",
        "export",
        "generate",
        "load_slices",
        "plot_run",
        "run_study",
        "train",
        "training_batches",
    ]
    for name in pet_dcgan.__all__:
        assert name in dir(pet_dcgan)
        assert getattr(pet_dcgan, name).__doc__


def test_nothing_else_is_public():
    with pytest.raises(AttributeError, match="no attribute 'judge'"):
        pet_dcgan.judge  # noqa: B018


def test_it_starts_no_tensorflow():
    code = (
        "import sys, pet_dcgan\n"
        "pet_dcgan.PRESETS, pet_dcgan.generate, pet_dcgan.TrainConfig\n"
        "sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
