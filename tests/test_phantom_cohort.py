import datetime
import itertools
import os
import re
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from toy_phantom import GRID, contents, rows_of, write

from tfds_adni.phantom import cohort, scans
from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.claim import claimed
from tfds_adni.phantom.levels import LEVELS
from tfds_adni.phantom.render import render
from tfds_adni.phantom.scans import COLUMNS, scans_of
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.phantom.tables import write_tables

NAME = re.compile(
    r"ADNI_(999_S_9\d{3})_PT_Coreg,_Avg,_Std_Img_and_Vox_Siz,"
    r"_Uniform_Resolution_Br_\d{17}_\d+_S\d+_I(\d+)\.nii"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("phantom") / "cohort")


def listed(folder):
    return rows_of(folder / cohort.TABLE)


def test_files_and_table_have_the_archive_s_layout(folder):
    assert {path.name for path in folder.iterdir()} == {
        *("ADNI", "tables", cohort.TABLE, "truth.csv")
    }
    header = (folder / cohort.TABLE).read_text().splitlines()[0]
    assert header == ",".join(f'"{c}"' for c in COLUMNS)
    rows = listed(folder)
    by_image = {path.parent.name: path for path in folder.rglob("*.nii")}
    assert {row["Image Data ID"] for row in rows} == set(by_image)
    for row in rows:
        path = by_image[row["Image Data ID"]]
        ptid, image = NAME.fullmatch(path.name).groups()
        leaf, stamp, description, subject = (p.name for p in path.parents[:4])
        assert (leaf, subject) == (f"I{image}", ptid)
        assert description == LEVELS["uniform_8mm"].description.replace(
            " ", "_"
        )
        assert re.fullmatch(r"\d{4}(-\d\d){2}(_\d\d){3}\.0", stamp)
        assert path.parents[4] == folder / "ADNI"
        day = datetime.datetime.strptime(row["Acq Date"], "%m/%d/%Y")
        assert stamp.startswith(f"{day:%Y-%m-%d}")
        assert row["Subject"] == subject
        assert (row["Modality"], row["Format"]) == ("PET", "NiFTI")
        assert row["Visit"] in {"bl", "m12", "m24"}
        assert row["Sex"] in {"F", "M"}
        assert 55 <= int(row["Age"]) <= 92
    assert {row["Group"] for row in rows} == {"CN", "MCI", "AD"}


def test_visits_come_a_year_apart_and_ids_are_unique():
    scans = [
        scan for n in range(60) for scan in scans_of(make_subject("MCI", n))
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
    subject = make_subject("NC", 0)
    rendered = render(subject, build_anatomy(6.0), grid=GRID)
    (path, *_) = sorted(folder.rglob("*999_S_9001*.nii"))
    image = nib.as_closest_canonical(nib.load(path))
    stored = np.squeeze(image.get_fdata())
    np.testing.assert_allclose(stored, rendered, atol=rendered.max() / 30000)
    middle = image.affine @ [*(np.array(GRID.shape) - 1) / 2, 1]
    np.testing.assert_allclose(middle[:3], 0, atol=1e-4)


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_same_seed_same_bytes_whatever_the_jobs(folder, tmp_path, jobs):
    seen = []
    again = write(
        tmp_path / "again",
        jobs=jobs,
        progress=lambda *counts: seen.append(counts),
    )
    assert contents(again) == contents(folder)
    total = len(listed(folder))
    assert seen == [(n, total) for n in range(1, total + 1)]


def test_a_subject_depends_on_the_seed_and_not_on_the_others(folder, tmp_path):
    alone, other = (
        contents(write(tmp_path / f"new/{seed}", subjects={"AD": 1}, seed=seed))
        for seed in (0, 5)
    )
    for name in [name for name in alone if name.endswith(".csv")]:
        alone.pop(name)
    assert alone
    assert alone.items() <= contents(folder).items()
    assert not set(other.values()) & set(contents(folder).values())


def test_later_visits_leave_the_first_as_it_is(folder, tmp_path):
    more = write(tmp_path / "more", subjects={"MCI": 1}, visits=3)
    before, after = contents(folder), contents(more)
    (first,) = (n for n in after if n in before and n.endswith(".nii"))
    assert after[first] == before[first]
    for name in (cohort.TABLE, "truth.csv"):
        assert rows_of(more / name)[0] in rows_of(folder / name)
    rows = listed(more)
    age = int(rows[0]["Age"])
    assert [int(row["Age"]) for row in rows] == [age, age + 1, age + 2]
    tables = (cohort.TABLE, "truth.csv")
    for path in (*(more / name for name in tables), *more.glob("tables/*")):
        rows = rows_of(path)
        (code,) = {"Visit", "visit", "VISCODE"} & set(rows[0])
        assert [row[code] for row in rows] == ["bl", "m12", "m24"]


def test_ten_visits_are_before_the_download(tmp_path):
    scans = [
        scan
        for n in range(60)
        for scan in scans_of(make_subject("AD", n, visits=10))
    ]
    assert len({scan.image_id for scan in scans}) == 600
    codes = [scan.visit_code for scan in scans[:10]]
    assert codes == ["bl", *(f"m{12 * year}" for year in range(1, 10))]
    last = max(scan.time for scan in scans)
    assert datetime.datetime(2017, 1, 1) < last < datetime.datetime(2023, 6, 1)
    write_tables(tmp_path, scans)
    rows = rows_of(tmp_path / "tables" / "ADNIMERGE.csv")
    assert [row["Month"] for row in rows[:10]] == [
        str(12 * year) for year in range(10)
    ]
    assert len({row["AGE"] for row in rows[:10]}) == 1  # at the first visit
    assert {row["COLPROT"] for row in rows if row["EXAMDATE"] > "2017"} == {
        "ADNI3"
    }


def test_difficulty_changes_the_scans_and_not_their_names(folder, tmp_path):
    easy = write(tmp_path / "easy", difficulty="easy")
    before, after = contents(folder), contents(easy)
    assert after.keys() == before.keys()
    images = [name for name in after if name.endswith(".nii")]
    assert all(after[name] != before[name] for name in images)
    (name,) = {row["difficulty"] for row in rows_of(easy / "truth.csv")}
    assert name == "easy"


def test_levels_are_added_beside_the_uniform_one(folder, tmp_path):
    levels = ("uniform_8mm", "raw", "averaged")
    more = write(tmp_path / "more", subjects={"MCI": 1}, levels=levels)
    before, after = contents(folder), contents(more)
    shared = [n for n in after if n in before and n.endswith(".nii")]
    rows = listed(more)
    visits = len(rows) // 3
    assert len(shared) == visits
    assert all(after[name] == before[name] for name in shared)
    images = {path.parent.name for path in more.rglob("*.nii")}
    assert images == {row["Image Data ID"] for row in rows}
    assert images == {row["image"] for row in rows_of(more / "truth.csv")}
    assert len(list(more.rglob("*.nii"))) == visits * (6 + 1 + 1)
    for path in more.glob("tables/*"):
        all_rows = rows_of(folder / "tables" / path.name)
        expected = [row for row in all_rows if row["RID"] == "9002"]
        found = rows_of(path)
        for row in expected + found:
            row.pop("ID", None)  # counts the rows of its table
        assert found == expected
    (raw, *_) = (r for r in rows if "Raw" in r["Description"])
    quality = rows_of(next(more.glob("tables/PETQC*")))
    assert quality[0]["LONIUID"] == raw["Image Data ID"]


def test_an_empty_folder_is_filled_and_a_full_one_left(folder, tmp_path):
    empty = tmp_path / "new" / "empty"
    empty.mkdir(parents=True)
    write(empty, subjects={"NC": 1})
    assert list(empty.rglob("*.nii"))
    before = contents(folder)
    (tmp_path / "file").write_text("mine")
    for used in (folder, tmp_path / "file"):
        with pytest.raises(FileExistsError, match="choose another folder"):
            write(used)
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subjects": {"NC": 0}}, "at least 1 for NC, found 0"),
        ({"subjects": {"AD": -2}}, "at least 1 for AD, found -2"),
        ({"subjects": {"AD": 1.5}}, "at least 1 for AD, found 1.5"),
        ({"subjects": {"EMCI": 2}}, "among NC, MCI, AD, found EMCI"),
        ({"subjects": {}}, "found none"),
        ({"jobs": 0}, "at least 1 for jobs, found 0"),
        ({"seed": -1}, "at least 0 for seed, found -1"),
        ({"seed": True}, "found True"),
        ({"visits": 0}, "from 1 to 10 for visits, found 0"),
        ({"visits": 11}, "from 1 to 10 for visits, found 11"),
        ({"visits": 2.0}, "from 1 to 10 for visits, found 2.0"),
        ({"levels": ()}, "uniform_8mm, found none: name only these"),
        ({"levels": ["uniform"]}, "found uniform: name only these"),
        ({"levels": ["raw", "raw"]}, "found raw more than once: name it once"),
        ({"difficulty": "hard"}, "among easy, realistic, found 'hard'"),
    ],
)
def test_bad_options_are_one_line(tmp_path, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        write(tmp_path / "out", **options)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def stop(*given):
    raise KeyboardInterrupt


def fill_disk(image, path):
    path.write_bytes(b"half")
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("options", "save", "error"),
    [
        ({"progress": stop}, nib.save, KeyboardInterrupt),
        ({}, fill_disk, OSError),
        pytest.param(
            {"progress": stop, "jobs": 2},
            nib.save,
            KeyboardInterrupt,
            marks=pytest.mark.slow,
        ),
    ],
    ids=["Ctrl-C", "full disk", "Ctrl-C, two jobs"],
)
def test_a_stopped_cohort_leaves_nothing(
    tmp_path, monkeypatch, options, save, error
):
    monkeypatch.setattr(scans.nib, "save", save)
    with pytest.raises(error):
        write(tmp_path / "out", **options)
    assert not list(tmp_path.iterdir())


# --- killed, and two at once --------------------------------------------------


def test_what_a_killed_one_left_goes_and_a_living_one_is_left(tmp_path):
    out, part = tmp_path / "out", tmp_path / ".out.part"
    (part / "ADNI" / "half").mkdir(parents=True)
    (part / "table.csv").symlink_to("nowhere")

    def begin_another(done, total):
        before = contents(part)
        with pytest.raises(BlockingIOError, match="another pet-dcgan phantom"):
            write(out, subjects={"AD": 1})
        assert contents(part) == before

    write(out, subjects={"NC": 1}, progress=begin_another)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (out / "ADNI" / "half").exists()


def test_the_current_folder_and_a_link_are_filled(tmp_path, monkeypatch):
    place, link = tmp_path / "place", tmp_path / "link"
    place.mkdir()
    link.symlink_to(place)
    monkeypatch.chdir(place)
    with claimed(".") as part:
        (part / "file").touch()
    (place / "file").unlink()
    with claimed(link) as part:
        (part / "other").touch()
    assert [path.name for path in place.iterdir()] == ["other"]
    assert sorted(tmp_path.iterdir()) == [link, place]


def test_a_folder_made_meanwhile_is_kept(tmp_path):
    out = tmp_path / "new" / "out"
    with pytest.raises(OSError, match="not empty"), claimed(out):
        (out / "mine").mkdir(parents=True)
    assert list(out.parent.iterdir()) == [out]


# without a guard for its main module
SCRIPT = """
from pathlib import Path
import tempfile
from tfds_adni.phantom import write_cohort
from tfds_adni.phantom.imaging import Grid
with tempfile.TemporaryDirectory() as folder:
    write_cohort(
        Path(folder, "out"), subjects={"AD": 2}, jobs=2, grid=Grid((4,) * 3, 8)
    )
    print("done", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["script.py", "-", "-c", "-m"])
def test_a_script_needs_no_guard(tmp_path, way):
    (tmp_path / "script.py").write_text(SCRIPT)
    more = {"-c": [SCRIPT], "-m": ["script"]}.get(way, [])
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    ended = subprocess.run(
        [sys.executable, way, *more],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        input=SCRIPT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.stdout, ended.returncode) == ("done\n", 0), ended.stderr
