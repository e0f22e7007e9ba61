"""Damaged files and tables, and checksums that tell: one line each."""

import os

import pytest

from pet_dcgan.utils import foreign_tables
from pet_dcgan.utils.checksums import SUMS, require_unchanged, write_checksums
from pet_dcgan.utils.foreign_files import read_bytes
from pet_dcgan.utils.foreign_tables import read_table


def refused(function, *args, **options):
    """The one line that a call is refused with."""
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        function(*args, **options)
    line = str(caught.value)
    assert line.isprintable()
    return line


def test_a_file_is_read_up_to_its_bound(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bytes(path, most=5) == b"12345"
    line = refused(read_bytes, path, most=4)
    assert line == f"expected at most 4 bytes in {path}, found more"


def test_what_is_no_file_is_said_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    for name, words in (
        ("pipe", "found a device, a pipe or a socket"),
        ("folder", "found a folder"),
        ("circle", "found: Too many levels of symbolic links"),
        ("x" * 300, "found: File name too long"),
    ):
        assert refused(read_bytes, tmp_path / name, most=9).endswith(words)
    # in Linux, it has no size and no end
    assert "a device" in refused(read_bytes, "/dev/zero", most=9)


def test_a_file_that_is_missing_is_missing(tmp_path):
    (tmp_path / "file").touch()
    for name in ("absent", "absent/file", "file/file"):
        with pytest.raises(FileNotFoundError) as caught:
            read_bytes(tmp_path / name, most=9)
        assert caught.value.filename == str(tmp_path / name)


@pytest.fixture
def table(tmp_path):
    """`table(content)`: a file."""

    def table(content):
        path = tmp_path / "log.csv"
        path.write_bytes(content)
        return path

    return table


def test_a_table_is_its_rows(table):
    path = table('\ufeffepoch,loss\n\n1,"a ""b"""\r\n2,\n'.encode())
    assert read_table(path, ["epoch"]) == [
        {"epoch": "1", "loss": 'a "b"'},
        {"epoch": "2", "loss": ""},
    ]
    assert read_table(table(b"epoch\n"), ["epoch"]) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no epoch among its columns"),
        (b"step\n1\n", "no epoch among its columns"),
        (b"epoch,epoch\n1,2\n", "a column twice"),
        (b"epoch,x\n1,2\n1\n", "1 values for 2 columns in row 3"),
        (b"epoch\n1,2\n", "2 values for 1 columns in row 2"),
        (b"epoch\n\xff\n", "byte 6 is no UTF-8"),
        (b"epoch\n1\0\n", "a zero byte"),
        (b'epoch\n"1\n', "a quotation mark out of place"),
        (b'epoch\n"1"2\n', "a quotation mark out of place"),
        (b"epoch\n" + b"1" * 200_000, "a cell without end"),
    ],
)
def test_a_damaged_table_is_one_line(table, content, words):
    path = table(content)
    line = refused(read_table, path, ["epoch"])
    assert line.startswith(f"expected a table in {path}, found a fault: ")
    assert words in line


def test_a_table_without_end_is_not_read(table, monkeypatch):
    monkeypatch.setattr(foreign_tables, "MOST_BYTES", 4)
    assert "found more" in refused(read_table, table(b"epoch\n"), ["epoch"])


@pytest.fixture
def summed(tmp_path):
    for name in ("a.json", "b.csv"):
        (tmp_path / name).write_text(name)
    write_checksums(tmp_path, ["b.csv", "a.json"])
    return tmp_path


def test_checksums_are_those_of_sha256sum(summed):
    first, second = (summed / SUMS).read_text().splitlines()
    # printf a.json | sha256sum
    number = "6025a12236ee54baceb48b335c5a8e54f073af9cb25fddd990f95e06d6e039d9"
    assert first == f"{number}  a.json"
    assert second.endswith("  b.csv")
    require_unchanged(summed, ["a.json", "b.csv"])
    (summed / SUMS).unlink()
    require_unchanged(summed, ["a.json", "b.csv"])


def test_every_flipped_bit_is_found(summed):
    path = summed / "a.json"
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        assert "another checksum" in refused(
            require_unchanged, summed, ["a.json"]
        )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "another checksum"),
        (b"\xff\xfe", "found other text"),
        (b"0" * 64 + b"  ../a.json\n", "found other text"),
        (b"0" * 64 + b"  \xff\n", "another checksum"),
    ],
)
def test_a_damaged_list_of_checksums_is_one_line(summed, content, words):
    (summed / SUMS).write_bytes(content)
    assert words in refused(require_unchanged, summed, ["a.json"])
