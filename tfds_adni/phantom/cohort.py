"""A cohort of phantoms that is laid out like a download from the IDA."""

import csv
import datetime
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path

import nibabel as nib
import numpy as np

from tfds_adni.phantom.anatomy import Anatomy, build_anatomy
from tfds_adni.phantom.render import ADNI_GRID, Grid, render
from tfds_adni.phantom.subjects import (
    FIRST_RID,
    STAGES,
    Subject,
    generator,
    plant,
)

SUBJECTS = {"NC": 8, "MCI": 8, "AD": 8}
_worker: dict[str, Anatomy] = {}  # what a process was started with
DESCRIPTION = "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution"
TABLE = "Phantom_FDG_PET_6_01_2016.csv"
COLUMNS = (
    "Image Data ID",
    "Subject",
    "Group",
    "Sex",
    "Age",
    "Visit",
    "Modality",
    "Description",
    "Type",
    "Acq Date",
    "Format",
    "Downloaded",
)
_GROUPS = {"NC": "CN", "MCI": "MCI", "AD": "AD"}
_VISITS = ("bl", "m12", "m24")


@dataclass(frozen=True)
class Scan:
    """One visit of a subject, with its place in the download.

    Args:
        subject: The subject scanned.
        visit: Number of the visit, from 0.
        time: When the scan was acquired.
        image_id: The IDA's number of the image.
    """

    subject: Subject
    visit: int
    time: datetime.datetime
    image_id: int

    @property
    def path(self) -> Path:
        """Path of the file inside the download."""
        name = DESCRIPTION.replace(" ", "_")
        folder = f"{self.time:%Y-%m-%d_%H_%M_%S}.0"
        stored = self.time + datetime.timedelta(days=1, milliseconds=111)
        stamp = f"{stored:%Y%m%d%H%M%S}{stored.microsecond // 1000:03d}"
        file = (
            f"ADNI_{self.subject.ptid}_PT_{name}_Br_{stamp}"
            f"_{8 + self.visit}_S{self.image_id + 21}_I{self.image_id}.nii"
        )
        image = f"I{self.image_id}"
        return Path("ADNI", self.subject.ptid, name, folder, image, file)

    @property
    def row(self) -> tuple[str, ...]:
        """The scan's row in the collection table."""
        subject, date = self.subject, self.time
        return (
            f"I{self.image_id}",
            subject.ptid,
            _GROUPS[subject.stage],
            subject.sex,
            str(int(subject.age + subject.years[self.visit])),
            _VISITS[self.visit],
            "PET",
            DESCRIPTION,
            "Post-processed",
            f"{date.month}/{date.day:02d}/{date.year}",
            "NiFTI",
            "6/01/2016",
        )


def scans_of(subject: Subject, *, seed: int) -> list[Scan]:
    """The subject's visits as scans, the earliest first.

    Args:
        subject: Of the phantom.
        seed: Of the whole cohort.
    """
    rng = generator(seed, subject.rid, 9)
    day = datetime.datetime(2006, 1, 9) + datetime.timedelta(
        days=int(rng.integers(0, 7 * 365)),
        seconds=int(rng.integers(8 * 3600, 16 * 3600)),
    )
    first = 900_000 + len(_VISITS) * (subject.rid - FIRST_RID)
    late = np.cumsum(rng.integers(-20, 40, len(subject.years)))
    return [
        Scan(
            subject,
            visit,
            day + datetime.timedelta(days=365 * year + int(late[visit])),
            first + visit,
        )
        for visit, year in enumerate(subject.years)
    ]


def write_cohort(
    out: str | os.PathLike,
    *,
    subjects: Mapping[str, int] = SUBJECTS,
    seed: int = 0,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    grid: Grid = ADNI_GRID,
) -> Path:
    """Writes a phantom cohort: `out/ADNI/...` and its collection table.

    The same seed gives the same bytes, whatever `jobs` is, and a subject
    stays the same when others are added. The folder appears when it is
    whole; until then everything lies in a temporary folder beside it.

    Args:
        out: Folder to make; it may exist if it is empty.
        subjects: Subjects of each stage, among "NC", "MCI" and "AD".
        seed: Seed of everything random, at least 0.
        jobs: Number of processes. Defaults to one a core.
        progress: Called with the scans done and the scans in all.
        grid: Shape and spacing of the volumes.

    Returns:
        `out` as a path.

    Raises:
        FileExistsError: `out` exists and is not an empty folder.
        ImportError: nilearn is not installed.
        OSError: The disk is full, or a process was killed.
        ValueError: A bad stage, count, seed or number of processes.
    """
    out = Path(out)
    _check(out, subjects, seed, jobs)
    scans = [
        scan
        for stage in STAGES
        for number in range(subjects.get(stage, 0))
        for scan in scans_of(plant(stage, number, seed=seed), seed=seed)
    ]
    anatomy = build_anatomy(grid.spacing)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=out.parent, prefix=f".{out.name}.part-", ignore_cleanup_errors=True
    ) as part:
        whole = Path(part, "whole")
        whole.mkdir()
        tasks = [(whole / s.path, s, seed, grid) for s in scans]
        _write_all(tasks, anatomy, jobs or os.cpu_count() or 1, progress)
        with (whole / TABLE).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(
                file, quoting=csv.QUOTE_ALL, lineterminator="\n"
            )
            writer.writerow(COLUMNS)
            writer.writerows(scan.row for scan in scans)
        if out.exists():
            out.rmdir()
        whole.rename(out)
    return out


def _check(out: Path, subjects, seed, jobs) -> None:
    """Refuses a folder in use and bad options."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f"expected a new or empty folder, found {out} with something in "
            "it: choose another folder or remove it"
        )
    unknown = sorted(set(subjects) - set(STAGES))
    if unknown or not subjects:
        raise ValueError(
            f"expected stages among {', '.join(STAGES)}, found "
            f"{', '.join(map(str, unknown)) or 'none'}: name only these"
        )
    counts = {**subjects, "jobs": 1 if jobs is None else jobs}
    for what, count in counts.items():
        if not _is_count(count) or count < 1:
            raise ValueError(
                f"expected a whole number of at least 1 for {what}, found "
                f"{count!r}: give a larger one or leave it out"
            )
    if not _is_count(seed) or seed < 0:
        raise ValueError(
            f"expected a whole number of at least 0 as seed, found {seed!r}: "
            "give another seed"
        )


def _is_count(value) -> bool:
    """Whether a value is a whole number, not a bool."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _write_all(tasks, anatomy: Anatomy, jobs: int, progress) -> None:
    """Writes scans here or, with several jobs, in processes."""
    jobs = min(jobs, len(tasks))
    if jobs == 1:
        _start_worker(anatomy)
        _report(map(_write_scan, tasks), len(tasks), progress)
        return
    # spawn: a forked TensorFlow hangs
    pool = futures.ProcessPoolExecutor(
        jobs,
        mp_context=get_context("spawn"),
        initializer=_start_worker,
        initargs=(anatomy, True),
    )
    try:
        waiting = [pool.submit(_write_scan, task) for task in tasks]
        done = (f.result() for f in futures.as_completed(waiting))
        _report(done, len(tasks), progress)
    except BrokenProcessPool as error:
        raise ChildProcessError(
            "expected every process to finish, found one that ended early, "
            "perhaps for want of memory: run again with jobs=1"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _report(done, total: int, progress) -> None:
    """Waits for each scan and reports progress."""
    for count, _ in enumerate(done, start=1):
        if progress is not None:
            progress(count, total)


def _start_worker(anatomy: Anatomy, in_pool: bool = False) -> None:
    """Keeps the anatomy for this process; a worker ignores Ctrl-C."""
    _worker["anatomy"] = anatomy
    if in_pool:  # Ctrl-C is for the parent, which then stops the workers
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends a worker whose parent was killed; it would wait for ever."""
    parent_process().join()
    os._exit(1)


def _write_scan(task) -> None:
    """Renders and saves one scan."""
    path, scan, seed, grid = task
    volume = render(
        scan.subject, _worker["anatomy"], visit=scan.visit, seed=seed, grid=grid
    )
    path.parent.mkdir(parents=True)
    nib.save(to_image(volume, grid, qform_only=scan.subject.rid % 2 == 1), path)


def to_image(
    volume: np.ndarray, grid: Grid, *, qform_only: bool
) -> nib.Nifti1Image:
    """The volume as ADNI stores it: int16 with a slope, one frame, x flipped.

    Args:
        volume: Float32 `(x, y, z)` in RAS order.
        grid: The volume's grid.
        qform_only: Whether only the qform places the voxels, as in part of the
            real files.
    """
    slope = float(np.float32(volume.max() / 32767))
    stored = np.rint(volume[::-1, :, :, None] / slope).astype(np.int16)
    step = np.array([-1, 1, 1]) * grid.spacing
    affine = np.diag([*step, 1])
    affine[:3, 3] = -step * (np.array(grid.shape) - 1) / 2
    image = nib.Nifti1Image(stored, affine)
    image.header.set_slope_inter(slope, 0)
    image.header.set_xyzt_units("mm", "sec")
    image.set_qform(affine, 1)
    image.set_sform(None if qform_only else affine, int(not qform_only))
    return image
