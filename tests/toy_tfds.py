"""Small sets of the real builder, for what users of TFDS do with them."""

import ida_tree
import tensorflow_datasets as tfds

from tfds_adni import prepare

NAME = "adni/axial_64"
STAGES = {"NC (0)", "MCI (1)", "AD (2)"}
# slices of a scan, and subjects of each split
SLICES = 12
COUNTS = {"train": 6, "validation": 3, "test": 3}


def write_tree(folder):
    """Writes twelve scans, and returns their folder."""
    return ida_tree.write_tree(folder / "scans", ida_tree.cohort_rows(4))


def prepare_set(tree, data_dir, **options):
    """Prepares `NAME` in a folder, and returns that."""
    prepare(tree, data_dir, config="axial_64", jobs=1, **options)
    return data_dir


def scans_of(tree):
    """TFDS's options of a preparation that name the folder of scans."""
    return tfds.download.DownloadConfig(manual_dir=str(tree))


def home_of(data_dir):
    """The folder of the only version of the set."""
    (home,) = data_dir.glob(f"{NAME}/*.*.*")
    return home


def content(data_dir):
    """Every file of the set."""
    return {
        path.name: path.read_bytes() for path in home_of(data_dir).iterdir()
    }
