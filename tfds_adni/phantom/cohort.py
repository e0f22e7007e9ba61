"""A phantom cohort in the layout of a download from the IDA."""

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tfds_adni.parallel.pool import Pool
from tfds_adni.phantom.claim import claimed
from tfds_adni.phantom.difficulty import REALISTIC
from tfds_adni.phantom.maps import load_maps
from tfds_adni.phantom.render import ADNI_GRID, Grid
from tfds_adni.phantom.scans import COLUMNS, Scan, scans_of, write_scan
from tfds_adni.phantom.subjects import STAGES, make_subject
from tfds_adni.phantom.tables import write_table, write_tables

SUBJECTS = {"NC": 8, "MCI": 8, "AD": 8}
TABLE = "Phantom_FDG_PET_6_01_2016.csv"


def write_cohort(
    out: str | os.PathLike,
    *,
    subjects: Mapping[str, int] = SUBJECTS,
    seed: int = 0,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    grid: Grid = ADNI_GRID,
    difficulty: str = REALISTIC,
    visits: int | None = None,
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
        difficulty: "easy" or "realistic".
        visits: Yearly visits of everybody, at most 10. Defaults to one of
            two thirds, two or three of the others.

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
        for scan in scans_of(
            make_subject(
                stage, number, seed=seed, difficulty=difficulty, visits=visits
            )
        )
    ]
    workers = contextlib.closing(Pool(jobs or os.cpu_count()))
    with claimed(out) as whole, workers as pool:
        tasks = [(whole, scan, grid) for scan in scans]
        for done, _ in enumerate(pool.map(_write_scan, tasks), start=1):
            if progress is not None:
                progress(done, len(scans))
        write_table(whole / TABLE, COLUMNS, [scan.row for scan in scans])
        write_tables(whole, scans)
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


def _write_scan(task: tuple[Path, Scan, Grid]) -> None:
    """Renders and saves one scan; a process builds the anatomy once."""
    folder, scan, grid = task
    write_scan(scan, folder, grid=grid)
