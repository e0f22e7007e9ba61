import shutil

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from toy_data import Adni

from pet_dcgan.data import records
from pet_dcgan.data.prepared_set import open_set
from pet_dcgan.data.records import facts_of, pixels_of


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    """A set of which the training split lies in three files."""
    data_dir = tmp_path_factory.mktemp("sharded")
    settings = tfds.download.DownloadConfig(num_shards=3)
    Adni(config="axial_32", data_dir=data_dir).download_and_prepare(
        download_config=settings
    )
    found, _ = open_set(data_dir, "axial_32")
    assert len(found.info.splits["train"].filepaths) == 3
    return found


def by_place(columns):
    """Rows in an order that no reader decides."""
    names = ("subject", "position_mm", "label", "plane", "scan")
    return sorted(zip(*(columns[name].tolist() for name in names)))  # noqa: B905


def test_facts_are_those_that_tfds_gives(builder):
    examples = list(tfds.as_numpy(builder.as_dataset(split="train")))
    expected = {
        name: np.array([example[name] for example in examples])
        for name in ("label", "plane", "position_mm")
    }
    for name in ("subject", "scan"):
        expected[name] = np.array([e[name].decode() for e in examples])
    found = facts_of(builder, "train")
    assert by_place(found) == by_place(expected)
    assert {len(values) for values in found.values()} == {36}


@pytest.mark.parametrize("at_once", [1, 5, 64])
def test_pixels_are_those_of_the_facts(builder, monkeypatch, at_once):
    monkeypatch.setattr(records, "_IMAGES_AT_ONCE", at_once)
    examples = tfds.as_numpy(builder.as_dataset(split="train"))
    expected = {
        (e["subject"].decode(), float(e["position_mm"])): e["image"][..., 0]
        for e in examples
    }
    facts = facts_of(builder, "train")
    wanted = np.arange(36) % 3 == 1
    places = zip(
        facts["subject"][wanted], facts["position_mm"][wanted], strict=True
    )
    images = np.concatenate(list(pixels_of(builder, "train", wanted, size=32)))
    for place, image in zip(places, images, strict=True):
        np.testing.assert_array_equal(image, expected[place])


def test_nothing_wanted_gives_nothing(builder):
    assert not list(pixels_of(builder, "train", np.zeros(36, bool), size=32))


def test_a_split_that_is_lacking_has_no_slices(builder):
    found = facts_of(builder, "holdout")
    assert {len(values) for values in found.values()} == {0}
    assert found["subject"].dtype.kind == "U"
    assert not list(pixels_of(builder, "holdout", np.zeros(0, bool), size=32))


def test_a_record_without_a_field_is_named(toy_set, tmp_path):
    shutil.copytree(toy_set / "adni", tmp_path / "adni")
    folder = tmp_path / "adni" / "axial_32" / "1.0.0"
    path = next(folder.glob("adni-train.*"))
    with tf.io.TFRecordWriter(str(path)) as writer:
        for _ in range(36):
            writer.write(tf.train.Example().SerializeToString())
    builder, _ = open_set(tmp_path, "axial_32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="label"):
        facts_of(builder, "train")
