"""`import pet_dcgan` and `import tfds_adni`: what they offer and start."""

import subprocess
import sys

import pytest

import pet_dcgan
import tfds_adni


def test_every_public_name_is_there():
    assert pet_dcgan.__all__ == [
        "DCGAN",
        "DataLeakageError",
        "EpochProgress",
        "PRESETS",
        "Run",
        "SampleGrid",
        "TrainConfig",
        "build_discriminator",
        "build_generator",
        "evaluate",
        "export",
        "generate",
        "load_slices",
        "plot_history",
        "plot_run",
        "progress",
        "resolve_config",
        "run_study",
        "save_sheet",
        "suvr_from_png",
        "synthetic_slices",
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


def test_the_names_of_tfds_adni_and_nothing_else():
    assert tfds_adni.__all__ == [
        "AdniConfig",
        "Builder",
        "Selection",
        "prepare",
        "survey",
        "write_phantom",
    ]
    assert dir(tfds_adni) == tfds_adni.__all__
    for name in tfds_adni.__all__:
        assert callable(getattr(tfds_adni, name))
    with pytest.raises(AttributeError, match="no attribute 'gather'"):
        tfds_adni.gather  # noqa: B018


@pytest.mark.parametrize("registering", ["", "tfds_adni.Builder"])
def test_the_builder_is_registered_without_tensorflow(registering):
    """At once where TFDS was imported before, else with `Builder`."""
    imports = ["import tfds_adni", "import tensorflow_datasets as tfds"]
    code = [
        "import sys",
        *(imports if registering else reversed(imports)),
        registering,
        "assert tfds.builder_cls('adni').__module__.startswith('tfds_adni')",
        "tfds_adni.survey, tfds_adni.write_phantom, tfds_adni.Selection",
        "sys.exit('tensorflow' in sys.modules)",
    ]
    subprocess.run([sys.executable, "-c", "\n".join(code)], check=True)
