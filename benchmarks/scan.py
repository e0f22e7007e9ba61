"""How long `scan` takes for 2,000 files: `python benchmarks/scan.py`.

Writes tiny volumes as an IDA download into a temporary folder, once as .nii
and once as .nii.gz, with a collection CSV and, beside it, invented tables as
large as ADNI's own, and prints the seconds of each stage. Only headers are
read, so that the size of the volumes does not matter. The aim is at most 5 s
for the whole command.
"""

import csv
import datetime
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from tfds_adni import Selection, survey
from tfds_adni.sources import read_folder
from tfds_adni.volumes.volume import examine

FILES = 2000
VISITS = ("bl", "m12", "m24", "m36")
DESCRIPTION = "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution"
# ADNIMERGE of 2023 has about so many rows and columns, DXSUM fewer.
EXAMS = 16_000
COLUMNS = 116
COMMAND = [sys.executable, "-m", "pet_dcgan", "scan"]


def main() -> None:
    print(f"{FILES} files; the best of 3 runs; load {os.getloadavg()[0]:.1f}")
    print(f"{'':42} seconds   of CPU")
    show("", "python -c 'import tfds_adni.cohort'", import_cohort)
    for suffix in (".nii", ".nii.gz"):
        with tempfile.TemporaryDirectory() as temporary:
            home = Path(temporary)
            folder = write_download(home / "scans", suffix)
            tables = write_tables(home / "tables")
            report(suffix, folder, tables)


def report(suffix: str, folder: Path, tables: list[Path]) -> None:
    """Prints the seconds of each stage for one folder."""
    records = read_folder(folder).records
    given = Selection(diagnosis=tables, visits="all")
    account = folder.parent / "scans.csv"
    options = [w for t in tables for w in ("--diagnosis", str(t))]
    stages: dict[str, Callable[[], object]] = {
        "walk and tables of the folder": lambda: read_folder(folder),
        "headers": lambda: [examine(r.paths) for r in records],
        "survey": lambda: survey(folder),
        "survey with DXSUM and ADNIMERGE": lambda: survey(folder, given),
        "account as a table": lambda: survey(folder).account(folder),
        "pet-dcgan scan --csv": lambda: run(folder, "--csv", account),
        "the same with both tables": lambda: run(
            folder, "--csv", account, *options
        ),
    }
    for name, stage in stages.items():
        show(suffix, name, stage)


def show(suffix: str, name: str, stage: Callable[[], object]) -> None:
    """Prints how long a stage takes, and how long it computes."""
    wall, cpu = zip(*(timed(stage) for _ in range(3)), strict=True)
    print(f"{suffix:8}{name:35}{min(wall):7.2f} {min(cpu):8.2f}", flush=True)


def timed(stage: Callable[[], object]) -> tuple[float, float]:
    """Seconds a stage takes, and seconds it and its processes compute."""
    begin, before = time.perf_counter(), sum(os.times()[:4])
    stage()
    return time.perf_counter() - begin, sum(os.times()[:4]) - before


def run(*words: object) -> None:
    """Runs the command in a process of its own."""
    subprocess.run(
        [*COMMAND, *map(str, words)], check=True, stdout=subprocess.DEVNULL
    )


def import_cohort() -> None:
    """Starts Python and imports what looks through a folder."""
    words = [sys.executable, "-c", "import tfds_adni.cohort"]
    subprocess.run(words, check=True)


def write_download(folder: Path, suffix: str) -> Path:
    """Writes the files and the collection CSV."""
    image = nib.Nifti1Image(np.ones((16, 16, 16), "i2"), np.diag([9, 9, 9, 1]))
    first = folder / f"first{suffix}"
    folder.mkdir(parents=True)
    nib.save(image, first)
    content = first.read_bytes()
    first.unlink()
    rows = [row(number) for number in range(FILES)]
    for cells in rows:
        words, subject = DESCRIPTION.replace(" ", "_"), cells["Subject"]
        image_id = cells["Image Data ID"]
        time_folder = f"{cells['Acq Date']}_09_08_07.0"
        home = folder / "ADNI" / subject / words / time_folder / image_id
        home.mkdir(parents=True)
        name = f"ADNI_{subject}_PT_{words}_Br_20120506_8_S1_{image_id}{suffix}"
        (home / name).write_bytes(content)
    write_csv(folder / "collection.csv", rows)
    return folder


def row(number: int) -> dict[str, str]:
    """One row of the collection CSV; subjects are of the invented site."""
    subject, visit = divmod(number, len(VISITS))
    return {
        "Image Data ID": f"I{900_000 + number}",
        "Subject": subject_id(subject),
        "Group": ("CN", "LMCI", "AD")[subject % 3],
        "Sex": "FM"[subject % 2],
        "Age": "71",
        "Visit": VISITS[visit],
        "Modality": "PET",
        "Description": DESCRIPTION,
        "Type": "Post-processed",
        "Acq Date": f"{2012 + visit}-05-05",
        "Format": "NiFTI",
        "Downloaded": "",
    }


def write_tables(folder: Path) -> list[Path]:
    """Writes DXSUM and ADNIMERGE, of invented rows, as large as ADNI's."""
    folder.mkdir()
    filler = {f"COLUMN{number}": "1.25" for number in range(COLUMNS - 6)}
    merge, sums = [], []
    for number in range(EXAMS):
        subject, half_year = divmod(number, 20)
        day = datetime.date(2011, 5, 20) + datetime.timedelta(half_year * 182)
        keys = {
            "RID": str(9000 + subject),
            "PTID": subject_id(subject),
            "VISCODE": f"m{6 * half_year:02}",
            "EXAMDATE": day.isoformat(),
        }
        words = {"DX_bl": "LMCI", "DX": ("CN", "MCI", "Dementia")[subject % 3]}
        merge.append(keys | words | filler)
        sums.append(keys | {"DXCHANGE": str(1 + subject % 9), "PHASE": "ADNI2"})
    paths = [folder / "ADNIMERGE.csv", folder / "DXSUM.csv"]
    for path, rows in zip(paths, (merge, sums), strict=True):
        write_csv(path, rows)
    return paths


def subject_id(number: int) -> str:
    """A subject of site 999, which ADNI does not have."""
    return f"999_S_{9000 + number}"


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    """Writes a table with every cell quoted, as the IDA does."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
