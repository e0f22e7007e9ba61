"""From brain PET scans to trained, evaluated and served generators.

The names below are the Python interface. Each is loaded when it is first used,
so that `import pet_dcgan` starts neither TensorFlow nor Keras.

Example:

    import pet_dcgan as pd

    config = pd.resolve_config(
        "robust", data_dir="data", dataset="axial_128", stage="AD"
    )
    run = pd.train(config, "runs/ad")
    pd.evaluate(run)
    pd.export(run, "export/models")
"""

import importlib

from pet_dcgan.utils.keras_registration import register_with_keras
from pet_dcgan.utils.keras_settings import require_tensorflow_backend

__version__ = "0.1.0"

# public name: the module that holds it, and its name there
_PUBLIC = {
    "AdversarialLoss": ("models.losses", "AdversarialLoss"),
    "ConditionalDCGAN": ("models.conditional_dcgan", "ConditionalDCGAN"),
    "Conditions": ("conditions", "Conditions"),
    "DCGAN": ("models.dcgan", "DCGAN"),
    "DataLeakageError": ("data.leakage", "DataLeakageError"),
    "EpochProgress": ("training.callbacks", "EpochProgress"),
    "ForOptimizer": ("training.for_optimizer", "ForOptimizer"),
    "ImageFacts": ("image_facts", "ImageFacts"),
    "KID": ("models.kid", "KID"),
    "PRESETS": ("presets", "PRESETS"),
    "Run": ("runs.run", "Run"),
    "SampleGrid": ("training.sample_grid", "SampleGrid"),
    "StudySettings": ("study.settings", "StudySettings"),
    "TensorBoard": ("training.tensorboard", "TensorBoard"),
    "TrainConfig": ("config", "TrainConfig"),
    "asked": ("models.conditioned", "asked"),
    "build_dcgan": ("models.configured_dcgan", "build_dcgan"),
    "build_discriminator": ("models.networks", "build_discriminator"),
    "build_generator": ("models.networks", "build_generator"),
    "conditions_for": ("data.conditional_slices", "conditions_for"),
    "conditions_of": ("models.conditioned", "conditions_of"),
    "evaluate": ("evaluation.evaluate", "evaluate"),
    "export": ("serving.export", "export"),
    "generate": ("serving.generate", "generate"),
    "load_slices": ("data.prepared_set", "load_slices"),
    "load_training_slices": ("data.training_data", "load_training_slices"),
    "load_validation_slices": (
        "data.training_data",
        "load_validation_slices",
    ),
    "plot_history": ("evaluation.training_curves", "plot_history"),
    "plot_run": ("evaluation.training_curves", "plot_run"),
    "plot_samples": ("evaluation.sample_plot", "plot_samples"),
    "progress": ("utils.progress", "progress"),
    "resolve_config": ("training.train", "resolve_config"),
    "run_study": ("study.study", "run_study"),
    "save_sheet": ("plotting", "save_sheet"),
    "scale_to_model": ("data.real_images", "scale_to_model"),
    "start_tensorflow": ("utils.tensorflow_start", "start_tensorflow"),
    "suvr_from_png": ("data.suvr", "suvr_from_png"),
    "synthetic_slices": ("models.sampling", "synthetic_slices"),
    "train": ("training.train", "train"),
    "training_batches": ("data.batches", "training_batches"),
}

__all__ = sorted(_PUBLIC)
register_with_keras()


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require_tensorflow_backend()
    module, attribute = _PUBLIC[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
