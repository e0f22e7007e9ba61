import csv
import datetime
import itertools
import re
from concurrent.futures.process import BrokenProcessPool

import nibabel as nib
import numpy as np
import pytest

from tfds_adni.phantom import Grid, cohort, write_cohort
from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.cohort import COLUMNS, DESCRIPTION, scans_of
from tfds_adni.phantom.render import render
from tfds_adni.phantom.subjects import plant

GRID = Grid((40, 40, 24), 6.0)
COUNTS = {"NC": 2, "MCI": 1, "AD": 1}
NAME = re.compile(
    r"ADNI_(999_S_9\d{3})_PT_Coreg,_Avg,_Std_Img_and_Vox_Siz,"
    r"_Uniform_Resolution_Br_\d{17}_\d+_S\d+_I(\d+)\.nii"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("phantom") / "cohort"
    return write_cohort(out, subjects=COUNTS, jobs=1, grid=GRID)


def contents(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file()
    }


def rows_of(folder):
    (table,) = folder.glob("*.csv")
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_layout_is_the_archive_s(folder):
    files = sorted(folder.rglob("*.nii"))
    assert len(files) == len(rows_of(folder))
    for path in files:
        ptid, image = NAME.fullmatch(path.name).groups()
        leaf, stamp, description, subject = (p.name for p in path.parents[:4])
        assert (leaf, subject) == (f"I{image}", ptid)
        assert description == DESCRIPTION.replace(" ", "_")
        assert re.fullmatch(r"\d{4}(-\d\d){2}(_\d\d){3}\.0", stamp)
        assert path.parents[4] == folder / "ADNI"


def test_table_has_the_archive_s_columns(folder):
    (table,) = folder.glob("*.csv")
    header = table.read_text().splitlines()[0]
    assert header == ",".join(f'"{c}"' for c in COLUMNS)
    rows = rows_of(folder)
    assert {r["Group"] for r in rows} == {"CN", "MCI", "AD"}
    assert {r["Modality"] for r in rows} == {"PET"}
    assert {r["Visit"] for r in rows} <= {"bl", "m12", "m24"}
    assert {r["Format"] for r in rows} == {"NiFTI"}
    assert {r["Sex"] for r in rows} <= {"F", "M"}
    assert all(55 <= int(r["Age"]) <= 92 for r in rows)


def test_table_and_files_tell_the_same(folder):
    by_image = {p.parent.name: p for p in folder.rglob("*.nii")}
    rows = rows_of(folder)
    assert {r["Image Data ID"] for r in rows} == set(by_image)
    for row in rows:
        path = by_image[row["Image Data ID"]]
        day = datetime.datetime.strptime(row["Acq Date"], "%m/%d/%Y")
        assert path.parents[1].name.startswith(f"{day:%Y-%m-%d}")
        assert path.parents[3].name == row["Subject"]


def test_visits_come_a_year_apart_and_ids_are_unique():
    scans = [
        scan for n in range(60) for scan in scans_of(plant("MCI", n), seed=0)
    ]
    assert len({s.image_id for s in scans}) == len(scans)
    assert len({s.path.name for s in scans}) == len(scans)
    for before, after in itertools.pairwise(scans):
        if after.visit:
            days = (after.time - before.time).days
            assert 300 < days < 450


def test_files_are_stored_as_the_archive_stores_them(folder):
    codes = set()
    for path in folder.rglob("*.nii"):
        image = nib.load(path)
        assert image.shape == (*GRID.shape, 1)
        assert image.get_data_dtype() == np.int16
        assert image.dataobj.slope != 1
        assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
        assert image.header.get_zooms()[:3] == (6, 6, 6)
        codes.add(int(image.header["sform_code"]))
    assert codes == {0, 1}


def test_left_stays_left(folder):
    subject = plant("NC", 0)
    rendered = render(subject, build_anatomy(6.0), grid=GRID)
    (path, *_) = sorted(folder.rglob("*999_S_9001*.nii"))
    image = nib.as_closest_canonical(nib.load(path))
    stored = np.squeeze(image.get_fdata())
    np.testing.assert_allclose(stored, rendered, atol=rendered.max() / 30000)
    middle = image.affine @ [*(np.array(GRID.shape) - 1) / 2, 1]
    np.testing.assert_allclose(middle[:3], 0, atol=1e-4)


def test_same_seed_same_bytes_whatever_the_jobs(folder, tmp_path):
    told = []
    again = write_cohort(
        tmp_path / "again",
        subjects=COUNTS,
        jobs=2,
        grid=GRID,
        progress=lambda *counts: told.append(counts),
    )
    assert contents(again) == contents(folder)
    total = len(rows_of(folder))
    assert told == [(n, total) for n in range(1, total + 1)]


def test_a_subject_does_not_depend_on_the_others(folder, tmp_path):
    fewer = write_cohort(
        tmp_path / "fewer", subjects={"AD": 1}, jobs=1, grid=GRID
    )
    images = {k: v for k, v in contents(fewer).items() if k.endswith(".nii")}
    assert images
    assert images.items() <= contents(folder).items()


def test_another_seed_is_another_cohort(folder, tmp_path):
    other = write_cohort(
        tmp_path / "new" / "other",
        subjects={"AD": 1},
        jobs=1,
        seed=5,
        grid=GRID,
    )
    assert not set(contents(other).values()) & set(contents(folder).values())


def test_an_empty_folder_is_filled_and_a_full_one_left(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    write_cohort(empty, subjects={"NC": 1}, jobs=1, grid=GRID)
    before = contents(empty)
    with pytest.raises(FileExistsError, match="choose another folder"):
        write_cohort(empty, subjects={"NC": 1}, jobs=1, grid=GRID)
    assert contents(empty) == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError, match="file"):
        write_cohort(tmp_path / "file", subjects={"NC": 1}, grid=GRID)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subjects": {"NC": 0}}, "at least 1 for NC, found 0"),
        ({"subjects": {"AD": -2}}, "at least 1 for AD, found -2"),
        ({"subjects": {"AD": 1.5}}, "at least 1 for AD, found 1.5"),
        ({"subjects": {"EMCI": 2}}, "among NC, MCI, AD, found EMCI"),
        ({"subjects": {}}, "found none"),
        ({"jobs": 0}, "at least 1 for jobs, found 0"),
        ({"seed": -1}, "at least 0 as seed, found -1"),
        ({"seed": True}, "found True"),
    ],
)
def test_bad_options_are_one_line(tmp_path, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        write_cohort(tmp_path / "out", grid=GRID, **options)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_leaves_nothing(tmp_path, jobs):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cohort(
            tmp_path / "out",
            subjects=COUNTS,
            jobs=jobs,
            progress=stop,
            grid=GRID,
        )
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(image, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cohort.nib, "save", full)
    with pytest.raises(OSError, match="No space left"):
        write_cohort(tmp_path / "out", subjects=COUNTS, jobs=1, grid=GRID)
    assert not list(tmp_path.iterdir())


def test_a_killed_process_is_told_in_one_line(tmp_path, monkeypatch):
    class Broken:
        def __init__(self, *args, **options):
            pass

        def submit(self, *args):
            raise BrokenProcessPool

        def shutdown(self, **options):
            pass

    monkeypatch.setattr(cohort.futures, "ProcessPoolExecutor", Broken)
    with pytest.raises(ChildProcessError, match="jobs=1"):
        write_cohort(tmp_path / "out", subjects=COUNTS, jobs=2, grid=GRID)
    assert not list(tmp_path.iterdir())


def test_a_worker_ends_with_its_parent(monkeypatch):
    class Parent:
        joined = False

        def join(self):
            self.joined = True

    parent, codes = Parent(), []
    monkeypatch.setattr(cohort, "parent_process", lambda: parent)
    monkeypatch.setattr(cohort.os, "_exit", codes.append)
    cohort._end_with_parent()
    assert parent.joined
    assert codes == [1]
