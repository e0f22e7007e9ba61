"""Files that are the same bytes whichever process writes them, and when."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from test_model_info import FACTS

from pet_dcgan.models.network_file import save_network
from pet_dcgan.models.networks import build_generator, float32_copy
from pet_dcgan.models.saved_model import compare_model, save_model


def small_generator():
    return build_generator(size=32, channels=1, latent_dim=6, width=4)


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(folder, *, before=0):
    """Both files of the same weights, after so many other models."""
    for _ in range(before):
        other = small_generator()
        tf.function(lambda x, model=other: model(x))(tf.zeros([1, 6]))
    folder.mkdir()
    save_network(float32_copy(small_generator()), folder / "generator.keras")
    save_model(small_generator(), folder / "1", FACTS)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("same") / "here"
    write(folder, before=1)
    return folder


def test_another_process_writes_the_same_bytes(written, tmp_path):
    words = "import pathlib, sys, test_same_bytes as t"
    words += "; t.write(pathlib.Path(sys.argv[1]))"
    folder = tmp_path / "there"
    subprocess.run(
        [sys.executable, "-c", words, folder],
        env=os.environ | {"PYTHONHASHSEED": "1"},
        cwd=Path(__file__).parent,
        check=True,
    )
    here, there = files(written), files(folder)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]] == []


def test_a_network_is_read_as_before_and_has_no_date(written):
    found = keras.models.load_model(written / "generator.keras")
    pairs = zip(
        found.get_weights(), small_generator().get_weights(), strict=True
    )
    assert all(np.array_equal(one, other) for one, other in pairs)
    with zipfile.ZipFile(written / "generator.keras") as file:
        dates = {each.date_time for each in file.infolist()}
        assert b"date" not in file.read("metadata.json")
    assert dates == {(1980, 1, 1, 0, 0, 0)}


def test_a_model_has_no_number_of_its_process(written):
    assert not (written / "1" / "fingerprint.pb").exists()
    content = (written / "1" / "saved_model.pb").read_bytes()
    (graph,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    functions = graph.graph_def.library.function
    numbers = [
        int(function.signature.name.rpartition("_")[2])
        for function in functions
    ]
    assert numbers == list(range(len(functions)))
    # what was renamed is called by its new name everywhere
    compare_model(small_generator(), written / "1", FACTS)
