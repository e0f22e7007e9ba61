"""`pet-dcgan scan` and `pet-dcgan prepare` as users call them."""

import contextlib
import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import adni_tables
import ida_tree
import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

import tfds_adni
from pet_dcgan.cli.main import app
from tfds_adni import Reading, Selection
from tfds_adni.cohort.splits import SPLITS


def run(*words):
    result = CliRunner().invoke(app, [*map(str, words)])
    assert "Traceback" not in result.output
    return result


# --- scan ---------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    rows = [
        ida_tree.row(1, "CN"),
        ida_tree.row(2, "SMC"),
        ida_tree.row(3, "AD"),
        ida_tree.row(4, "AD", Description="Co-registered, Averaged"),
    ]
    return ida_tree.write_tree(tmp_path / "scans", rows)


def account(path):
    with path.open() as file:
        return {row["image_id"]: row for row in csv.DictReader(file)}


def test_table_by_reason_and_stage_and_warnings(root, tmp_path):
    path = tmp_path / "scans.csv"
    result = run("scan", root, "--csv", path)
    assert result.exit_code == 0, result.output
    head = result.output.splitlines()[0]
    assert "no patients" in head
    assert "4 found, 3 used, 1 skipped (files: 4)" in head
    used, smc = (
        [cell.strip() for cell in line.split("│")[2:-1]]
        for line in result.output.splitlines()
        if line.startswith(("│ used", "│ SMC"))
    )
    assert used == ["1", "0", "2", "0", "3"]
    assert smc == ["0", "0", "0", "1", "1"]
    assert "\nlabels: 3 by collection CSV Group\n" in result.output
    assert "warning: the scans used are of several processing levels" in (
        result.output
    )
    rows = account(path)
    assert len(rows) == 4
    assert rows["900002"]["used"] == "False"
    assert rows["900003"]["label_source"] == "collection CSV Group"
    assert (rows["900003"]["age"], rows["900003"]["sex"]) == ("71", "F")


def test_many_reasons_are_folded_and_printed_as_they_are(root):
    groups = ["[/blue]", *(f"group {n}" for n in range(29))]
    rows = [ida_tree.row(10 + n, group) for n, group in enumerate(groups)]
    ida_tree.write_tree(root / "[bold]", rows)
    output = run("scan", root).output
    assert "Group is [/blue])" in output
    lines = output.splitlines()
    counts = [int(x.split("│")[-2]) for x in lines if x.startswith("│")]
    assert len(counts) == 20
    assert sum(counts) == 34
    (fold,) = [line for line in lines if "other reasons" in line]
    assert "13 other reasons" in fold


@pytest.mark.parametrize("command", ["scan", "prepare"])
def test_options_become_a_selection(tmp_path, monkeypatch, command):
    seen = []

    def stub(folder, second, selection=None, *, reading, **others):
        seen.append((selection or second, reading))
        raise FileNotFoundError("stub")

    name = {"scan": "survey"}.get(command, command)
    monkeypatch.setattr(tfds_adni, name, stub)
    place = {"prepare": ("--data-dir", tmp_path)}.get(command, ())
    result = run(
        *(command, "scans", *place, "--tracer", "FDG", "--label-days", "31"),
        *("--visits", "all", "--smc", "keep", "--qc", "Q.csv"),
        *("--diagnosis", "D.csv", "--level", "averaged", "--level", "raw"),
        *("--stage", "NC", "--stage-word", "Healthy Control=NC"),
        *("--stage-word", "a=b=AD", "--date-order", "dmy"),
        *("--assume-tracer", "FDG", "--desc", "raw", "--space", "T1w"),
        *("--window", "2400-3600.5", "--flip-left-right"),
        *("--dicom-cache", "cache"),
    )
    assert result.stderr.splitlines()[-1] == "pet-dcgan: stub"
    ((selection, reading),) = seen
    assert reading == Reading(
        window=(2400, 3600.5),
        flip_left_right=True,
        dicom_cache=Path("cache"),
    )
    assert selection == Selection(
        visits="all",
        smc="keep",
        qc=["Q.csv"],
        diagnosis=["D.csv"],
        levels=["averaged", "raw"],
        label_days=31,
        stage="NC",
        stage_words={"healthy control": "NC", "a=b": "AD"},
        date_order="dmy",
        assume_tracer="FDG",
        desc="",
        space="T1w",
    )
    assert type(selection.visits) is str


def test_account_is_written_where_nothing_is_used(root, tmp_path):
    path = tmp_path / "scans.csv"
    result = run("scan", root, "--csv", path, "--tracer", "PIB")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "4 x another tracer (FDG)" in line
    assert len(account(path)) == 4


def test_tables_of_another_kind_exit_with_1(root, tmp_path):
    enrolment = {"RID": "9001", "VISCODE": "bl", "DIAGNOSIS": "5"}
    wrong = adni_tables.write(tmp_path / "CLIELG.csv", enrolment)
    for words, start in (
        (("--diagnosis", wrong), "pet-dcgan: expected"),
        (("--qc", tmp_path / "nowhere.csv"), "pet-dcgan: no table at"),
    ):
        result = run("scan", root, *words)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert line.startswith(start)


def test_a_scan_starts_no_tensorflow(root, tmp_path):
    code = (
        "import sys; from pet_dcgan.cli.main import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "found = {'tensorflow', 'tensorflow_datasets', 'keras'} & set("
        "sys.modules)\n"
        "sys.exit(1 if found else 0)"
    )
    words = ["scan", root, "--csv", tmp_path / "scans.csv"]
    subprocess.run([sys.executable, "-c", code, *words], check=True)
    assert (tmp_path / "scans.csv").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("scan", "--tracer", "water"),
        ("scan", "--level", "9mm"),
        ("scan", "--visits", "some"),
        ("scan", "--smc", "maybe"),
        ("scan", "--label-days", "-1"),
        ("scan", "--stage", "SMC"),
        ("scan", "--stage-word", "control"),
        ("scan", "--stage-word", "control=CN"),
        ("scan", "--stage-word", "=NC"),
        ("scan", "--date-order", "ymd"),
        ("scan", "--assume-tracer", "water"),
        ("scan", "--window", "2400"),
        ("scan", "--window", "3600-2400"),
        ("scan", "--window", "nan-3600"),
        ("scan", "--window", "0-inf"),
        ("prepare", "--normalise", "pons"),
        ("prepare", "--normalise", "mask"),
        ("prepare", "--masks", "m.nii"),
        ("prepare", "--jobs", "0"),
    ],
)
def test_values_that_are_refused_before_anything_is_read(tmp_path, words):
    command, *options = words
    if command == "prepare":
        options += ["--data-dir", tmp_path / "d"]
    assert run(command, tmp_path / "nowhere", *options).exit_code == 2
    assert not list(tmp_path.iterdir())


# --- prepare ------------------------------------------------------------------


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A cohort of 12, one of whose scans is half a brain."""
    root = tmp_path_factory.mktemp("ida") / "scans"
    rows = ida_tree.cohort_rows(4)
    ida_tree.write_tree(root, rows)
    half = ida_tree.head()
    half[:20] = 0
    ida_tree.save_las(half, ida_tree.image_path(root, rows[0]))
    return root


def test_a_mask_for_all_and_what_only_pixels_reveal(tree, tmp_path):
    mask = np.zeros(ida_tree.SHAPE, np.uint8)
    mask[17:23, 17:23, 10:14] = 1
    nib.save(nib.Nifti1Image(mask, ida_tree.las_affine()), tmp_path / "m.nii")
    result = run(
        *("prepare", tree, "--data-dir", tmp_path / "d", "--jobs", 1),
        *("--config", "axial_64", "--normalise", "mask"),
        *("--masks", tmp_path / "m.nii"),
    )
    assert result.exit_code == 0
    assert "1 more scan was skipped on being read" in result.output
    assert "Subjects / slices by stage and split (seed 0)" in result.output
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in result.output.splitlines()
        if " / " in line and line.startswith("│")
    ]
    # four subjects a stage, less the one; 12 slices of 3 mm in 36 mm
    assert [row[0] for row in rows] == ["NC", "MCI", "AD"]
    assert rows[1] == ["MCI", "2 / 24", "1 / 12", "1 / 12", "4 / 48"]
    assert rows[0][-1] == "3 / 36"
    cells = dict(zip(SPLITS, rows[0][1:4], strict=True))
    lost = [split for split in SPLITS if cells[split] == "0 / 0"]
    warned = f"warning: no NC subject in {' and '.join(lost)}"
    assert (warned in result.output) == bool(lost)
    assert "scans.html (for the data's keepers only)" in result.output
    metadata = tmp_path / "d" / "adni" / "axial_64" / "2.0.0" / "metadata.json"
    assert '"masks": "m.nii"' in metadata.read_text()


def workers_of(process):
    """The processes it cuts scans with, as soon as there are any."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = [
            int(child)
            for child in children.read_text().split()
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("no worker was started")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize("wait", [0, 0.4])
@pytest.mark.parametrize(
    ("stop", "code", "words"),
    [
        (lambda p, _: os.killpg(p.pid, signal.SIGINT), 130, "by Ctrl-C"),
        (lambda p, _: os.kill(p.pid, signal.SIGINT), 130, "by Ctrl-C"),
        (lambda _, w: os.kill(w[-1], signal.SIGKILL), 1, "that was killed"),
    ],
)
def test_stopped_it_says_one_line_and_leaves_nothing(
    tree, tmp_path, stop, code, words, wait
):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pet_dcgan", "prepare", tree),
            *("--data-dir", tmp_path / "d", "--config", "axial_64"),
            *("--jobs", "2"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers = workers_of(process)
    time.sleep(wait)
    with contextlib.suppress(ProcessLookupError):  # it was faster
        stop(process, workers)
    _, err = process.communicate(timeout=120)
    # whole, and perhaps stopped while Python was about to leave
    if (tmp_path / "d/adni/axial_64/2.0.0/metadata.json").exists():
        pytest.skip("it was faster")
    assert process.returncode == code
    lines = [line for line in err.splitlines() if line.strip()]
    assert words in lines[-1]
    assert all(line.startswith("prepare ") for line in lines[:-1])
    assert not (tmp_path / "d").exists()
