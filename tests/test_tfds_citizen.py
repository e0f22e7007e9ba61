"""What users of TFDS try on a prepared set: it works, or says why not."""

import base64
import importlib.util
import io
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from matplotlib import pyplot
from PIL import Image
from toy_tfds import (
    COUNTS,
    NAME,
    SLICES,
    STAGES,
    content,
    home_of,
    prepare_set,
    scans_of,
    write_tree,
)

from tfds_adni.adni_dataset_builder import HOMEPAGE

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return write_tree(tmp_path_factory.mktemp("ida"))


@pytest.fixture(scope="module")
def data_dir(tree, tmp_path_factory):
    return prepare_set(tree, tmp_path_factory.mktemp("data"))


@pytest.fixture
def load(data_dir):
    return lambda **options: tfds.load(NAME, data_dir=data_dir, **options)


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
    """TFDS then reads what is on disk, and its own image, not ours."""
    info = tfds.builder(f"{NAME}:{version}", data_dir=data_dir).info
    assert info.full_name == "adni/axial_64/2.0.0"
    assert type(info.features["image"]) is tfds.features.Image


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
    for given in (scans_of(tree), None):
        data = tfds.load(
            NAME,
            data_dir=tmp_path,
            split="train",
            builder_kwargs={"jobs": 1},
            download_and_prepare_kwargs={"download_config": given},
        )
        assert len(data) == 72
    assert content(tmp_path) == content(data_dir)


def test_load_without_a_download_only_reads(data_dir):
    only = {"data_dir": data_dir, "split": "train", "download": False}
    assert len(tfds.load(NAME, **only)) == 72
    with pytest.raises(AssertionError, match="could not find data"):
        tfds.load("adni/axial_128", **only)


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
    batches = tfds.as_dataframe(data.batch(2).take(1), info)
    with pytest.raises(RuntimeError, match="HTML formatting of column"):
        batches._repr_html_()


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
    assert set(labels) <= STAGES


def test_show_examples_of_batches(load, shown):
    data, info = load(split="train", with_info=True)
    figure = tfds.show_examples(data.batch(9), info, is_batched=True)
    assert figure.axes[8].get_xlabel() in STAGES


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
