"""Tables, XML, JSON, DICOM and folders that were made to do harm."""

import json
import os
import struct
import subprocess
import sys
import time
import zlib

import ida_tree
import numpy as np
import pytest

from tfds_adni import Selection, survey
from tfds_adni.printable import printable
from tfds_adni.sources import ida_metadata
from tfds_adni.sources.bids_sidecars import Sidecars, timing_of
from tfds_adni.sources.dicom import conversion
from tfds_adni.sources.ida_metadata import is_collection
from tfds_adni.sources.ida_sections import subjects_of
from tfds_adni.sources.ida_xml import read_sidecars
from tfds_adni.sources.tracers import tracers_of_facts
from tfds_adni.sources.tree import walk
from tfds_adni.tables import (
    TableError,
    read_diagnosis,
    read_quality,
    spreadsheet,
)
from tfds_adni.tables.cells import to_visit
from tfds_adni.tables.spreadsheet import SheetCache, SheetError, read_rows
from tfds_adni.tables.stages import stage_of_group

HEAD = "RID,PTID,VISCODE,EXAMDATE,DXCHANGE\n"
ROW = "9001,999_S_9001,bl,2012-05-05,1\n"
CODE = "\x1b[2J\x1b]0;x\x07"  # clears a terminal and names its window


@pytest.fixture
def table(tmp_path):
    def write(text, name="DXSUM.csv"):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


@pytest.fixture
def folder(tmp_path):
    """A download with one scan that is used."""
    return ida_tree.write_tree(tmp_path / "scans", [ida_tree.row(1, "CN")])


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (f"9001,,bl,,{'x' * 200_000}\n", "field larger than"),
        ('"9001,bl,' + "x,\n" * 100_000, "field larger than"),
        ('"a\n",' * 300_000, "a row of more than 1 MiB"),
        ("1," * 2**20, "a row of more than 1 MiB"),
        (bytes(2**21).decode(), "field larger than|a row of more than 1 MiB"),
        ("9001,,,,1\n" * 200_000, "more than 200000 rows"),
        (" " * 2**25, "larger than 32 MiB"),
        ("9001,,bl,,1\n" * 1001, "at most 1000 rows of one subject"),
    ],
)
def test_tables_beyond_the_limits(table, rest, words):
    with pytest.raises(ValueError, match=words) as error:
        read_diagnosis(table(HEAD + ROW + rest))
    assert len(str(error.value).splitlines()) == 1
    assert "download it again" in str(error.value)


def test_many_large_tables_are_not_kept(folder, monkeypatch):
    monkeypatch.setattr(spreadsheet, "_MAX_KEPT", 100_000)
    for number in range(4):
        path = folder / f"a{number}.csv"
        path.write_text("Image Data ID,Subject,Group\n" + "x\n" * 20_000)
    sheets = SheetCache(is_collection)
    kept = [sheet.data for sheet in walk(folder, sheets=sheets).tables]
    assert sum(map(len, filter(None, kept))) < 100_000
    warnings = [w for w in survey(folder).warnings if "together" in w]
    assert len(warnings) == 2


def test_rows_of_all_tables_of_images_together(folder, monkeypatch):
    monkeypatch.setattr(ida_metadata, "_MOST_ROWS", 5)
    rows = "".join(f"{n},999_S_9001,CN\n" for n in range(9))
    (folder / "zzz.csv").write_text("Image Data ID,Subject,Group\n" + rows)
    found = [w for w in survey(folder).warnings if "more than 5 rows" in w]
    assert found
    assert found[0].startswith("zzz.csv is not read to its end")


@pytest.mark.parametrize(
    "cells",
    [
        f"9001,,m{'9' * 5000},,1",
        f"9001,,{'9' * 5000},,1",
        f"{'9' * 5000},,bl,,1",
        *(f"{rid},,bl,,1" for rid in ("1e308", "1e400", "nan", "-0", "１２")),
        f"9001,,bl,,{'9' * 300}",
        *(f"9001,,bl,{day},1" for day in ("0000-00-00", "99999-1-1", "5/5/0")),
        f"9001,,bl,{'1' * 100_000},1",
        f"9001,,bl,5 may{' ' * 100_000}x,1",
        "\0,\0,\0,\0,\0",
        "9001,,bl,,1" + ",x" * 100_000,
    ],
)
def test_odd_cells_do_not_disturb_others(table, cells):
    path = table(HEAD.strip() + ",A" * 100_000 + f"\n{ROW}")
    assert read_diagnosis(path).of("999_S_9001")[0].stage == "NC"
    path = table(HEAD + ROW + cells + "\n")
    if cells.endswith(("9" * 300, "\0")):  # codes that are none
        with pytest.raises(TableError, match=r"^expected the codes"):
            read_diagnosis(path)
    else:
        assert read_diagnosis(path).of("999_S_9001")[0].stage == "NC"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(table, encoding):
    path = table((HEAD + ROW).encode(encoding))
    assert read_diagnosis(path).of("999_S_9001")[0].stage == "NC"


def test_words_that_would_take_long():
    """Sorting accents and searching for words are quadratic."""
    assert stage_of_group("\u0315\u0300" * 60_000) is None
    assert stage_of_group("ad" + " " * 300 + "x") is None
    for text in ("x" + " baseline-x" * 11_000 + "\nx", " m1" * 40_000 + "\nx"):
        assert to_visit(text) == text.strip()


def test_cells_in_messages_are_short_and_plain(table):
    cell = CODE + "z" * 100_000
    with pytest.raises(TableError) as error:
        read_diagnosis(table(f"{HEAD}9001,,bl,,{cell}\n"))
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 500
    quality = read_quality(table(f"RID,PASS\n9001,{cell}\n", "PETQC.csv"))
    (grade,) = quality.of_subject["9001"]
    assert grade.wording.isprintable()
    assert len(grade.wording) < 80


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2J\n", "a\\x1b[2J\\n"),
        ("\u202egnp", "\\u202egnp"),
        ("\udcff.nii", "\\xff.nii"),
        ("\ud800", "\\ud800"),  # JSON can hold it
        ("Jürgen 東京 \U0001f9e0", "Jürgen 東京 \U0001f9e0"),
    ],
)
def test_text_for_a_terminal(text, shown):
    assert printable(text) == shown
    assert printable("x" * 50, most=3) == "xxx..."


@pytest.mark.parametrize("column", [*ida_tree.row(1, "CN")])
def test_no_code_of_a_table_reaches_the_terminal(folder, column):
    values = {column: CODE + "AD", "Visit": "bl"} | {column: CODE + "AD"}
    group = values.pop("Group", "CN")
    ida_tree.write_csv(folder, [ida_tree.row(1, group, **values)])
    (folder / f"{CODE}.nii").write_bytes(b"x")
    (folder / f"{CODE}.csv").write_text(HEAD + ROW)
    cohort = survey(folder)
    texts = [*cohort.summary(), *cohort.warnings, *cohort.label_sources]
    for cells in cohort.account(folder).astype(str).to_numpy().tolist():
        texts += cells
    try:
        cohort.require_used(folder)
    except ValueError as error:
        texts.append(str(error))
    assert all(text.isprintable() for text in texts)
    assert any("\\x1b" in text for text in texts)


@pytest.mark.parametrize("element", ["series", "study", "subject", "x"])
def test_xml_takes_linear_time(tmp_path, element):
    """Elements within one another cost n^3.6 before, siblings n^2."""
    outside = "<idaxs><project><subject><study>{}</study></subject></project>"
    for body, problem in (
        (f"<{element}/>" * 11_000, ""),
        (f"<{element}>" * 5000 + f"</{element}>" * 5000, "more than 50 times"),
    ):
        path = tmp_path / "x_I900001.xml"
        path.write_text(outside.format(body) + "</idaxs>")
        found = read_sidecars(walk(tmp_path), {})[0]
        assert [problem in image.problem for image in found.values()] == (
            [True] if problem else []
        )


def test_a_long_namespace_is_not_added_to_each_name():
    """It was: 26 s for a megabyte."""
    start = '<idaxs xmlns="' + "u" * 500_000 + '">'
    data = (start + "<a/>" * 120_000 + "<subject/></idaxs>").encode()
    before = time.process_time()
    assert len(subjects_of(data)) == 1
    assert time.process_time() - before < 5


def test_prefixes_are_passed_over():
    data = b'<x:idaxs xmlns:x="u"><x:subject/></x:idaxs>'
    assert len(subjects_of(data)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"FrameTimesStart": [' + "9" * 5000 + "]}",
        '{"FrameTimesStart": [' + "0," * 300_000 + "0]}",
        json.dumps(
            {"FrameTimesStart": [0] * 2001, "FrameDuration": [1] * 2001}
        ),
        json.dumps({"FrameTimesStart": [10**4000], "FrameDuration": [1]}),
        '{"FrameTimesStart": [1e400], "FrameDuration": [NaN]}',
        '{"FrameTimesStart": [0], "FrameDuration": [1], "InjectionStart": 1'
        + "0" * 4000
        + "}",
        '{"TracerName": "\\ud800"}',
    ],
)
def test_json_of_others(tmp_path, text):
    (tmp_path / "pet.json").write_text(text)
    image = tmp_path / "sub-01_pet.nii"
    facts = Sidecars(walk(tmp_path)).facts(image, "sub-01_pet", tmp_path)
    timing = timing_of(facts)
    assert timing is None or timing.starts == (0,)
    assert all(map(printable, tracers_of_facts(facts)))


def test_sequences_within_sequences():
    facts = []
    for _ in range(900):
        facts = [facts]
    name = "RadiopharmaceuticalInformationSequence"
    assert tracers_of_facts({name: facts, "TracerName": "FDG"}) == ["FDG"]


def test_deep_folders(tmp_path):
    """Deeper than Python's calls, and deeper than any path."""
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for depth in range(2500):
            os.mkdir("a")
            os.chdir("a")
            if depth == 1200:
                with open("sub-01_pet.nii", "wb"):
                    pass
    finally:
        os.chdir(here)
    cohort = survey(tmp_path)
    assert len(cohort.decisions) == 2
    assert not cohort.used
    subprocess.run(["rm", "-rf", tmp_path / "a"], check=True)


@pytest.mark.parametrize("name", ["a.csv", "b.xml", "c.json", "d.nii", "e.zip"])
def test_pipes_and_devices_under_any_name(folder, name):
    os.mkfifo(folder / name)
    (folder / f"zero-{name}").symlink_to("/dev/zero")
    assert len(survey(folder).used) == 1
    for path in (folder / name, folder / f"zero-{name}"):
        with pytest.raises(ValueError, match="is not a file"):
            survey(folder, Selection(diagnosis=[path]))


def test_files_that_vanish_while_they_are_read(folder, monkeypatch):
    """Each file is gone, or forbidden, once it was listed."""
    ida_tree.write_xml(folder, ida_tree.row(1, "CN"))
    tree = walk(folder)
    for path in tree.files:
        path.unlink()
    monkeypatch.setattr("tfds_adni.sources.walk", lambda *_, **__: tree)
    (decision,) = survey(folder).decisions
    assert decision.reason
    assert decision.reason.isprintable()


def tar_header(name, size, kind):
    block = bytearray(512)
    block[: len(name)] = name
    block[124:136], block[156:157] = size, kind
    block[257:265], block[148:156] = b"ustar\x0000", b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_archives_with_false_sizes(folder):
    """Sparse files that claim a name of 2 GB, or a list of 3 GiB."""
    with (folder / "a.tar").open("wb") as file:
        file.write(tar_header(b"a.nii", b"17777777777\0", b"L"))
        file.truncate(2**32)
    with (folder / "b.zip").open("wb") as file:
        place, size = 2**32 - 2**20, 3 * 2**30
        file.seek(place)
        end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 9, 9, size, 0, 0)
        file.write(end)
    reasons = {
        d.record.paths[0].name: d.reason for d in survey(folder).decisions
    }
    for name in ("a.tar", "b.zip"):
        assert reasons[name].startswith("archive that is not read")


EXPLICIT = b"1.2.840.10008.1.2.1"
SEQUENCE = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)


def dicom(content, syntax=EXPLICIT):
    syntax += b"\0" * (len(syntax) % 2)
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
    return bytes(128) + b"DICM" + length + meta + content


def deflated(megabytes):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [packer.compress(bytes(2**20)) for _ in range(megabytes)]
    return b"".join([*parts, packer.flush()])


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (dicom(deflated(64), EXPLICIT + b".99"), 0),
        (dicom((SEQUENCE + ITEM) * 50_000), 0),
        (dicom(SEQUENCE + struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 10**6), 0),
        (dicom(struct.pack("<HHHHI", 9, 16, 0x4F4C, 0, 0) * 10**5), 0),
        (dicom(struct.pack("<HH2sHI", 16, 32, b"UT", 0, 2**31)), 2**31 + 999),
        (dicom(struct.pack("<HH2sHI", 0x54, 22, b"UN", 0, 2**32 - 1)), 2**31),
        (b"", 2**33),
    ],
)
def test_dicom_headers(tmp_path, data, size):
    pytest.importorskip("pydicom")
    from tfds_adni.sources.dicom.series import read_headers

    path = tmp_path / "a.dcm"
    with path.open("wb") as file:
        file.write(data)
        if size:
            file.truncate(size)
    series, broken = read_headers([path])
    assert series == []
    assert broken["a.dcm"] in ("its header is damaged", "no header of an image")


def test_a_program_that_hangs_or_writes_without_end(tmp_path):
    with pytest.raises(subprocess.TimeoutExpired):
        conversion.run("sleep", "60", seconds=0.2)
    code = "import sys\nwhile True: sys.stdout.write('x' * 2**16)"
    words = ("-c", code)
    done = conversion.run(sys.executable, *words, seconds=60, most_bytes=2**22)
    assert done.returncode != 0
    assert len(done.stdout) <= 2**20


@pytest.mark.parametrize("seed", range(4))
def test_mutated_tables_are_read_or_refused_in_one_line(folder, seed):
    """Random bytes in every file beside the images."""
    ida_tree.write_xml(folder, ida_tree.row(1, "CN"))
    (folder / "DXSUM.csv").write_text(HEAD + ROW * 3)
    paths = [*folder.glob("*.csv"), *folder.glob("ADNI/*.xml")]
    sound = {path: path.read_bytes() for path in paths}
    rng = np.random.default_rng(seed)
    for _ in range(25):
        for path, content in sound.items():
            data = bytearray(content)
            for place in rng.integers(0, len(data), 4):
                data[place] = rng.integers(256)
            path.write_bytes(data)
        try:
            found = survey(folder, Selection(diagnosis=[folder / "DXSUM.csv"]))
        except ValueError as error:
            lines = [str(error)]
        else:
            lines = [*found.warnings, *found.summary()]
        assert all(len(line.splitlines()) <= 1 for line in lines)


def test_rows_before_a_row_without_end_count(table):
    rows = read_rows(table("a,b\n1,2\n" + "x," * 2**20))
    assert next(rows) == {"a": "1", "b": "2"}
    with pytest.raises(SheetError, match="a row of more than"):
        next(rows)
