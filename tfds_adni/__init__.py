"""ADNI-like folders of brain PET to a TFDS data set of labelled slices.

`from tfds_adni import Builder` registers the data set `adni` with TFDS; it is
imported lazily, so that looking through a folder does not start TensorFlow.
"""

__all__ = ["AdniConfig", "Builder"]


def __getattr__(name: str):
    if name in __all__:
        from tfds_adni import adni_dataset_builder

        return getattr(adni_dataset_builder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
