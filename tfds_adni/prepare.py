"""A folder of scans to a prepared data set, by one call."""

import contextlib
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import tensorflow_datasets as tfds

from tfds_adni.adni_dataset_builder import Builder
from tfds_adni.cohort.cohort import Cohort, gather
from tfds_adni.cohort.selection import Selection
from tfds_adni.cohort.splits import assign_splits
from tfds_adni.parallel.beam import pipeline_options, worded_errors
from tfds_adni.staging import claimed
from tfds_adni.volumes.normalisation import Normalisation
from tfds_adni.writer import bounded_shuffling


def prepare(
    folder: Path,
    data_dir: Path,
    *,
    config: str = "axial_128",
    selection: Selection | None = None,
    normalisation: Normalisation | None = None,
    jobs: int | None = None,
    beam_options: str | None = None,
    num_shards: int | None = None,
    split_seed: int = 0,
    check: Callable[[Cohort], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Makes the TFRecords of one configuration.

    The same input gives the same bytes, whatever `jobs` is. Stopped at any
    moment it leaves no data set, and called again it makes the whole one.

    Args:
        folder: A download or a phantom.
        data_dir: Where prepared data sets lie; made where missing.
        config: The name of a configuration, such as `axial_128`.
        selection: Which scans are used; the paper's choice where `None`.
        normalisation: What volumes are divided by; the mean of the whole
            brain where `None`.
        jobs: Processes that cut scans; where `None` one for each core, and
            fewer for a few scans.
        beam_options: Has Apache Beam do the work, with these of its options,
            such as `--runner=FlinkRunner --flink_master=host:8081`.
        num_shards: Shards of each split; by size where `None`.
        split_seed: Another seed gives another split of the subjects.
        check: Called with the selected cohort before anything is written.
        progress: Called with scans done and scans in all, after each scan;
            not with Beam, which has pages of its own.

    Returns:
        The data set's folder, `<data_dir>/adni/<config>/<version>`. It
        appears whole or not at all.

    Raises:
        FileNotFoundError: If the folder is missing or holds no image, or a
            table or a mask is missing.
        FileExistsError: If this configuration is prepared there already, or
            somebody else prepares there now.
        ChildProcessError: If a process was killed.
        ImportError: If Beam is asked for and not installed.
        RuntimeError: If Beam stops.
        ValueError: If the configuration is unknown, a table is missing, a
            stage has too few subjects, no scan is left to use, or a subject
            has another split in a configuration prepared before.
    """
    folder = Path(folder)
    _require_folder(data_dir)
    options = _download_config(folder, num_shards, beam_options)
    builder = Builder(
        config=_known(config),
        data_dir=str(data_dir),
        selection=selection,
        normalisation=normalisation,
        split_seed=split_seed,
        jobs=jobs,
        beam=beam_options is not None,
        progress=progress,
    )
    home = Path(builder.data_path)
    if home.exists():
        raise FileExistsError(
            f"expected no data set yet, found one at {home}; use it, remove "
            "it, or choose another --data-dir"
        )
    builder.cohort = cohort = gather(folder, selection)
    split_of = assign_splits(cohort.stage_of_subject, seed=split_seed)
    if check:
        check(cohort)
    with claimed(home) as scratch:
        _require_same_splits(home.parent.parent, split_of)
        _build(builder, options, scratch)
    return home


def _download_config(
    folder: Path, num_shards: int | None, beam_options: str | None
) -> tfds.download.DownloadConfig:
    """Words the options for TFDS."""
    return tfds.download.DownloadConfig(
        manual_dir=str(folder),
        num_shards=num_shards,
        beam_options=(
            None if beam_options is None else pipeline_options(beam_options)
        ),
    )


def _build(
    builder: Builder, options: tfds.download.DownloadConfig, scratch: Path
) -> None:
    """Has TFDS build, quietly: it announces a download, and there is none."""
    tfds.disable_progress_bar()
    with (
        bounded_shuffling(),
        contextlib.redirect_stdout(io.StringIO()),
        worded_errors() if options.beam_options else contextlib.nullcontext(),
    ):
        builder.download_and_prepare(
            download_dir=str(scratch), download_config=options
        )


def _known(name: str) -> str:
    """Refuses a configuration that does not exist."""
    if name not in Builder.builder_configs:
        raise ValueError(
            f"expected a configuration of {', '.join(Builder.builder_configs)},"
            f" found {name!r}; choose one of them with --config"
        )
    return name


def _require_folder(data_dir: Path) -> None:
    """Refuses a bucket, in which nothing can be claimed or renamed."""
    # A Path turns the two slashes of gs:// into one.
    if re.match(r"\w{2,}:/", str(data_dir)):
        raise ValueError(
            f"expected a folder as --data-dir, found {data_dir}; mount the "
            "bucket as a folder, or prepare into one and copy it"
        )


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
