"""A folder of scans to a prepared data set, by one call."""

import contextlib
import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import tensorflow_datasets as tfds

from tfds_adni.adni_dataset_builder import Builder
from tfds_adni.cohort import Cohort, gather
from tfds_adni.splits import assign_splits


def prepare(
    folder: Path,
    data_dir: Path,
    *,
    config: str = "axial_128",
    num_shards: int | None = None,
    split_seed: int = 0,
    check: Callable[[Cohort], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Makes the TFRecords of one configuration.

    Args:
        folder: A download or a phantom.
        data_dir: Where prepared data sets lie; made where missing.
        config: The name of a configuration, such as `axial_128`.
        num_shards: Shards of each split; by size where `None`.
        split_seed: Another seed gives another split of the subjects.
        check: Called with the selected cohort before anything is written.
        progress: Called with scans done and scans in all, after each scan.

    Returns:
        The data set's folder, `<data_dir>/adni/<config>/<version>`. It
        appears whole or not at all.

    Raises:
        FileNotFoundError: If the folder is missing or holds no image.
        FileExistsError: If this configuration is prepared there already.
        ValueError: If the configuration is unknown, a table is missing, a
            stage has too few subjects, no scan is left to use, or a subject
            has another split in a configuration prepared before.
    """
    builder = Builder(
        config=_known(config),
        data_dir=str(data_dir),
        split_seed=split_seed,
        progress=progress,
    )
    home = Path(builder.data_path)
    if home.exists():
        raise FileExistsError(
            f"expected no data set yet, found one at {home}; use it, remove "
            "it, or choose another --data-dir"
        )
    cohort = gather(Path(folder))
    split_of = assign_splits(cohort.stage_of_subject, seed=split_seed)
    _require_same_splits(home.parent.parent, split_of)
    if check:
        check(cohort)
    options = tfds.download.DownloadConfig(
        manual_dir=str(folder), num_shards=num_shards
    )
    tfds.disable_progress_bar()
    # TFDS announces a download and makes a folder for it; there is none.
    with (
        contextlib.redirect_stdout(io.StringIO()),
        tempfile.TemporaryDirectory() as no_downloads,
    ):
        builder.download_and_prepare(
            download_dir=no_downloads, download_config=options
        )
    return home


def _known(name: str) -> str:
    """Refuses a configuration that does not exist."""
    if name not in Builder.builder_configs:
        raise ValueError(
            f"expected a configuration of {', '.join(Builder.builder_configs)},"
            f" found {name!r}; choose one of them with --config"
        )
    return name


def _require_same_splits(sets: Path, split_of: Mapping[str, str]) -> None:
    """Refuses a split that an earlier configuration contradicts.

    A generator trained on one configuration may be judged on another.
    """
    for path in sorted(sets.glob("*/*/scans.csv")):
        account = pd.read_csv(path, dtype=str).dropna(subset=["split"])
        earlier = dict(zip(account["subject"], account["split"], strict=True))
        moved = [
            f"{subject} ({split}, now {split_of[subject]})"
            for subject, split in sorted(earlier.items())
            if split_of.get(subject, split) != split
        ]
        if moved:
            more = f" and {len(moved) - 5} more" if len(moved) > 5 else ""
            raise ValueError(
                f"expected the split of {path.parent}, found "
                f"{', '.join(moved[:5])}{more}; prepare all configurations of "
                "one --data-dir from the same scans and with the same --seed"
            )
