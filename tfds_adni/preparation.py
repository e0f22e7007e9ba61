"""A folder of scans to a prepared data set, in one call.

TFDS writes into a folder `incomplete...` beside the data set and renames it
when it is whole. What a killed process leaves there the next one removes.
"""

import contextlib
import io
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow_datasets as tfds

from tfds_adni.adni_dataset_builder import Builder
from tfds_adni.cohort import Cohort, gather
from tfds_adni.cohort.selection import Selection
from tfds_adni.cohort.splits import assign_splits, require_same_splits
from tfds_adni.file_formats import TFRECORD, require_writable
from tfds_adni.parallel.lock_file import held
from tfds_adni.volumes.affine_registration import require_method
from tfds_adni.volumes.normalisation import Normalisation
from tfds_adni.volumes.reading import Reading

if TYPE_CHECKING:
    import apache_beam

_INCOMPLETE = "incomplete."
_LOCK = ".lock"


def prepare(
    folder: Path,
    data_dir: Path,
    *,
    config: str = "axial_128",
    selection: Selection | None = None,
    normalisation: Normalisation | None = None,
    reading: Reading | None = None,
    register: str = "none",
    jobs: int | None = None,
    beam_options: str | None = None,
    num_shards: int | None = None,
    file_format: str = TFRECORD,
    split_seed: int = 0,
    check: Callable[[Cohort], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Writes the records of one configuration.

    The same input gives the same bytes, whatever `jobs` is. Stopped at any
    moment it leaves no data set; called again it makes the whole one.

    Args:
        folder: A download or a phantom.
        data_dir: The folder of prepared data sets; created if missing.
        config: The name of a configuration, such as `axial_128`.
        selection: Which scans are used; the paper's choice where `None`.
        normalisation: What volumes are divided by; the mean of the whole
            brain where `None`.
        reading: How files are read; the defaults where `None`.
        register: `"affine"` registers every scan to a template in MNI space
            before it is cut, with SimpleITK; `"none"` cuts them where they
            lie.
        jobs: Number of worker processes; see `Pool`.
        beam_options: Makes Apache Beam do the work, with these of its options,
            such as `--runner=FlinkRunner --flink_master=host:8081`.
        num_shards: Shards of each split; by size where `None`.
        file_format: `"tfrecord"`, which training reads; or `"array_record"`,
            for `tfds.data_source`.
        split_seed: Another seed gives another split of the subjects.
        check: Called with the selected cohort before anything is written.
        progress: Called with scans done and scans in all, after each scan;
            not with Beam, which shows its own progress.

    Returns:
        The data set's folder, `<data_dir>/adni/<config>/<version>`.

    Raises:
        FileNotFoundError: If the folder, its images, a table or a mask is
            missing.
        BlockingIOError: If another process prepares into `data_dir`.
        FileExistsError: If the data set exists.
        ChildProcessError: If a process was killed.
        ImportError: If Beam, `array_record` or SimpleITK is needed and not
            installed.
        RuntimeError: If Beam stops.
        ValueError: If configuration, format or registration is unknown, a
            table is missing, a stage has too few subjects, no scan is left to
            use, or a subject has another split in a configuration prepared
            before.
    """
    _require_known(config, Path(data_dir))
    require_writable(file_format)
    require_method(register)
    beam = beam_options is not None
    options = tfds.download.DownloadConfig(
        manual_dir=str(folder),
        num_shards=num_shards,
        beam_options=_pipeline_options(beam_options) if beam else None,
    )
    home = Path(data_dir).expanduser()
    home = home / Builder.name / config / str(Builder.VERSION)
    # first of all: whether another process, or nobody at all, may write here
    with claimed(home) as scratch, _temporary_files_in(scratch / "tmp"):
        builder = Builder(
            config=config,
            data_dir=str(data_dir),
            file_format=file_format,
            selection=selection,
            normalisation=normalisation,
            reading=reading,
            register=register,
            split_seed=split_seed,
            jobs=jobs,
            beam=beam,
            progress=progress,
        )
        builder.cohort = cohort = gather(folder, selection, reading=reading)
        split_of = assign_splits(cohort.stage_of_subject, seed=split_seed)
        if check:
            check(cohort)
        require_same_splits(home.parent.parent, split_of)
        tfds.disable_progress_bar()
        # TFDS announces a download, and there is none.
        with contextlib.redirect_stdout(io.StringIO()), _beam_errors(beam):
            builder.download_and_prepare(
                download_dir=str(scratch), download_config=options
            )
    return home


@contextlib.contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Keeps temporary files of TFDS, of Beam and of its processes together.

    Both leave some behind, even where nobody stops them.
    """
    folder.mkdir()
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder.absolute())
    try:
        yield
    finally:
        tempfile.tempdir = before[0]
        os.environ.pop("TMPDIR")
        if before[1] is not None:
            os.environ["TMPDIR"] = before[1]


def _require_known(config: str, data_dir: Path) -> None:
    """Rejects an unknown configuration, and a bucket as the folder."""
    # Buckets have neither locks nor renames. A Path turns gs:// into gs:/.
    if re.match(r"\w{2,}:/", str(data_dir)):
        raise ValueError(
            f"expected a folder as --data-dir, found {data_dir}; mount the "
            "bucket as a folder, or prepare into one and copy it"
        )
    for place in (data_dir, *data_dir.parents[:2]):
        if place.name == "adni" and any(place.glob("*/*/dataset_info.json")):
            raise ValueError(
                f"expected the folder that holds adni, found {data_dir}; write "
                f"--data-dir {shlex.quote(str(place.parent))}"
            )
    if config not in Builder.builder_configs:
        raise ValueError(
            f"expected a configuration of {', '.join(Builder.builder_configs)},"
            f" found {config!r}; choose one of them with --config"
        )


def _pipeline_options(
    text: str,
) -> "apache_beam.options.pipeline_options.PipelineOptions":
    """Parses Beam's own options."""
    try:
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise ImportError(
            "expected Apache Beam for --beam-options, found no module "
            f'{error.name}; install it with: pip install "pet-dcgan[beam]"'
        ) from None
    printed = io.StringIO()
    try:
        # argparse prints the error and exits.
        with contextlib.redirect_stderr(printed):
            options = PipelineOptions(shlex.split(text))
            options.get_all_options()
    except (SystemExit, ValueError) as error:
        lines = printed.getvalue().strip().splitlines() or [str(error)]
        raise ValueError(
            f"expected options of Apache Beam, found {text!r} "
            f"({lines[-1].rpartition('error: ')[2]}); see docs/scaling-out.md"
        ) from None
    return options


@contextlib.contextmanager
def _beam_errors(beam: bool) -> Iterator[None]:
    """Reports an error of a pipeline in one line; Beam logs the rest."""
    try:
        yield
    except Exception as error:
        if not beam:
            raise
        text = " ".join(str(error).split()) or type(error).__name__
        # The words of TFDS's own part of the pipeline.
        empty = re.search(r"generated examples is 0 for split (\w+)", text)
        if empty:
            raise ValueError(
                f"expected usable scans for the {empty[1]} split, found none; "
                "prepare without --beam-options to see why"
            ) from None
        raise RuntimeError(
            f"expected Apache Beam to finish, found {text[:200]}; its log "
            "above says more"
        ) from error


@contextlib.contextmanager
def claimed(home: Path) -> Iterator[Path]:
    """Claims the place of a data set while it is made.

    The claim covers all configurations in a `data_dir`, which share one
    split; it ends with the process, even a killed one.

    Args:
        home: `<data_dir>/<name>/<config>/<version>`, not there yet.

    Yields:
        An empty folder for TFDS's downloads.

    Raises:
        BlockingIOError: If another process makes a data set there.
        FileExistsError: If it is there already.
    """
    if home.exists():
        remove_leftovers(home)
    _require_new(home)
    sets, configs = home.parent.parent, home.parent.parent / ".config"
    new = [path for path in (sets, *sets.parents) if not path.exists()]
    try:
        sets.mkdir(parents=True, exist_ok=True)
        with _held(sets):
            _require_new(home)  # another process may just have finished it
            _sweep(home.parent)
            _sweep(configs)
            scratch = home.parent / f"{_INCOMPLETE}downloads"
            try:
                scratch.mkdir(parents=True)
                yield scratch
            finally:
                _sweep(home.parent)
                _remove_if_empty(home.parent)
                if all(path.name.startswith(".") for path in sets.iterdir()):
                    shutil.rmtree(configs, ignore_errors=True)
    finally:
        for path in new:
            _remove_if_empty(path)


def remove_leftovers(home: Path) -> None:
    """Removes what a `prepare` left that was killed when its set was whole.

    Args:
        home: A data set, `<data_dir>/<name>/<config>/<version>`.
    """
    folders = home.parent, home.parent.parent / ".config"
    lock = home.parent.parent / _LOCK
    left = [p for each in folders for p in each.glob(f"{_INCOMPLETE}*")]
    if left or os.path.lexists(lock):
        # those of one that lives are its own
        with contextlib.suppress(BlockingIOError), _held(lock.parent):
            for each in folders:
                _sweep(each)


def _held(sets: Path) -> contextlib.AbstractContextManager[None]:
    """The lock of all data sets in a folder."""
    return held(sets / _LOCK, "prepare", place=sets.parent)


def _require_new(home: Path) -> None:
    """Refuses a data set that exists."""
    if home.exists():
        raise FileExistsError(
            f"expected no data set yet, found one at {home}; use it, remove "
            "it, or choose another --data-dir"
        )


def _sweep(folder: Path) -> None:
    """Removes incomplete files and folders."""
    for path in folder.glob(f"{_INCOMPLETE}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    """Removes an empty folder."""
    with contextlib.suppress(OSError):
        folder.rmdir()
