"""A phantom cohort in the layout of a download from the IDA."""

import contextlib
import math
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tfds_adni.parallel.pool import Pool
from tfds_adni.phantom.claim import claimed
from tfds_adni.phantom.difficulty import REALISTIC, load_difficulty
from tfds_adni.phantom.imaging import ADNI_GRID, Grid
from tfds_adni.phantom.levels import UNIFORM, check_levels
from tfds_adni.phantom.maps import load_maps
from tfds_adni.phantom.scans import (
    COLUMNS,
    MOST_VISITS,
    Scan,
    scans_of,
    write_scan,
)
from tfds_adni.phantom.subjects import Subject, make_subject
from tfds_adni.phantom.tables import write_table, write_tables
from tfds_adni.phantom.truth import write_truth
from tfds_adni.sources.twins import WITH_DISEASE, WITHOUT_DISEASE
from tfds_adni.tables.cells import STAGES

SUBJECTS = {"NC": 8, "MCI": 8, "AD": 8}
TABLE = "Phantom_FDG_PET_6_01_2023.csv"
_MOST = {"visits": MOST_VISITS}


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
    levels: Sequence[str] = (UNIFORM,),
    counterfactual: bool = False,
) -> Path:
    """Writes a phantom cohort as a download from the IDA.

    It has the scans in `out/ADNI/...`, the table of their collection,
    ADNIMERGE, DXSUM and PETQC in `out/tables`, and `out/truth.csv`, which
    says what was planted and which nothing reads.

    The same seed gives the same bytes, whatever `jobs` is, and a subject
    stays the same when others, later visits or levels are added. The cohort
    is written to a hidden folder beside `out` and moved there when it is
    complete; what a killed process leaves there the next one removes.

    Args:
        out: A new or an empty folder.
        subjects: Subjects of each stage, among "NC", "MCI" and "AD".
        seed: Seed of everything random, at least 0.
        jobs: Number of processes. Defaults to one per core.
        progress: Called with the number of scans done and the total.
        grid: Shape and spacing of the volumes.
        difficulty: "easy" or "realistic".
        visits: Yearly visits of everybody, 1 to 10. Defaults to one of two
            thirds, two or three of the others.
        levels: ADNI's processing levels of each scan, among `LEVELS`.
        counterfactual: Whether to write a download of the same people as if
            they had never had the disease, too: then `out/with_disease` and
            `out/without_disease` are complete downloads, whose scans have
            the same names, heads, poses and noise.

    Returns:
        `out` as a path.

    Raises:
        BlockingIOError: If another process writes to `out`.
        FileExistsError: If `out` exists and is not an empty folder.
        ImportError: If nilearn is not installed.
        OSError: If the disk is full, or a process was killed.
        ValueError: If a stage, count, seed, number of processes, difficulty,
            number of visits or level is bad.
    """
    _check(subjects, seed, jobs, visits)
    check_levels(levels)
    load_difficulty(difficulty)  # before anything is written
    load_maps()  # without nilearn it fails here
    people = [
        make_subject(
            stage, number, seed=seed, difficulty=difficulty, visits=visits
        )
        for stage in STAGES
        for number in range(subjects.get(stage, 0))
    ]
    scans = _scans(people, levels, counterfactual)
    workers = contextlib.closing(Pool(jobs or os.cpu_count()))
    with claimed(out) as whole, workers as pool:
        tasks = [
            (whole / name, scan, grid)
            for name, of in scans.items()
            for scan in of
        ]
        for done, _ in enumerate(pool.map(_write_scan, tasks), start=1):
            if progress is not None:
                progress(done, len(tasks))
        for name, of in scans.items():
            _write_lists(whole / name, of)
    return Path(out)


def scan_pairs(out: str | os.PathLike) -> list[tuple[Path, Path]]:
    """Lists the scans of a counterfactual phantom with those of the twins.

    Args:
        out: What `write_cohort(out, counterfactual=True)` wrote.

    Returns:
        Of each scan the file with and the file without the disease, in
        order of their paths.

    Raises:
        FileNotFoundError: If there are none.
    """
    ill, well = Path(out, WITH_DISEASE), Path(out, WITHOUT_DISEASE)
    files = sorted(ill.rglob("*.nii"))
    pairs = [(file, well / file.relative_to(ill)) for file in files]
    missing = next((twin for _, twin in pairs if not twin.is_file()), well)
    if not pairs or missing != well:
        raise FileNotFoundError(
            f"expected a phantom with twins, found no {missing}: write it "
            f"with pet-dcgan phantom {shlex.quote(str(out))} --counterfactual"
        )
    return pairs


def _scans(
    people: Sequence[Subject], levels: Sequence[str], counterfactual: bool
) -> dict[str, list[Scan]]:
    """Returns the scans of each download, by its folder."""
    cohorts = {"": people}
    if counterfactual:
        twins = [person.without_disease() for person in people]
        cohorts = {WITH_DISEASE: people, WITHOUT_DISEASE: twins}
    return {
        name: [scan for person in of for scan in scans_of(person, levels)]
        for name, of in cohorts.items()
    }


def _write_lists(folder: Path, scans: Sequence[Scan]) -> None:
    """Writes the tables of a download and what was planted in it."""
    write_table(folder / TABLE, COLUMNS, [scan.row for scan in scans])
    visits = {(scan.subject.rid, scan.visit): scan for scan in scans}
    write_tables(folder, list(visits.values()))
    write_truth(folder, scans)


def _check(subjects, seed, jobs, visits) -> None:
    """Refuses bad options."""
    unknown = sorted(set(subjects) - set(STAGES))
    if unknown or not subjects:
        raise ValueError(
            f"expected stages among {', '.join(STAGES)}, found "
            f"{', '.join(map(str, unknown)) or 'none'}: name only these"
        )
    for name, count in {**subjects, "jobs": jobs, "visits": visits}.items():
        if count is not None or name in subjects:
            _require_whole(name, count, most=_MOST.get(name, math.inf))
    _require_whole("seed", seed, least=0)


def _require_whole(name, count, *, least=1, most=math.inf) -> None:
    """Refuses what is no whole number between two."""
    whole = isinstance(count, int | np.integer) and not isinstance(count, bool)
    if not whole or not least <= count <= most:
        allowed = f"of at least {least}"
        if most < math.inf:
            allowed = f"from {least} to {most}"
        raise ValueError(
            f"expected a whole number {allowed} for {name}, found "
            f"{count!r}: give one or leave it out"
        )


def _write_scan(task: tuple[Path, Scan, Grid]) -> None:
    """Renders and saves one scan; a process builds the anatomy once."""
    folder, scan, grid = task
    write_scan(scan, folder, grid=grid)
