"""Records of volumes, read in bulk, and what is wrong with damaged ones."""

import json
import shutil
import zlib

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from toy_volume_set import ball

from pet_dcgan.data.prepared_set import load_slices, open_set
from pet_dcgan.data.records import read_facts, read_pixels
from pet_dcgan.data.set_files import read_metadata, read_record_files
from pet_dcgan.utils.foreign_text import read_object

ALL = {"split": "train", "stage": "ALL", "plane": "volume"}
SHAPE = (32, 32, 32)
CONTENT = bytes(2 * 32**3)


def home(data_dir):
    return data_dir / "adni" / "volume_32" / "2.0.0"


def test_facts_and_volumes_belong_together(toy_volumes):
    files = read_record_files(home(toy_volumes), "adni")["train"]
    facts = read_facts(files, shape=SHAPE)
    assert {len(values) for values in facts.values()} == {9}
    assert set(facts["plane"]) == {"volume"}
    assert not facts["position_mm"].any()
    wanted = facts["stage"] == "MCI"
    volumes = np.concatenate(list(read_pixels(files, wanted, shape=SHAPE)))
    assert volumes.shape == (3, *SHAPE)
    for subject, volume in zip(facts["subject"][wanted], volumes, strict=True):
        expected = ball("MCI", int(subject[-3:]))
        np.testing.assert_array_equal(volume, expected)


def test_a_set_of_volumes(toy_volumes):
    meta = open_set(toy_volumes, "volume_32").meta
    assert meta.is_volume
    assert (meta.image_shape, meta.space) == (SHAPE, "native")
    slices = load_slices(toy_volumes, "volume_32", **ALL)
    assert slices.images.shape == (9, *SHAPE)
    # x from left to right: the toy's right half is the brighter one
    left, right = slices.images[:, :16], slices.images[:, 17:]
    assert right.mean() > left.mean()
    assert slices.facts.plane == "volume"
    for plane in ("axial", "ALL"):
        where = ALL | {"plane": plane}
        match = r"slices of .* 3 NC volume: it holds whole volumes, choose a"
        with pytest.raises(ValueError, match=match):
            load_slices(toy_volumes, "volume_32", **where)
    nobody = {"subjects": ["nobody"]}
    with pytest.raises(ValueError, match="expected volumes of stage"):
        load_slices(toy_volumes, "volume_32", **ALL, **nobody)


def test_volumes_are_those_of_tfds(toy_volumes):
    builder = tfds.builder_from_directory(home(toy_volumes))
    found = {
        e["scan"].decode(): e["image"]
        for e in tfds.as_numpy(builder.as_dataset(split="train"))
    }
    slices = load_slices(toy_volumes, "volume_32", **ALL)
    for scan, volume in zip(slices.scans, slices.images, strict=True):
        np.testing.assert_array_equal(found[scan], volume)


def with_image(content):
    def change(features):
        features["image"].bytes_list.value[0] = content

    return change


DAMAGE = {
    "no image": (lambda f: f.pop("image"), "image"),
    "no label": (lambda f: f.pop("label"), "label"),
    "no zlib": (with_image(b"no zlib"), "volume that zlib cannot unpack"),
    "empty": (with_image(b""), "volume that is cut off"),
    "cut off": (with_image(zlib.compress(CONTENT)[:-8]), "cut off|missing"),
    "goes on": (with_image(zlib.compress(CONTENT) + b"x"), "that goes on"),
    "small": (with_image(zlib.compress(CONTENT[2:])), "not of 32 x 32 x 32"),
    "bomb": (with_image(zlib.compress(bytes(10**8), 9)), "not of 32 x 32 x"),
    "huge record": (with_image(bytes(10**6)), "too long"),
}


@pytest.mark.parametrize(("change", "words"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_volumes_are_one_line(toy_volumes, tmp_path, change, words):
    shutil.copytree(toy_volumes / "adni", tmp_path / "adni")
    path = next(home(tmp_path).glob("adni-train.*"))
    found = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in found:
            example = tf.train.Example.FromString(record)
            change(example.features.feature)
            writer.write(example.SerializeToString())
    match = rf"damaged one \((?!{{).*{words}"
    with pytest.raises(ValueError, match=match) as caught:
        load_slices(tmp_path, "volume_32", **ALL)
    message = str(caught.value)
    assert str(home(tmp_path)) in message
    assert "\n" not in message
    assert "pet-dcgan prepare" in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"planes": ["volume", "axial"]}, "or volume alone, found"),
        ({"size": 257}, "a size from 1 to 256"),
        ({"space": "MNI"}, "expected space among native, MNI"),
        ({"space": 3}, "expected space to be one line of text, found 3"),
        ({"bands_mm": {"volume": [0, 1]}}, "bands_mm of planes"),
    ],
)
def test_metadata_of_volumes_that_cannot_be(
    toy_volumes, tmp_path, changes, words
):
    facts = read_object(home(toy_volumes) / "metadata.json") | changes
    (tmp_path / "metadata.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match=words) as caught:
        read_metadata(tmp_path)
    assert "\n" not in str(caught.value)
