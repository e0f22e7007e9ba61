"""A SavedModel is a program: what `generate` refuses to load."""

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from pet_dcgan.models.graph_check import check_graph
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.networks import build_generator
from pet_dcgan.models.saved_model import save_model
from pet_dcgan.serving.exported_model import ExportedModel


@pytest.fixture
def model(toy_models, tmp_path):
    return shutil.copytree(toy_models / "ad" / "2", tmp_path / "1")


@pytest.fixture
def graph(model):
    """The only graph of the model; `graph.save()` writes it."""
    return _Graph(model / "saved_model.pb")


class _Graph:
    def __init__(self, path):
        self.path = path
        self.saved = SavedModel.FromString(path.read_bytes())
        self.meta = self.saved.meta_graphs[0]
        self.functions = self.meta.graph_def.library.function

    def function(self, part):
        return next(f for f in self.functions if part in f.signature.name)

    def refused(self, words):
        self.path.write_bytes(self.saved.SerializeToString())
        with pytest.raises(ValueError, match=words) as caught:
            ExportedModel(self.path.parent).load()
        assert str(caught.value).isprintable()


def test_an_export_passes(model):
    check_graph(model / "saved_model.pb")
    assert len(ExportedModel(model).load().draw([1, 2])) == 2


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_an_export_of_every_kind_passes(size, channels, tmp_path):
    """A mean of weights is weights."""
    network = build_generator(
        size=size,
        channels=channels,
        latent_dim=5,
        width=1,
        kernel_size=4 + channels,
    )
    facts = {"size": size, "channels": channels, "latent_dim": 5}
    facts |= {"stage": "ALL", "plane": "sagittal", "phantom": False}
    facts |= {"spacing_mm": 1.5, "suvr_max": 3.0, "reference": "brain"}
    facts = ModelInfo(preset="demo", made_by="pet-dcgan 0.1.0", **facts)
    save_model(network, tmp_path / "1", facts)
    check_graph(tmp_path / "1" / "saved_model.pb")


def test_a_graph_that_reads_a_file_is_refused(toy_models, tmp_path):
    """As one would make it: the facts and signatures are those of an export."""
    secret = str(tmp_path / "secret.txt")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="seed")])
    def read(seed):
        return {"image_bytes": tf.fill(tf.shape(seed), tf.io.read_file(secret))}

    module, folder = tf.Module(), tmp_path / "foreign"
    tf.saved_model.save(module, str(folder), {"generate_png": read})
    shutil.copytree(toy_models / "ad" / "2" / "assets.extra", folder / "e")
    (folder / "e").rename(folder / "assets.extra")
    with pytest.raises(ValueError, match=r"found ReadFile in it: a SavedModel"):
        ExportedModel(folder).load()


@pytest.mark.parametrize(
    "operation",
    [
        *("ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "EagerPyFunc"),
        *("LoadLibrary", "TFRecordReaderV2", "DecodePng", "PrintV2"),
        *("RandomStandardNormal", "AssignVariableOp", "Save"),
        "\x1b[2J",
    ],
)
def test_other_operations_are_refused(graph, operation):
    graph.function("inference_png").node_def.add(name="x", op=operation)
    graph.refused("a graph that only draws images")


def test_saving_where_images_are_drawn_is_refused(graph):
    graph.function("inference_png").node_def.add(name="x", op="SaveV2")
    graph.refused("found SaveV2 in it")


def test_calling_what_restores_weights_is_refused(graph):
    drawing = graph.function("inference_png")
    name = graph.function("traced_save").signature.name
    call = drawing.node_def.add(name="x", op="StatefulPartitionedCall")
    call.attr["f"].func.name = name
    graph.refused("MergeV2Checkpoints.*SaveV2")
    call.attr["f"].func.name = ""
    call.attr["fs"].list.func.add(name=name)
    graph.refused("MergeV2Checkpoints.*SaveV2")


def test_a_function_in_the_place_of_an_operation_is_refused(graph):
    """As TensorFlow looks for a node's operation among functions first."""
    saving = graph.functions.add()
    saving.CopyFrom(graph.function("traced_save"))
    saving.signature.name = "Tanh"
    graph.refused("MergeV2Checkpoints.*SaveV2")


def test_a_function_that_is_called_in_place_of_another_is_refused(graph):
    for part in ("inference_png", "traced_save"):
        graph.function(part).attr["api_implements"].s = b"x"
    graph.refused("found a substitute in it")


def test_a_signature_that_restores_weights_is_refused(graph):
    name = graph.function("traced_restore").signature.name
    for node in graph.meta.object_graph_def.nodes:
        if node.WhichOneof("kind") == "bare_concrete_function":
            node.bare_concrete_function.concrete_function_name = name
    graph.refused("AssignVariableOp.*RestoreV2")


def test_a_constant_that_would_end_the_process_is_refused(graph):
    """TensorFlow aborts at one of two types, and unpacks one of any size."""
    nodes = graph.function("inference_png").node_def
    constant = next(node for node in nodes if node.op == "Const")
    tensor = constant.attr["value"].tensor
    whole, tensor.dtype = tensor.dtype, tf.string.as_datatype_enum
    graph.refused("found a damaged constant")
    tensor.dtype = whole
    for size in (2**31, -(2**31)):
        tensor.tensor_shape.dim.add(size=size)
        graph.refused("found a damaged constant")


def test_assets_objects_and_other_graphs_are_refused(graph):
    saved, meta = graph.saved, graph.meta
    original = saved.SerializeToString()
    meta.asset_file_def.add(filename="/etc/passwd")
    graph.refused("found an asset in it")
    saved.ParseFromString(original)
    node = saved.meta_graphs[0].object_graph_def.nodes.add()
    node.asset.asset_file_def_index = 0
    graph.refused("found asset in it")
    saved.ParseFromString(original)
    node = saved.meta_graphs[0].object_graph_def.nodes.add()
    node.user_object.identifier = "_tf_keras_model"
    graph.refused("found _tf_keras_model in it")
    saved.ParseFromString(original)
    saved.meta_graphs[0].object_graph_def.nodes[0].registered_name = "Custom>X"
    graph.refused("a registered class")
    saved.ParseFromString(original)
    saved.meta_graphs.add().CopyFrom(saved.meta_graphs[0])
    graph.refused("expected one graph and its objects")
    saved.ParseFromString(original)
    saved.meta_graphs[0].ClearField("object_graph_def")
    graph.refused("expected one graph and its objects")


def test_a_constant_is_of_tensorflows_own_class(graph):
    """What a layer keeps as an array; its class is in no other object."""
    node = graph.meta.object_graph_def.nodes.add()
    node.constant.operation = "x"
    node.registered_name = "tf.TrackableConstant"
    graph.path.write_bytes(graph.saved.SerializeToString())
    check_graph(graph.path)
    node.registered_name = "Custom>X"
    graph.refused("found a registered class in it")
    node.ClearField("registered_name")
    node.registered_saver = "Custom>X"
    graph.refused("found a registered class in it")
    node.registered_saver = ""
    node.variable.shape.SetInParent()
    node.registered_name = "tf.TrackableConstant"
    graph.refused("found a registered class in it")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"not a graph", np.random.default_rng(0).bytes(10**5)],
    ids=["empty", "zeros", "text", "random"],
)
def test_what_is_no_graph_is_refused(model, content):
    (model / "saved_model.pb").write_bytes(content)
    with pytest.raises(ValueError, match="export the run again") as caught:
        ExportedModel(model).load()
    assert str(caught.value).isprintable()


def test_a_gigantic_graph_is_not_read(model):
    with (model / "saved_model.pb").open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(ValueError, match=r"at most 16,777,216 bytes.*: export"):
        ExportedModel(model).load()


def test_a_damaged_fingerprint_is_refused(model, capfd):
    (model / "fingerprint.pb").write_bytes(b"\xff" * 50)
    with pytest.raises(ValueError, match=r"fingerprint\.pb.*: export the run"):
        ExportedModel(model).load()
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        *("saved_model.pb", "fingerprint.pb", "variables/variables.index"),
        "variables/variables.data-00000-of-00001",
        *("debug/saved_model_debug_info.pb", "assets.extra/model.json"),
    ],
)
def test_a_pipe_does_not_hold_a_reader(model, name):
    path = model / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises((FileNotFoundError, ValueError)) as caught:
        ExportedModel(model).load()
    assert str(caught.value).isprintable()
    assert "export" in str(caught.value)


def test_weights_without_end_are_not_read(model):
    weights = model / "variables" / "variables.data-00000-of-00001"
    with weights.open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match=r"1,073,741,824 bytes.*: export"):
        ExportedModel(model).load()


def test_a_graph_as_text_is_not_read(model):
    """TensorFlow takes `saved_model.pbtxt` where there is no other."""
    (model / "saved_model.pbtxt").write_text("meta_graphs { }")
    assert len(ExportedModel(model).load().draw([1])) == 1
    (model / "saved_model.pb").unlink()
    with pytest.raises(FileNotFoundError, match="no exported model"):
        ExportedModel(model)


def test_a_link_to_a_model_is_a_model(model, tmp_path):
    (tmp_path / "ad").mkdir()
    (tmp_path / "ad" / "7").symlink_to(model)
    (model / "variables").rename(tmp_path / "variables")
    (model / "variables").symlink_to(tmp_path / "variables")
    assert len(ExportedModel(tmp_path / "ad").load().draw([1])) == 1


def test_damage_anywhere_is_one_line(model):
    """Seeded mutations, also of what TensorFlow reads itself."""
    random = np.random.default_rng(0)
    for name in (
        *("saved_model.pb", "saved_model.pb", "variables/variables.index"),
        "variables/variables.data-00000-of-00001",
    ):
        path = model / name
        whole = path.read_bytes()
        for _ in range(8):
            content = bytearray(whole)
            for place in random.integers(0, len(whole), 3):
                content[place] ^= 1 << random.integers(8)
            path.write_bytes(content)
            try:
                images = ExportedModel(model).load().draw([1])
            except ValueError as error:
                assert str(error).isprintable()  # noqa: PT017
                assert "export the run again" in str(error)  # noqa: PT017
            else:
                assert len(images) == 1
        path.write_bytes(whole)
