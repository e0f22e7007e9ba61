import dataclasses
import shutil

import pytest
import tensorflow as tf
from pet_dcgan.serving.compatibility import check_compatible
from tensorflow.core.protobuf import saved_model_pb2
from test_model_info import FACTS

from pet_dcgan.models.networks import build_generator
from pet_dcgan.serving.saved_model import save_model


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("successor") / "1"
    model = build_generator(size=32, channels=1, latent_dim=6, width=4)
    save_model(model, folder, FACTS)
    FACTS.write(folder)
    return folder


@pytest.fixture
def changed(whole, tmp_path):
    """`changed(edit)`: a copy whose signatures were edited."""

    def make(edit):
        folder = tmp_path / "2"
        folder.mkdir()
        model = saved_model_pb2.SavedModel()
        model.ParseFromString((whole / "saved_model.pb").read_bytes())
        edit(model.meta_graphs[0].signature_def)
        (folder / "saved_model.pb").write_bytes(model.SerializeToString())
        FACTS.write(folder)
        return folder

    return make


def test_the_same_model_may_follow(whole):
    check_compatible(whole, whole)


def test_more_signatures_may_follow(whole, changed):
    fewer = changed(lambda found: found.pop("describe"))
    check_compatible(whole, fewer)


def test_a_lost_signature_is_named(whole, changed):
    fewer = changed(lambda found: found.pop("generate_png"))
    with pytest.raises(ValueError, match=r"found no generate_png: ") as error:
        check_compatible(fewer, whole)
    assert "\n" not in str(error.value)
    assert str(whole) in str(error.value)


def retyped(found):
    found["generate"].inputs["seed"].dtype = tf.int32.as_datatype_enum


def resized(found):
    found["generate"].outputs["suvr"].tensor_shape.dim[1].size = 64


def renamed(found):
    outputs = found["generate"].outputs
    outputs["pixels"].CopyFrom(outputs.pop("suvr"))


def unranked(found):
    shape = found["generate"].inputs["seed"].tensor_shape
    shape.Clear()
    shape.unknown_rank = True


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (retyped, "in seed int32 [n], out suvr float [n, 32, 32] in place"),
        (resized, "out suvr float [n, 64, 32] in place"),
        (renamed, "out pixels float [n, 32, 32] in place"),
        (unranked, "in seed int64 of any shape, out"),
    ],
)
def test_a_changed_signature_is_described(whole, changed, edit, words):
    with pytest.raises(ValueError, match="found generate with ") as error:
        check_compatible(changed(edit), whole)
    assert words in str(error.value)
    assert "of in seed int64 [n], out suvr float [n, 32, 32]:" in str(
        error.value
    )


def test_another_scale_is_refused(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "2")
    dataclasses.replace(FACTS, suvr_max=3.0).write(tmp_path / "2")
    with pytest.raises(ValueError, match=r"suvr_max 3 in place of 2\.5"):
        check_compatible(tmp_path / "2", whole)


@pytest.mark.parametrize("name", ["saved_model.pb", "assets.extra/model.json"])
def test_a_damaged_last_version_is_refused(whole, tmp_path, name):
    shutil.copytree(whole, tmp_path / "1")
    (tmp_path / "1" / name).write_bytes(b"\xff\xff")
    with pytest.raises(ValueError, match="move that version away") as error:
        check_compatible(whole, tmp_path / "1")
    assert "\n" not in str(error.value)


def test_an_empty_last_version_is_refused(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "1")
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match="expected a whole model in"):
        check_compatible(whole, tmp_path / "1")
