import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
import toy_data
from toy_data import disc

from pet_dcgan.data import records
from pet_dcgan.data.records import (
    is_streamed,
    keep_slices,
    read_facts,
    read_pixels,
)
from tfds_adni.volumes.slices import encode_png

IMAGES = np.random.default_rng(0).integers(0, 2**16, [6, 8, 8], np.uint16)
PLACES = np.array([3, 0, 5, 1, 2, 4])
BATCHES = [IMAGES[:4], IMAGES[4:4], IMAGES[4:]]
EXPECTED = IMAGES[np.argsort(PLACES)]


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    """A set of which the training split lies in three files."""
    data_dir = tmp_path_factory.mktemp("sharded")
    settings = tfds.download.DownloadConfig(num_shards=3)
    toy_data.prepare(data_dir, download_config=settings)
    found = tfds.builder_from_directory(data_dir / "adni/axial_32/2.0.0")
    assert len(found.info.splits["train"].filepaths) == 3
    return found


def test_facts_and_pixels_belong_together(builder, monkeypatch):
    monkeypatch.setattr(records, "_IMAGES_AT_ONCE", 5)
    facts = read_facts(builder, "train")
    assert {len(values) for values in facts.values()} == {36}
    assert set(facts["plane"]) == {"axial"}
    wanted = np.arange(36) % 3 == 1
    chosen = {name: values[wanted] for name, values in facts.items()}
    images = np.concatenate(
        list(read_pixels(builder, "train", wanted, size=32))
    )
    assert images.dtype == np.uint16
    assert len(images) == 12
    for row, image in enumerate(images):
        stage, position = chosen["stage"][row], chosen["position_mm"][row] / 6
        subject, scan = chosen["subject"][row], chosen["scan"][row]
        assert subject[-4:] == scan[-4:]
        number = int(subject[-3:]) * toy_data.SLICES + int(position)
        np.testing.assert_array_equal(image, disc(stage, number)[..., 0])


def test_facts_are_those_of_tfds(builder):
    examples = tfds.as_numpy(builder.as_dataset(split="train"))
    expected = {
        (e["scan"].decode(), float(e["position_mm"]), int(e["label"]))
        for e in examples
    }
    facts = read_facts(builder, "train")
    labels = [toy_data.STAGES.index(stage) for stage in facts["stage"]]
    columns = facts["scan"], facts["position_mm"], labels
    assert set(zip(*columns, strict=True)) == expected


def test_a_split_that_is_lacking_has_no_slices(builder):
    found = read_facts(builder, "holdout")
    assert {len(values) for values in found.values()} == {0}
    assert found["subject"].dtype.kind == "U"
    nothing = np.zeros(0, bool)
    assert not list(read_pixels(builder, "holdout", nothing, size=32))


def with_label(features):
    features["label"].int64_list.value[0] = 9


def with_image(image):
    def change(features):
        features["image"].bytes_list.value[0] = image

    return change


DAMAGE = {
    "no fields": (lambda features: features.clear(), "MapDataset"),
    "no such class": (with_label, "index 9 is out of bounds"),
    "another size": (
        with_image(encode_png(np.zeros((16, 16), np.uint16))),
        r"\[16,16,1\]",
    ),
    "no image": (with_image(b"no PNG"), "Unknown image file format"),
    "cut off": (
        with_image(encode_png(np.ones((32, 32), np.uint16))[:60]),
        "PNG|image",
    ),
}


def read_all(builder):
    read_facts(builder, "train")
    list(read_pixels(builder, "train", np.ones(36, bool), size=32))


@pytest.mark.parametrize(("change", "words"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_examples_are_one_line(toy_set, tmp_path, change, words):
    shutil.copytree(toy_set / "adni", tmp_path / "adni")
    folder = tmp_path / "adni" / "axial_32" / "2.0.0"
    path = next(folder.glob("adni-train.*"))
    found = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in found:
            example = tf.train.Example.FromString(record)
            change(example.features.feature)
            writer.write(example.SerializeToString())
    spoilt = tfds.builder_from_directory(folder)
    match = rf"damaged one \((?!{{).*{words}"
    with pytest.raises(ValueError, match=match) as caught:
        read_all(spoilt)
    assert "\n" not in str(caught.value)


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(records, "slices_fit", lambda count, size: False)


@pytest.mark.parametrize("with_overflow", [False, True])
def test_slices_that_fit_stay_in_memory(tmp_path, capsys, with_overflow):
    overflow = tmp_path if with_overflow else None
    kept = keep_slices(iter(BATCHES), PLACES, 8, overflow=overflow)
    assert kept.dtype == np.uint16
    np.testing.assert_array_equal(kept, EXPECTED)
    assert not is_streamed(kept)
    line = "6 slices, 0.1 MB decoded: kept in memory"
    assert (line in capsys.readouterr().err) is with_overflow


def test_slices_that_do_not_fit_lie_in_a_nameless_file(
    tmp_path, little_memory, capsys
):
    kept = keep_slices(iter(BATCHES), PLACES, 8, overflow=tmp_path)
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
        keep_slices(iter(BATCHES), PLACES, 8, overflow=tmp_path)
    assert caught.value.filename == str(tmp_path)


@pytest.mark.parametrize("fit", [False, True])
@pytest.mark.parametrize(
    ("found", "words"),
    [(5, "expected 6 slices, found 5"), (7, "expected 6 slices, found more")],
)
def test_images_and_places_must_be_as_many(
    tmp_path, monkeypatch, fit, found, words
):
    monkeypatch.setattr(records, "slices_fit", lambda *_: fit)
    batches = [IMAGES[:4], np.resize(IMAGES, [found - 4, 8, 8])]
    with pytest.raises(ValueError, match=words):
        keep_slices(iter(batches), PLACES, 8, overflow=tmp_path)
