import csv
import json
import subprocess
import sys

import adni_tables
import ida_tree
import pytest
from adni_tables import dxsum_row
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from tfds_adni.cohort.selection import Selection

DAY = "2012-05-05"


@pytest.fixture
def root(tmp_path):
    rows = [
        ida_tree.row(1, "CN"),
        ida_tree.row(2, "SMC"),
        ida_tree.row(3, "AD"),
        ida_tree.row(4, "AD", Description="Co-registered, Averaged"),
    ]
    return ida_tree.write_tree(tmp_path / "scans", rows)


def scan(*words):
    result = CliRunner().invoke(app, ["scan", *map(str, words)])
    assert "Traceback" not in result.output
    return result


def account(path):
    with path.open() as file:
        return {row["image_id"]: row for row in csv.DictReader(file)}


def test_table_by_reason_and_stage_and_warnings(root):
    result = scan(root)
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
    assert "warning: the scans used are of several processing levels" in (
        result.output
    )


def test_many_reasons_are_folded(root):
    rows = [ida_tree.row(10 + n, f"group {n}") for n in range(30)]
    ida_tree.write_tree(root / "more", rows)
    lines = scan(root).output.splitlines()
    counts = [int(x.split("│")[-2]) for x in lines if x.startswith("│")]
    assert len(counts) == 20
    assert sum(counts) == 34
    (fold,) = [line for line in lines if "other reasons" in line]
    assert "13 other reasons" in fold


def test_account_of_every_file(root, tmp_path):
    path = tmp_path / "scans.csv"
    assert scan(root, "--csv", path).exit_code == 0
    rows = account(path)
    assert len(rows) == 4
    assert rows["900002"]["used"] == "False"
    assert rows["900003"]["label_source"] == "collection CSV Group"


def test_options_select(root, tmp_path):
    table = adni_tables.write(
        tmp_path / "DXSUM.csv",
        dxsum_row(1, "2012-06-05", DIAGNOSIS="2"),
        dxsum_row(2, DAY, DIAGNOSIS="1"),
        dxsum_row(3, DAY, DIAGNOSIS="3"),
    )
    passed = [
        {"RID": str(9000 + n), "EXAMDATE": DAY, "PASS": str(n % 3)}
        for n in (1, 2, 3)
    ]
    quality = adni_tables.write(tmp_path / "PETQC.csv", *passed)
    path = tmp_path / "scans.csv"
    result = scan(
        *(root, "--csv", path, "--diagnosis", table, "--qc", quality),
        *("--smc", "keep", "--visits", "all", "--label-days", "31"),
        *("--level", "uniform_8mm", "--level", "averaged", "--tracer", "FDG"),
    )
    assert result.exit_code == 0, result.output
    rows = account(path)
    assert rows["900001"]["stage"] == "MCI"
    assert rows["900001"]["used"] == "True"
    assert rows["900002"]["stage"] == "NC"
    assert rows["900002"]["reason"].startswith("failed quality control")
    assert rows["900003"]["reason"].startswith("failed quality control")
    assert rows["900004"]["reason"].startswith("no diagnosis of this subject")


def test_account_is_written_where_nothing_is_used(root, tmp_path):
    path = tmp_path / "scans.csv"
    result = scan(root, "--csv", path, "--tracer", "PIB")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "4 x another tracer (FDG)" in line
    assert len(account(path)) == 4


@pytest.mark.parametrize(
    "words",
    [
        ("--tracer", "water"),
        ("--level", "9mm"),
        ("--visits", "some"),
        ("--smc", "maybe"),
        ("--label-days", "-1"),
    ],
)
def test_unknown_values_exit_with_2(root, words):
    assert scan(root, *words).exit_code == 2


def test_tables_that_are_none_exit_with_1(root, tmp_path):
    enrolment = {"RID": "9001", "VISCODE": "bl", "DIAGNOSIS": "5"}
    wrong = adni_tables.write(tmp_path / "CLIELG.csv", enrolment)
    for words in (("--diagnosis", wrong), ("--qc", tmp_path / "nowhere.csv")):
        result = scan(root, *words)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert line.startswith("pet-dcgan: expected")


def test_brackets_in_cells_are_printed_as_they_are(root):
    rows = [ida_tree.row(9, "[/blue]")]
    ida_tree.write_tree(root / "[bold]", rows)
    result = scan(root)
    assert result.exit_code == 0, result.output
    assert "Group is [/blue])" in result.output


def test_looking_through_a_folder_starts_no_tensorflow(root, tmp_path):
    code = (
        "import sys; from pet_dcgan.cli.main import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "found = {'tensorflow', 'tensorflow_datasets', 'keras'} & set("
        "sys.modules)\n"
        "sys.exit(1 if found else 0)"
    )
    words = ["scan", root, "--csv", tmp_path / "scans.csv"]
    done = subprocess.run([sys.executable, "-c", code, *words])
    assert done.returncode == 0
    assert (tmp_path / "scans.csv").exists()


def test_prepare_takes_the_same_options(root, tmp_path, monkeypatch):
    seen = {}

    def prepare(folder, data_dir, **options):
        seen.update(options)
        counts = {"skipped_for_their_pixels": 0, "with_repaired_voxels": 0}
        text = json.dumps({"scans": counts})
        (data_dir / "metadata.json").write_text(text)
        return data_dir

    monkeypatch.setattr("tfds_adni.preparation.prepare", prepare)
    words = ("prepare", root, "--data-dir", tmp_path, "--visits", "all")
    more = ("--qc", "Q.csv", "--smc", "keep", "--diagnosis", "D.csv")
    result = CliRunner().invoke(app, [*map(str, words), *more])
    assert result.exit_code == 0, result.output
    assert seen["selection"] == Selection(
        visits="all", smc="keep", qc=["Q.csv"], diagnosis=["D.csv"]
    )
    assert type(seen["selection"].visits) is str
