"""Sets of ArrayRecords: for `tfds.data_source`, and refused in a training."""

import hashlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from matplotlib import pyplot
from toy_tfds import (
    NAME,
    STAGES,
    content,
    prepare_set,
    scans_of,
    write_tree,
)
from typer.testing import CliRunner

from pet_dcgan import load_slices
from pet_dcgan.cli.main import app
from pet_dcgan.data.prepared_set import open_set
from tfds_adni import Builder, prepare

pytest.importorskip("array_record", reason="Windows and Intel Macs have none")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return write_tree(tmp_path_factory.mktemp("ida"))


@pytest.fixture(scope="module")
def data_dir(tree, tmp_path_factory):
    return prepare_set(tree, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def array_dir(tree, tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    return prepare_set(tree, folder, file_format="array_record")


def test_the_same_bytes_of_array_records_and_all_files(
    tree, data_dir, array_dir, tmp_path
):
    options = {"config": "axial_64", "file_format": "array_record"}
    prepare(tree, tmp_path, jobs=2, **options)
    arrays, records = content(array_dir), content(data_dir)
    assert content(tmp_path) == arrays
    names = {name.replace("tfrecord", "array_record") for name in records}
    assert set(arrays) == names
    for name in ("SHA256SUMS", "metadata.json", "features.json", "scans.csv"):
        assert arrays[name] == records[name]
    sums = arrays["SHA256SUMS"].decode().split()
    assert hashlib.sha256(arrays["scans.csv"]).hexdigest() in sums


def test_a_data_source_holds_the_same_examples(data_dir, array_dir):
    source = tfds.data_source(NAME, data_dir=array_dir, split="train")
    data = tfds.load(NAME, data_dir=data_dir, split="train")
    records = list(tfds.as_numpy(data))
    assert len(source) == len(records) == 72
    for found, record in zip(source, records, strict=True):
        assert found.keys() == record.keys()
        for name, value in record.items():
            np.testing.assert_array_equal(found[name], value)


def test_a_data_source_is_read_in_any_order(array_dir):
    parts = ["train", "train[:25%]"]
    whole, quarter = tfds.data_source(NAME, data_dir=array_dir, split=parts)
    assert len(quarter) == 18
    assert whole[71]["image"].dtype == np.uint16
    found = whole.__getitems__([40, 7])
    assert [e["slice"] for e in found] == [whole[n]["slice"] for n in (40, 7)]
    again = pickle.loads(pickle.dumps(whole))
    np.testing.assert_array_equal(again[7]["image"], whole[7]["image"])


def test_show_examples_of_a_data_source(array_dir, monkeypatch):
    monkeypatch.setattr(pyplot, "show", lambda: None)
    source = tfds.data_source(NAME, data_dir=array_dir, split="train")
    info = tfds.builder(NAME, data_dir=array_dir).info
    figure = tfds.show_examples(source, info)
    assert {axes.get_xlabel() for axes in figure.axes} <= STAGES
    pyplot.close(figure)


NO_TENSORFLOW = """
import sys
import tfds_adni
import tensorflow_datasets as tfds

source = tfds.data_source("adni/axial_64", data_dir=sys.argv[1], split="train")
assert source[3]["image"].shape == (64, 64, 1)
assert not {"tensorflow", "cv2", "jax"} & set(sys.modules)
"""


def test_a_data_source_needs_neither_tensorflow_nor_opencv(array_dir):
    command = [sys.executable, "-c", NO_TENSORFLOW, array_dir]
    subprocess.run(command, check=True)


@pytest.mark.parametrize("when", ["builder", "download_and_prepare"])
def test_the_builder_writes_array_records(tree, array_dir, tmp_path, when):
    chosen = {"file_format": "array_record"}
    early, late = (chosen, {}) if when == "builder" else ({}, chosen)
    builder = Builder(
        config="axial_64", data_dir=str(tmp_path), jobs=1, **early
    )
    builder.download_and_prepare(download_config=scans_of(tree), **late)
    assert content(tmp_path) == content(array_dir)


def test_a_data_source_prepares_what_is_missing(tree, array_dir, tmp_path):
    """TFDS writes TFRecords here unless it is given the format."""
    source = tfds.data_source(
        NAME,
        data_dir=tmp_path,
        split="train",
        builder_kwargs={"file_format": "array_record", "jobs": 1},
        download_and_prepare_kwargs={"download_config": scans_of(tree)},
    )
    assert len(source) == 72
    assert content(tmp_path) == content(array_dir)


def test_parquet_is_for_tfds_alone(tree, tmp_path):
    chosen = {"config": "axial_64", "file_format": "parquet", "jobs": 1}
    builder = Builder(data_dir=str(tmp_path), **chosen)
    builder.download_and_prepare(download_config=scans_of(tree))
    assert len(builder.as_dataset(split="train")) == 72
    source = builder.as_data_source(split="train")
    assert source[3]["image"].shape == (64, 64, 1)
    with pytest.raises(ValueError, match="found parquet: prepare"):
        open_set(tmp_path, "axial_64")
    with pytest.raises(ValueError, match="found 'parquet': choose one"):
        prepare(tree, tmp_path, file_format="parquet", config="axial_64")


def test_each_format_names_the_call_that_reads_it(data_dir, array_dir):
    with pytest.raises(NotImplementedError, match="as_data_source"):
        tfds.load(NAME, data_dir=array_dir, split="train")
    with pytest.raises(NotImplementedError, match="array_record"):
        tfds.data_source(NAME, data_dir=data_dir, split="train")


def test_training_refuses_array_records_in_one_line(array_dir):
    remedy = "found array_record: .*--file-format tfrecord, into another"
    with pytest.raises(ValueError, match=remedy) as refused:
        open_set(array_dir, "axial_64")
    assert "\n" not in str(refused.value)
    assert "damaged" not in str(refused.value)
    with pytest.raises(ValueError, match=remedy):
        load_slices(
            array_dir, "axial_64", split="train", stage="AD", plane="axial"
        )


def test_the_command_line_writes_them_and_says_what_reads_them(tree, tmp_path):
    words = ["prepare", str(tree), "--data-dir", str(tmp_path), "--jobs", "1"]
    words += ["--config", "axial_64", "--file-format", "array_record"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert (
        'Next: in Python, import tfds_adni and tfds.data_source("adni' in said
    )
    assert "pet-dcgan train" not in said
    words = ["train", "--data-dir", tmp_path, "--config", "axial_64"]
    words += ["--stage", "AD", "--run", tmp_path / "run", "--dry-run"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 1
    assert "found array_record: prepare the scans again" in done.stderr


def test_a_format_that_cannot_be_written_is_refused(
    tree, tmp_path, monkeypatch
):
    options = {"config": "axial_64", "jobs": 1}
    with pytest.raises(ValueError, match="array_record, found 'x'"):
        prepare(tree, tmp_path, file_format="x", **options)
    name = "array_record.python.array_record_module"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"array_record.* None .*pip install"):
        prepare(tree, tmp_path, file_format="array_record", **options)
    assert not list(tmp_path.iterdir())
