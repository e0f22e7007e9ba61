"""A toy prepared set: bright discs whose brightness tells the stage."""

from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

STAGES = ("NC", "MCI", "AD")
SUBJECTS = {"train": 3, "validation": 1, "test": 2}
SLICES = 4
SIZE = 32
METADATA = {
    "suvr_max": 2.5,
    "spacing_mm": 6.0,
    "size": SIZE,
    "planes": ["axial"],
    "bands_mm": {"axial": [0, 24]},
    "source": "ida",
    "selection": {},
    "normalisation": {"method": "brain"},
    "phantom": True,
    "split_seed": 0,
    "clipped_share": 0.0,
    "subjects": dict.fromkeys(STAGES, SUBJECTS),
    "made_by": "pet-dcgan 0.1.0",
}


def disc(stage, seed):
    """uint16 `[SIZE, SIZE, 1]`: a disc on black, brighter for NC than AD."""
    rng = np.random.default_rng([STAGES.index(stage), seed])
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    inside = np.hypot(y, x) < rng.uniform(10, 14)
    level = 40_000 - 8_000 * STAGES.index(stage)
    noise = rng.normal(0, 1_500, inside.shape)
    return (inside * (level + noise)).astype(np.uint16)[..., None]


def _example(stage, subject, position):
    return {
        "image": disc(stage, subject * SLICES + position),
        "label": stage,
        "plane": "axial",
        "slice": position,
        "position_mm": 6.0 * position,
        "subject": f"999_S_{STAGES.index(stage) + 1}{subject:03}",
        "scan": f"I{STAGES.index(stage) + 1}{subject:03}",
        "visit": "sc",
        "date": "2006-01-01",
        "age": 75.0,
        "sex": "F",
    }


def _split(first, count):
    for stage in STAGES:
        for subject in range(first, first + count):
            for position in range(SLICES):
                key = f"{stage}_{subject}_{position}"
                yield key, _example(stage, subject, position)


# Not registered: the real builder of that name may be loaded as well.
class Adni(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """The features and metadata of a prepared set, in a few kilobytes."""

    VERSION = tfds.core.Version("2.0.0")
    BUILDER_CONFIGS = (tfds.core.BuilderConfig(name="axial_32"),)
    pkg_dir_path = None

    def _info(self):
        image = tfds.features.Image(
            shape=(SIZE, SIZE, 1), dtype=np.uint16, encoding_format="png"
        )
        text = tfds.features.Text()
        features = {
            "image": image,
            "label": tfds.features.ClassLabel(names=list(STAGES)),
            "plane": tfds.features.ClassLabel(
                names=["axial", "coronal", "sagittal"]
            ),
            "slice": np.int32,
            "position_mm": np.float32,
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

    def _generate_examples(self, examples):
        yield from examples


def prepare(data_dir, builder=Adni, **options):
    """Writes `<data_dir>/adni/axial_32/2.0.0` and returns `data_dir`."""
    made = builder(config="axial_32", data_dir=data_dir)
    made.download_and_prepare(**options)
    write_scans(made)
    return data_dir


def write_scans(builder):
    """Writes the `scans.csv` that the real builder leaves beside its records.

    It lists the examples of the builder's splits, and a scan that went unused.
    """
    lines = {"I9999,999_S_9999,AD,False,"}
    for split, examples in builder._split_generators(None).items():
        lines |= {
            f"{e['scan']},{e['subject']},{e['label']},True,{split}"
            for _, e in examples
        }
    text = "\n".join(["image_id,subject,stage,used,split", *sorted(lines)])
    (Path(builder.data_dir) / "scans.csv").write_text(text + "\n")
