"""A SavedModel whose bytes depend on the model alone.

TensorFlow numbers functions and the variables that they use by what its
process made before, and gives every model that is saved a random identifier. A
server needs none of these.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path

from tensorflow.core.framework import function_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from pet_dcgan.models.model_info import GRAPH_FILE

_RANDOM = "fingerprint.pb"
# of an argument; that of a variable is its number in the process
_GIVEN_NAME = "_user_specified_name"
# of an activation with a gradient of its own, also with a number
_GRADIENT = "_gradient_op_type"


def remove_chance(folder: Path) -> None:
    """Makes the files of a SavedModel those that any process would write.

    Functions are numbered from 0 on, in the order in which they were traced,
    and stored in that order. `fingerprint.pb` goes: it holds a random number,
    and both `tf.saved_model.load` and the model server take models without
    one (tensorflow/python/saved_model/load.py).

    Args:
        folder: The SavedModel, just written.
    """
    path = folder / GRAPH_FILE
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for graph in model.meta_graphs:
        functions = graph.graph_def.library.function
        functions.sort(key=lambda function: _number(function.signature.name))
        before = [function.signature.name for function in functions]
        names = {
            name: f"{name.rpartition('_')[0]}_{index}"
            for index, name in enumerate(before)
        }
        for function in functions:
            _rename_function(function, names)
        _rename_calls(graph, names)
        _rename_objects(graph, names)
    path.write_bytes(model.SerializeToString(deterministic=True))
    (folder / _RANDOM).unlink(missing_ok=True)


def _number(name: str) -> int:
    """The number at the end of a function's name; each has another."""
    return int(name.rpartition("_")[2])


def _rename_function(
    function: function_pb2.FunctionDef, names: Mapping[str, str]
) -> None:
    """Renames a function, and what its arguments are called after others."""
    function.signature.name = names[function.signature.name]
    for argument in function.signature.input_arg:
        # a loop's, which its body or its condition has no use for
        of, mark, rest = argument.name.partition("___redundant_placeholder")
        for before, name in names.items():
            if mark and of.endswith(before):
                argument.name = of.removesuffix(before) + name + mark + rest
    for argument in function.arg_attr.values():
        given = argument.attr.get(_GIVEN_NAME)
        if given is not None and given.s.isdigit():
            del argument.attr[_GIVEN_NAME]


def _rename_calls(
    graph: meta_graph_pb2.MetaGraphDef, names: Mapping[str, str]
) -> None:
    """Renames functions where operations call them, and drops gradients."""
    functions = graph.graph_def.library.function
    bodies = (function.node_def for function in functions)
    for node in itertools.chain(graph.graph_def.node, *bodies):
        node.op = names.get(node.op, node.op)
        node.attr.pop(_GRADIENT, None)
        for value in node.attr.values():
            for called in (value.func, *value.list.func):
                if called.name in names:
                    called.name = names[called.name]


def _rename_objects(
    graph: meta_graph_pb2.MetaGraphDef, names: Mapping[str, str]
) -> None:
    """Renames functions where Python's objects are described."""
    for node in graph.object_graph_def.nodes:
        bare = node.bare_concrete_function
        if bare.concrete_function_name in names:
            bare.concrete_function_name = names[bare.concrete_function_name]
    described = graph.object_graph_def.concrete_functions
    for before in sorted(names.keys() & described.keys(), key=_number):
        content = described[before].SerializeToString()
        del described[before]
        described[names[before]].ParseFromString(content)
