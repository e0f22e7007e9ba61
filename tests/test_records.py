import os
import shutil
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
import toy_data
from toy_data import disc

from pet_dcgan.data import records
from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.data.record_files import RecordFile
from pet_dcgan.data.records import (
    is_streamed,
    keep_slices,
    read_facts,
    read_pixels,
)
from pet_dcgan.data.set_files import read_record_files
from tfds_adni.volumes.slices import encode_png

IMAGES = np.random.default_rng(0).integers(0, 2**16, [6, 8, 8], np.uint16)
PLACES = np.array([3, 0, 5, 1, 2, 4])
BATCHES = [IMAGES[:4], IMAGES[4:4], IMAGES[4:]]
EXPECTED = IMAGES[np.argsort(PLACES)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A set of which the training split lies in three files."""
    data_dir = tmp_path_factory.mktemp("sharded")
    settings = tfds.download.DownloadConfig(num_shards=3)
    toy_data.prepare(data_dir, download_config=settings)
    return data_dir / "adni" / "axial_32" / "2.0.0"


@pytest.fixture(scope="module")
def files(folder):
    """The files of the training split."""
    found = read_record_files(folder, "adni")["train"]
    assert len(found) == 3
    return found


def test_facts_and_pixels_belong_together(files, monkeypatch):
    monkeypatch.setattr(records, "_IMAGES_AT_ONCE", 5)
    facts = read_facts(files, shape=(32, 32))
    assert {len(values) for values in facts.values()} == {36}
    assert set(facts["plane"]) == {"axial"}
    wanted = np.arange(36) % 3 == 1
    chosen = {name: values[wanted] for name, values in facts.items()}
    images = np.concatenate(list(read_pixels(files, wanted, shape=(32, 32))))
    assert images.dtype == np.uint16
    assert len(images) == 12
    for row, image in enumerate(images):
        stage, position = chosen["stage"][row], chosen["position_mm"][row] / 6
        subject, scan = chosen["subject"][row], chosen["scan"][row]
        assert subject[-4:] == scan[-4:]
        number = int(subject[-3:]) * toy_data.SLICES + int(position)
        np.testing.assert_array_equal(image, disc(stage, number)[..., 0])


def test_facts_are_those_of_tfds(folder, files):
    builder = tfds.builder_from_directory(folder)
    examples = tfds.as_numpy(builder.as_dataset(split="train"))
    expected = {
        (e["scan"].decode(), float(e["position_mm"]), int(e["label"]))
        for e in examples
    }
    facts = read_facts(files, shape=(32, 32))
    labels = [toy_data.STAGES.index(stage) for stage in facts["stage"]]
    columns = facts["scan"], facts["position_mm"], labels
    assert set(zip(*columns, strict=True)) == expected


def test_no_files_have_no_slices():
    found = read_facts([], shape=(32, 32))
    assert {len(values) for values in found.values()} == {0}
    assert found["subject"].dtype.kind == "U"
    nothing = np.zeros(0, bool)
    assert not list(read_pixels([], nothing, shape=(32, 32)))


def with_label(number):
    def change(features):
        features["label"].int64_list.value[0] = number

    return change


def with_text(name, content):
    def change(features):
        features[name].bytes_list.value[0] = content

    return change


def with_position(features):
    features["position_mm"].float_list.value[0] = np.nan


def with_age(years):
    def change(features):
        features["age"].float_list.value[0] = years

    return change


def huge_png():
    """A PNG that says it has 20,000 x 20,000 pixels, of few bytes."""
    header = struct.pack(">2L5B", 20_000, 20_000, 16, 0, 0, 0, 0)
    rows = zlib.compress(bytes(20_000 * 2 + 1) * 100)
    parts = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    chunks = [
        struct.pack(">L", len(content))
        + (name + content)
        + struct.pack(">L", zlib.crc32(name + content))
        for name, content in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


NO_IMAGE = "not of 32x32 pixels of 16-bit grey"
DAMAGE = {
    "no fields": (lambda features: features.clear(), "label"),
    "no such class": (with_label(9), "label 9 of 3"),
    "no class": (with_label(-1), "label -1 of 3"),
    "nowhere": (with_position, "position_mm that is not finite"),
    "too old": (with_age(1e9), r"an age of 1e\+09 years"),
    "no age": (with_age(np.nan), "an age of nan years"),
    "a word for a sex": (with_text("sex", b"\xff\nx"), "neither F nor M: b"),
    "no UTF-8": (with_text("subject", b"\xff"), "subject that is no UTF-8"),
    "nobody": (with_text("subject", b""), "subject that is no name"),
    "codes": (with_text("scan", b"a\x1b[2J"), r"no name: a\?\[2J"),
    "another size": (
        with_text("image", encode_png(np.zeros((16, 16), np.uint16))),
        NO_IMAGE,
    ),
    "no image": (with_text("image", b"no PNG"), NO_IMAGE),
    "huge image": (with_text("image", huge_png()), NO_IMAGE),
    "huge record": (with_text("image", bytes(10**5)), "too long"),
    "bytes": (with_text("image", bytes(range(256)) * 9), NO_IMAGE),
    "cut off": (
        with_text("image", encode_png(np.ones((32, 32), np.uint16))[:60]),
        "PNG|image",
    ),
}


def changed(toy_set, data_dir, change):
    """A copy of the toy set, its training records changed: its version."""
    shutil.copytree(toy_set / "adni", data_dir / "adni")
    folder = data_dir / "adni" / "axial_32" / "2.0.0"
    path = next(folder.glob("adni-train.*"))
    found = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in found:
            example = tf.train.Example.FromString(record)
            change(example.features.feature)
            writer.write(example.SerializeToString())
    return folder


@pytest.mark.parametrize(
    ("change", "age", "sex"),
    [
        (lambda features: None, 75.0, "F"),
        (with_age(-1), np.nan, "F"),
        (with_text("sex", b""), 75.0, ""),
        (lambda features: (features.pop("age"), features.pop("sex")), None, ""),
    ],
    ids=["known", "unknown age", "unknown sex", "of another maker"],
)
def test_who_was_scanned_is_known_or_unknown(
    toy_set, tmp_path, change, age, sex
):
    changed(toy_set, tmp_path, change)
    where = {"split": "train", "stage": "ALL", "plane": "axial"}
    slices = load_slices(tmp_path, "axial_32", **where, decode=False)
    assert slices.ages.dtype == np.float32
    np.testing.assert_array_equal(slices.ages, [age or np.nan] * 36)
    assert slices.sexes.tolist() == [sex] * 36


@pytest.mark.parametrize(("change", "words"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_examples_are_one_line(toy_set, tmp_path, change, words):
    folder = changed(toy_set, tmp_path, change)
    where = {"split": "train", "stage": "ALL", "plane": "axial"}
    match = rf"damaged one \((?!{{).*{words}"
    with pytest.raises(ValueError, match=match) as caught:
        load_slices(tmp_path, "axial_32", **where)
    message = str(caught.value)
    assert str(folder) in message
    assert "\n" not in message
    assert "[Op:" not in message
    assert "pet-dcgan prepare" in message


@pytest.mark.parametrize(
    "length", [0, 2**20, 2**62, 2**64 - 4], ids=["0", "2^20", "2^62", "-4"]
)
def test_a_record_of_any_length_takes_no_memory(files, tmp_path, length):
    header = length.to_bytes(8, "little")
    path = tmp_path / "records"
    path.write_bytes(header + masked_crc(header) + bytes(4))
    with pytest.raises(ValueError, match=r"records instead of|too long"):
        read_facts([RecordFile(path, 2)], shape=(32, 32))


def masked_crc(content):
    """The checksum of a TFRecord."""
    crc = google_crc32c(content)
    return (((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(
        4, "little"
    )


def google_crc32c(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(records, "images_fit", lambda shape: False)


@pytest.mark.parametrize("with_overflow", [False, True])
def test_slices_that_fit_stay_in_memory(tmp_path, capsys, with_overflow):
    overflow = tmp_path if with_overflow else None
    kept = keep_slices(iter(BATCHES), PLACES, (8, 8), overflow=overflow)
    assert kept.dtype == np.uint16
    np.testing.assert_array_equal(kept, EXPECTED)
    assert not is_streamed(kept)
    line = "6 slices, 0.1 MB decoded: kept in memory"
    assert (line in capsys.readouterr().err) is with_overflow


def test_slices_that_do_not_fit_lie_in_a_nameless_file(
    tmp_path, little_memory, capsys
):
    kept = keep_slices(iter(BATCHES), PLACES, (8, 8), overflow=tmp_path)
    assert is_streamed(kept)
    assert kept.dtype == np.uint16
    assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(kept, EXPECTED)
    np.testing.assert_array_equal(kept[[5, 0]], EXPECTED[[5, 0]])
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert f"read from a file in {tmp_path} instead" in lines[0]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_named(tmp_path, little_memory, monkeypatch):
    def full(**options):
        return open("/dev/full", "wb+")

    monkeypatch.setattr(records.tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match="No space left") as caught:
        keep_slices(iter(BATCHES), PLACES, (8, 8), overflow=tmp_path)
    assert caught.value.filename == str(tmp_path)


@pytest.mark.parametrize("fit", [False, True])
@pytest.mark.parametrize(
    ("found", "words"),
    [(5, "expected 6 slices, found 5"), (7, "expected 6 slices, found more")],
)
def test_images_and_places_must_be_as_many(
    tmp_path, monkeypatch, fit, found, words
):
    monkeypatch.setattr(records, "images_fit", lambda *_: fit)
    batches = [IMAGES[:4], np.resize(IMAGES, [found - 4, 8, 8])]
    with pytest.raises(ValueError, match=words):
        keep_slices(iter(batches), PLACES, (8, 8), overflow=tmp_path)
