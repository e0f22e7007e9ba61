"""`import pet_dcgan` and `import tfds_adni`: what they offer and start."""

import subprocess
import sys

import pytest
from pages import ROOT, blocks_of

import pet_dcgan
import tfds_adni


def test_every_public_name_is_there():
    assert pet_dcgan.__all__ == [
        "AdversarialLoss",
        "ConditionalDCGAN",
        "Conditions",
        "DCGAN",
        "DataLeakageError",
        "EpochProgress",
        "ForOptimizer",
        "ImageFacts",
        "KID",
        "PRESETS",
        "Run",
        "SampleGrid",
        "StudySettings",
        "TensorBoard",
        "TrainConfig",
        "asked",
        "build_dcgan",
        "build_discriminator",
        "build_generator",
        "conditions_for",
        "conditions_of",
        "evaluate",
        "export",
        "generate",
        "load_slices",
        "load_training_slices",
        "load_validation_slices",
        "plot_history",
        "plot_run",
        "plot_samples",
        "progress",
        "resolve_config",
        "run_study",
        "save_sheet",
        "scale_to_model",
        "start_tensorflow",
        "suvr_from_png",
        "synthetic_slices",
        "train",
        "training_batches",
    ]
    for name in pet_dcgan.__all__:
        assert name in dir(pet_dcgan)
        assert getattr(pet_dcgan, name).__doc__


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_from_import_to_images_in_eight_lines(page):
    first = next(b for b in blocks_of(ROOT / page) if b.language == "python")
    lines = [line for line in first.text.splitlines() if line]
    assert lines[0] == "import pet_dcgan as pd"
    assert lines[-1] == "pd.plot_samples(model)"
    assert len(lines) <= 8


def test_nothing_else_is_public():
    with pytest.raises(AttributeError, match="no attribute 'judge'"):
        pet_dcgan.judge  # noqa: B018


def test_the_names_of_tfds_adni_and_nothing_else():
    assert tfds_adni.__all__ == [
        "AdniConfig",
        "Builder",
        "Reading",
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


START = """
import sys
import pet_dcgan
import tfds_adni

pet_dcgan.PRESETS, pet_dcgan.generate, pet_dcgan.TrainConfig
tfds_adni.survey, tfds_adni.write_phantom, tfds_adni.Selection
assert not {"keras", "tensorflow", "tensorflow_datasets"} & set(sys.modules)

import tensorflow_datasets as tfds

tfds_adni.Builder
assert tfds.builder_cls("adni").__module__ == "tfds_adni.adni_dataset_builder"
for name in [name for name in sys.modules if name.startswith("tfds_adni")]:
    del sys.modules[name]
with tfds.core.registered.skip_registration():
    import tfds_adni
assert "tfds_adni.adni_dataset_builder" in sys.modules
sys.exit("tensorflow" in sys.modules)
"""


def test_what_is_imported_when():
    """TensorFlow never, the builder with `Builder` or after TFDS."""
    subprocess.run([sys.executable, "-c", START], check=True)
