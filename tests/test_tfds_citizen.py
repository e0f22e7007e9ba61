"""What users of TFDS try on a prepared set: it works, or says why not."""

import base64
import hashlib
import importlib.util
import io
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ida_tree
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from matplotlib import pyplot
from PIL import Image
from typer.testing import CliRunner

from pet_dcgan import load_slices
from pet_dcgan.cli.main import app
from pet_dcgan.data.prepared_set import open_set
from tfds_adni import Builder, prepare
from tfds_adni.adni_dataset_builder import HOMEPAGE

NAME, ROOT = "adni/axial_64", Path(__file__).parents[1]
# slices of a scan, and subjects of each split
SLICES = 12
COUNTS = {"train": 6, "validation": 3, "test": 3}
needs_array_record = pytest.mark.skipif(
    not importlib.util.find_spec("array_record"), reason="no array_record"
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("ida") / "scans"
    return ida_tree.write_tree(root, ida_tree.cohort_rows(4))


@pytest.fixture(scope="module")
def data_dir(tree, tmp_path_factory):
    """A folder with a set of TFRecords."""
    folder = tmp_path_factory.mktemp("data")
    prepare(tree, folder, config="axial_64", jobs=1)
    return folder


@pytest.fixture(scope="module")
def array_dir(tree, tmp_path_factory):
    """A folder with a set of ArrayRecords."""
    pytest.importorskip("array_record")
    folder = tmp_path_factory.mktemp("arrays")
    prepare(tree, folder, config="axial_64", jobs=1, file_format="array_record")
    return folder


@pytest.fixture
def load(data_dir):
    """`tfds.load` of the set of TFRecords."""
    return lambda **options: tfds.load(NAME, data_dir=data_dir, **options)


def home_of(folder):
    (home,) = folder.glob(f"{NAME}/*.*.*")
    return home


def subjects(data):
    return {example["subject"] for example in tfds.as_numpy(data)}


# --- tfds.load ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("split", "count"),
    [
        ("train", 72),
        ("train[:50%]", 36),
        ("train[10:20]+validation[-5:]", 15),
        ("all", 144),
        (tfds.Split.TEST, 36),
        (tfds.core.ReadInstruction("train", to=25, unit="%"), 18),
    ],
)
def test_a_split_or_a_slice_of_it(load, split, count):
    data = load(split=split)
    assert len(data) == len(list(data)) == count


def test_every_split_at_once_and_even_parts(load):
    lengths = {name: len(data) for name, data in load().items()}
    assert lengths == {name: n * SLICES for name, n in COUNTS.items()}
    parts = load(split=tfds.even_splits("train", 3))
    assert [len(part) for part in parts] == [24, 24, 24]


def test_a_percentage_cuts_through_subjects(load):
    """The page says so; the splits of the set do not."""
    first, second = load(split=["train[:50%]", "train[50%:]"])
    assert subjects(first) & subjects(second)
    splits = [subjects(data) for data in load().values()]
    assert sum(map(len, splits)) == len(set().union(*splits))


def test_supervised_pairs_batches_and_numpy(load):
    image, label = next(iter(load(split="train", as_supervised=True)))
    assert (image.shape, image.dtype) == ((64, 64, 1), tf.uint16)
    assert label.numpy() in range(3)
    batch = next(iter(load(split="train", batch_size=8)))
    assert batch["image"].shape == (8, 64, 64, 1)
    whole = tfds.as_numpy(load(split="test", batch_size=-1))
    assert whole["image"].shape == (36, 64, 64, 1)
    assert whole["image"].dtype == np.uint16


def test_read_config_and_shuffled_files(load):
    options = tfds.ReadConfig(shuffle_seed=1, add_tfds_id=True)
    data = load(split="train", shuffle_files=True, read_config=options)
    keys = [example["tfds_id"] for example in tfds.as_numpy(data)]
    assert len(set(keys)) == 72
    assert keys[0] == b"adni-train.tfrecord-00000-of-00001__0"


def test_more_workers_than_files_are_refused(load):
    context = tf.distribute.InputContext(num_input_pipelines=2)
    config = tfds.ReadConfig(input_context=context)
    with pytest.raises(ValueError, match="num_shards=1"):
        load(split="train", read_config=config)


def test_decoders_leave_pixels_and_features_out(load):
    skip = {"image": tfds.decode.SkipDecoding()}
    example = next(iter(load(split="train", decoders=skip)))
    assert example["image"].numpy().startswith(b"\x89PNG")
    two = tfds.decode.PartialDecoding({"image": True, "plane": True})
    assert set(load(split="train", decoders=two).element_spec) == {
        "image",
        "plane",
    }


def test_benchmark(load, capsys):
    result = tfds.benchmark(load(split="train").batch(8), batch_size=8)
    assert result.stats["num_examples"]["first+lasts"] >= 72


def test_info(load):
    _, info = load(split="train", with_info=True)
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    address = re.search(r"^repository-code: (\S+)$", cited, re.M)[1]
    assert info.homepage == HOMEPAGE == address
    text = repr(info)
    for words in (address, "adni/axial_64/2.0.0", "SliceFeature", "10.1186"):
        assert words in text
    assert info.supervised_keys == ("image", "label")
    assert info.splits["train"].num_examples == 72
    assert info.features["label"].names == ["NC", "MCI", "AD"]
    assert info.features["plane"].int2str(0) == "axial"


@pytest.mark.parametrize("version", ["2.0.0", "2.*.*"])
def test_a_version_may_be_named(data_dir, version):
    builder = tfds.builder(f"{NAME}:{version}", data_dir=data_dir)
    assert builder.info.full_name == "adni/axial_64/2.0.0"


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("adni/axial_64:1.0.0", AssertionError, "only: 2.0.0"),
        ("adni/axial_65", ValueError, "axial_65 not found"),
        ("adni/coronal_128", AssertionError, "PET zips from LONI"),
    ],
)
def test_what_is_not_there_is_refused(data_dir, name, error, words):
    with pytest.raises(error, match=words):
        tfds.load(name, data_dir=data_dir, split="train")


def test_folders_open_without_a_name(data_dir, tmp_path):
    home = home_of(data_dir)
    one = tfds.builder_from_directory(home)
    assert one.info.homepage == HOMEPAGE
    assert len(one.as_dataset(split="train")) == 72
    copy = shutil.copytree(home, tmp_path / "copy")
    two = tfds.builder_from_directories([home, copy])
    assert len(two.as_dataset(split="train")) == 144


def test_a_builder_can_be_pickled(data_dir):
    builder = tfds.builder(NAME, data_dir=data_dir)
    again = pickle.loads(pickle.dumps(builder))
    assert len(again.as_dataset(split="test")) == 36


def test_load_prepares_what_is_missing(tree, data_dir, tmp_path):
    """The records are those of `prepare`; a second call only reads them."""
    options = tfds.download.DownloadConfig(manual_dir=str(tree))
    for given in (options, None):
        data = tfds.load(
            NAME,
            data_dir=tmp_path,
            split="train",
            builder_kwargs={"jobs": 1},
            download_and_prepare_kwargs={"download_config": given},
        )
        assert len(data) == 72
    assert content(home_of(tmp_path)) == content(home_of(data_dir))


def test_registered_names_and_mocked_data():
    assert "adni" in tfds.list_builders()
    assert "axial_64" in tfds.builder_cls("adni").builder_configs
    with tfds.testing.mock_data(num_examples=2):
        data = list(tfds.load(NAME, split="train"))
    assert [example["image"].shape for example in data] == [(64, 64, 1)] * 2


def test_it_is_no_collection_and_has_no_facets(load):
    with pytest.raises(ValueError, match="collection adni not found"):
        tfds.dataset_collection("adni")
    if importlib.util.find_spec("tensorflow_data_validation"):
        pytest.skip("tensorflow_data_validation is installed")
    _, info = load(split="train", with_info=True)
    with pytest.raises(ImportError, match="tensorflow_data_validation"):
        tfds.visualization.show_statistics(info)


# --- in a notebook ------------------------------------------------------------


def test_as_dataframe_shows_slices_and_names(load):
    data, info = load(split="train", with_info=True)
    html = tfds.as_dataframe(data.take(4), info)._repr_html_()
    thumbnails = re.findall('<img src="data:image/png;base64,([^"]+)"', html)
    assert len(thumbnails) == html.count("0 (axial)") == 4
    with Image.open(io.BytesIO(base64.b64decode(thumbnails[0]))) as thumbnail:
        # TFDS's own image has two: all above 255 of 65535 is white
        assert len(np.unique(thumbnail)) > 50
    pairs = load(split="train", as_supervised=True)
    html = tfds.as_dataframe(pairs.take(2), info)._repr_html_()
    assert html.count("<img") == 2


@pytest.fixture
def shown(monkeypatch):
    monkeypatch.setattr(pyplot, "show", lambda: None)
    yield
    pyplot.close("all")


@pytest.mark.parametrize("supervised", [False, True])
def test_show_examples_names_the_stage(load, shown, supervised):
    options = {"split": "train", "as_supervised": supervised}
    data, info = load(with_info=True, **options)
    figure = tfds.show_examples(data, info)
    labels = [axes.get_xlabel() for axes in figure.axes]
    assert len(labels) == 9
    assert set(labels) <= {"NC (0)", "MCI (1)", "AD (2)"}


# --- without tfds_adni --------------------------------------------------------

PLAIN = """
import sys
import tensorflow_datasets as tfds

info = tfds.builder("adni/axial_64", data_dir=sys.argv[1]).info
assert info.splits["train"].num_examples == 72
assert type(info.features["image"]) is tfds.features.Image
assert type(info.features["plane"]) is tfds.features.ClassLabel
assert not [name for name in sys.modules if name.startswith("tfds_adni")]
"""


def test_a_set_opens_where_tfds_adni_is_not_imported(data_dir):
    command = [sys.executable, "-c", PLAIN, data_dir]
    subprocess.run(command, check=True, capture_output=True)


# --- array_record, and tfds.data_source ---------------------------------------


def content(home):
    return {path.name: path.read_bytes() for path in home.iterdir()}


def test_the_same_bytes_of_array_records_and_all_files(
    tree, data_dir, array_dir, tmp_path
):
    again = prepare(
        tree, tmp_path, config="axial_64", jobs=2, file_format="array_record"
    )
    arrays, records = content(home_of(array_dir)), content(home_of(data_dir))
    assert content(again) == arrays
    names = {name.replace("tfrecord", "array_record") for name in records}
    assert set(arrays) == names
    for name in ("SHA256SUMS", "metadata.json", "features.json", "scans.csv"):
        assert arrays[name] == records[name]
    sums = arrays["SHA256SUMS"].decode().split()
    assert hashlib.sha256(arrays["scans.csv"]).hexdigest() in sums


def test_a_data_source_holds_the_same_examples(load, array_dir):
    source = tfds.data_source(NAME, data_dir=array_dir, split="train")
    records = list(tfds.as_numpy(load(split="train")))
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


@needs_array_record
@pytest.mark.parametrize("when", ["builder", "download_and_prepare"])
def test_the_builder_writes_array_records(tree, array_dir, tmp_path, when):
    chosen = {"file_format": "array_record"}
    early, late = (chosen, {}) if when == "builder" else ({}, chosen)
    builder = Builder(
        config="axial_64", data_dir=str(tmp_path), jobs=1, **early
    )
    options = tfds.download.DownloadConfig(manual_dir=str(tree))
    builder.download_and_prepare(download_config=options, **late)
    assert content(home_of(tmp_path)) == content(home_of(array_dir))


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


@needs_array_record
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
