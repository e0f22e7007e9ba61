"""That the fuzz driver catches faults: readers with planted ones."""

import io
import struct
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from fuzzing import archives, plan, planted, pngs, records
from fuzzing.drive import drive
from fuzzing.oracle import faults_of, faults_of_line
from fuzzing.watch import Limits, Worker

LIMITS = Limits(seconds=1.0, bytes=2**28)
WORDS = {
    "key": "raised KeyError",
    "recursion": "raised RecursionError",
    "decoding": "raised by a library: UnicodeDecodeError",
    "lines": "raised by a library: ValueError",
    "exit": "raised SystemExit",
    "warning": "warned: RuntimeWarning: overflow",
    "insane": "insane result: a scale of -1",
    "thread": "printed a traceback",
    "terminal": "printed control characters",
    "sleep": "no end after 1 s",
    "turn": "no end after 1 s",
    "memory": "more than 256 MiB of memory",
    "moment": "MiB of memory",
    "segment": "the process died (SIGSEGV)",
    "abort": "the process died (SIGABRT)",
    "leave": "the process died (exit code 0)",
}


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    with Worker(tmp_path_factory.mktemp("planted"), LIMITS) as worker:
        yield worker


def number_of(kind):
    """The first case that is of this kind."""
    dice = (plan.dice_of("planted", 0, number) for number in range(1000))
    kinds = [planted.mutate(None, each)["kind.txt"] for each in dice]
    return kinds.index(kind.encode())


@pytest.mark.parametrize("kind", WORDS)
def test_planted_faults_are_caught_and_named(worker, kind, capsys):
    number = number_of(kind)
    found = drive(worker, {"planted": 1}, first=number)
    (failure,) = found.failures
    assert WORDS[kind] in failure.faults[0]
    printed = capsys.readouterr().out
    assert f"--only planted --fuzz-seed 0 --number {number}" in printed
    assert (failure.files / "kind.txt").read_text() == kind
    # the next case has a process again
    assert not drive(worker, {"planted": 1}, first=number_of("none")).failures


def test_where_it_hung_is_said(worker):
    (failure,) = drive(
        worker, {"planted": 1}, first=number_of("turn"), say=lambda line: None
    ).failures
    assert "in _turn" in failure.faults[0]


def test_a_target_that_ends_its_process_again_and_again_is_left(
    worker, monkeypatch
):
    monkeypatch.setattr(worker, "run", lambda *_: _killed(worker), raising=True)
    said = []
    found = drive(worker, {"planted": 100}, say=said.append)
    assert len(found.failures) == 5
    assert said[-1] == "planted: 5 processes ended; left it"


def _killed(worker):
    worker.killed += 1
    return {"faults": ["died"], "refused": []}


def ours(error):
    """The faults of an error as if our own code had raised it."""
    return list(faults_of_line(str(error), remedy=True))


@pytest.mark.parametrize(
    "line",
    [
        "expected a table in x.csv, found a fault: download it again",
        "no usable answer from http://a/b (no answer in time): check that the "
        "server is running",
        "expected a whole 16-bit PNG in a.png, found 3 bytes: export it again",
    ],
)
def test_lines_that_are_as_they_should_be(line):
    assert not ours(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x\x1b[2J: run it again",
        "two\nlines: run it again",
        "x" * 5000 + ": run it again",
        "a fault at KeyError('x'): run it again",
        "'name'",
        "list index out of range: run it again",
        "found <_io.BytesIO object at 0x7f>: run it again",
        "found ModelInfo(stage='AD'): run it again",
        "found b'\\x89PNG': run it again",
        "bad node {{node a/b}}: run it again",
        "corrupted record [Op:IteratorGetNext]: run it again",
        "invalid literal for int() with base 10: run it again",
        "found NoneType: run it again",
        "expected a table, found none",
    ],
)
def test_lines_that_are_faults(line):
    assert ours(line)


def test_errors_of_the_system_and_of_libraries(tmp_path):
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "a").read_bytes()
    assert not list(faults_of(missing.value))
    with pytest.raises(ValueError, match="reshape") as raw:
        np.zeros(3).reshape(2)
    assert "raised by a library" in next(faults_of(raw.value))
    with pytest.raises(zipfile.BadZipFile) as other:
        zipfile.ZipFile(io.BytesIO(b"x"))
    assert "raised BadZipFile" in next(faults_of(other.value))


def test_changed_chunks_have_right_check_sums():
    rows = b"".join(b"\0" + bytes(8) for _ in range(4))
    png = pngs.grey_png(4, 4, rows)
    assert pngs.joined(pngs.chunks_of(png)) == png
    assert pngs.is_whole(png, 4)
    pixels = tf.io.decode_png(png, dtype=tf.uint16)
    assert pixels.shape == (4, 4, 1)
    for broken in (png[:-1], png[:40] + b"\0" + png[41:], png + b"\0"):
        assert not pngs.is_whole(broken, 4)
    assert not pngs.is_whole(pngs.grey_png(4, 4, rows[:-1]), 4)


def test_changed_records_have_right_check_sums(tmp_path):
    path = tmp_path / "a.tfrecord"
    found = [b"one", b"", b"three" * 100]
    path.write_bytes(b"".join(records._framed(r, len(r)) for r in found))
    data = tf.data.TFRecordDataset(str(path))
    assert list(data.as_numpy_iterator()) == found
    assert records._split(path.read_bytes()) == found


def test_a_bomb_in_an_archive_is_listed_and_unpacks():
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3), b=np.ones(2))
    bomb = archives._with_bomb(file.getvalue(), "a.npy")
    assert len(bomb) < 2**22
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        sizes = {each.filename: each.file_size for each in archive.filelist}
        assert sizes["a.npy"] == 2**31 - 2
        with archive.open("a.npy") as member:
            assert member.read(2**20) == bytes(2**20)
        head = archive.read("b.npy")[:10]
    assert struct.unpack("<H", head[8:])[0] < 200
