"""ADNI-like folders of brain PET to a TFDS data set of labelled slices.

The names below are the Python interface. Each is loaded when it is first used,
so that surveying a folder does not start TensorFlow. The data set `adni` is
registered with TFDS, whichever of the two is imported first.

Example:

    import tfds_adni

    print(tfds_adni.survey("scans").summary())
    tfds_adni.prepare("scans", "data", config="axial_64")
"""

import importlib

from tfds_adni.registration import register

# public name: the module that holds it, and its name there
_PUBLIC = {
    "AdniConfig": ("configurations", "AdniConfig"),
    "Builder": ("adni_dataset_builder", "Builder"),
    "Reading": ("volumes.reading", "Reading"),
    "Selection": ("cohort", "Selection"),
    "prepare": ("preparation", "prepare"),
    "survey": ("cohort", "survey"),
    "write_phantom": ("phantom", "write_cohort"),
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)


def __dir__() -> list[str]:
    return __all__


register()
