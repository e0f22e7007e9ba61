"""A phantom cohort in the layout of a download from the IDA."""

import contextlib
import datetime
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from tfds_adni.parallel.pool import Pool
from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.maps import load_maps
from tfds_adni.phantom.claim import claimed
from tfds_adni.phantom.render import ADNI_GRID, Grid, render
from tfds_adni.phantom.subjects import (
    FIRST_RID,
    STAGES,
    Subject,
    make_subject,
    random_stream,
)
from tfds_adni.phantom.tables import write_table, write_tables

SUBJECTS = {"NC": 8, "MCI": 8, "AD": 8}
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
    """One visit of a subject.

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
    def visit_code(self) -> str:
        """The visit as ADNI's tables name it."""
        return _VISITS[self.visit]

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
            self.visit_code,
            "PET",
            DESCRIPTION,
            "Post-processed",
            f"{date.month}/{date.day:02d}/{date.year}",
            "NiFTI",
            "6/01/2016",
        )


def scans_of(subject: Subject, *, seed: int) -> list[Scan]:
    """Dates the visits of a subject.

    Args:
        subject: One of the cohort.
        seed: Of the whole cohort.

    Returns:
        A scan for each visit, the earliest first.
    """
    rng = random_stream(seed, subject.rid, 9)
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
    """Writes a phantom cohort as a download from the IDA.

    It has the scans in `out/ADNI/...`, the table of their collection, and
    ADNIMERGE, DXSUM and PETQC in `out/tables`.

    The same seed gives the same bytes, whatever `jobs` is, and a subject
    stays the same when others are added. The cohort is written to a hidden
    folder beside `out` and moved there when it is complete; what a killed
    process leaves there the next one removes.

    Args:
        out: A new or an empty folder.
        subjects: Subjects of each stage, among "NC", "MCI" and "AD".
        seed: Seed of everything random, at least 0.
        jobs: Number of processes. Defaults to one per core.
        progress: Called with the number of scans done and the total.
        grid: Shape and spacing of the volumes.

    Returns:
        `out` as a path.

    Raises:
        BlockingIOError: If another process writes to `out`.
        FileExistsError: If `out` exists and is not an empty folder.
        ImportError: If nilearn is not installed.
        OSError: If the disk is full, or a process was killed.
        ValueError: If a stage, count, seed or number of processes is bad.
    """
    _check(subjects, seed, jobs)
    load_maps()  # without nilearn it fails here, before anything is written
    scans = [
        scan
        for stage in STAGES
        for number in range(subjects.get(stage, 0))
        for scan in scans_of(make_subject(stage, number, seed=seed), seed=seed)
    ]
    workers = contextlib.closing(Pool(jobs or os.cpu_count()))
    with claimed(out) as whole, workers as pool:
        tasks = [(whole / scan.path, scan, seed, grid) for scan in scans]
        for path, *_ in tasks:
            path.parent.mkdir(parents=True)
        for done, _ in enumerate(pool.map(_write_scan, tasks), start=1):
            if progress is not None:
                progress(done, len(scans))
        write_table(whole / TABLE, COLUMNS, [scan.row for scan in scans])
        write_tables(whole, scans, seed=seed)
    return Path(out)


def _check(subjects, seed, jobs) -> None:
    """Refuses bad options."""
    unknown = sorted(set(subjects) - set(STAGES))
    if unknown or not subjects:
        raise ValueError(
            f"expected stages among {', '.join(STAGES)}, found "
            f"{', '.join(map(str, unknown)) or 'none'}: name only these"
        )
    jobs = 1 if jobs is None else jobs
    for name, count in {**subjects, "jobs": jobs, "seed": seed}.items():
        least = 0 if name == "seed" else 1
        whole = isinstance(count, int | np.integer)
        if not whole or isinstance(count, bool) or count < least:
            raise ValueError(
                f"expected a whole number of at least {least} for {name}, "
                f"found {count!r}: give a larger one or leave it out"
            )


def _write_scan(task: tuple[Path, Scan, int, Grid]) -> None:
    """Renders and saves one scan; a process builds the anatomy once."""
    path, scan, seed, grid = task
    anatomy = build_anatomy(grid.spacing)
    volume = render(
        scan.subject, anatomy, visit=scan.visit, seed=seed, grid=grid
    )
    nib.save(_image(volume, grid, qform_only=scan.subject.rid % 2 == 1), path)


def _image(
    volume: np.ndarray, grid: Grid, *, qform_only: bool
) -> nib.Nifti1Image:
    """Makes the image as ADNI stores it: int16, slope, one frame, x flipped.

    In part of the real files the qform alone places the voxels.
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
