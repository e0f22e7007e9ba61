"""A toy prepared set of volumes: balls whose brightness tells the stage."""

import numpy as np
import tensorflow_datasets as tfds
import toy_data
from toy_data import SIZE, STAGES, SUBJECTS

METADATA = toy_data.METADATA | {
    "spacing_mm": 7.0,
    "planes": ["volume"],
    "bands_mm": {},
    "space": "native",
}


def ball(stage, seed):
    """uint16 `[SIZE, SIZE, SIZE]`: a ball on black, brighter for NC than AD.

    Its right half is brighter than its left one.
    """
    rng = np.random.default_rng([STAGES.index(stage), seed])
    places = np.mgrid[:SIZE, :SIZE, :SIZE] - SIZE / 2
    inside = np.linalg.norm(places, axis=0) < rng.uniform(9, 12)
    level = 40_000 - 8_000 * STAGES.index(stage) + 4_000 * (places[0] > 0)
    noise = rng.normal(0, 1_500, inside.shape)
    return (inside * (level + noise)).astype(np.uint16)


def _split(first, count):
    for stage in STAGES:
        for subject in range(first, first + count):
            example = toy_data._example(stage, subject, 0)
            for name in ("plane", "slice", "position_mm"):
                del example[name]
            example["image"] = ball(stage, subject)
            yield f"{stage}_{subject}", example


class Adni(toy_data.Adni, skip_registration=True):
    """The features and metadata of a set of volumes."""

    BUILDER_CONFIGS = (tfds.core.BuilderConfig(name="volume_32"),)
    pkg_dir_path = None

    def _info(self):
        image = tfds.features.Tensor(
            shape=(SIZE, SIZE, SIZE), dtype=np.uint16, encoding="zlib"
        )
        text = tfds.features.Text()
        features = {
            "image": image,
            "label": tfds.features.ClassLabel(names=list(STAGES)),
            "age": np.float32,
            **dict.fromkeys(("subject", "scan", "visit", "date", "sex"), text),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(METADATA),
        )

    def _split_generators(self, dl_manager):
        splits, first = {}, 0
        for name, count in SUBJECTS.items():
            splits[name] = _split(first, count)
            first += count
        return splits


def prepare(data_dir, builder=Adni, **options):
    """Writes `<data_dir>/adni/volume_32/2.0.0` and returns `data_dir`."""
    made = builder(config="volume_32", data_dir=data_dir)
    made.download_and_prepare(**options)
    toy_data.write_scans(made)
    return data_dir
