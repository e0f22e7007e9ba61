"""Whether a SavedModel holds nothing but what an export of this package does.

A SavedModel is a program: among TensorFlow's operations are some that read and
write files (https://github.com/tensorflow/tensorflow/blob/master/SECURITY.md).
The operations of an export are few, compute on tensors alone, and are listed
here; a graph with any other is refused before anything of it is loaded.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pet_dcgan.utils.foreign_files import read_bytes, require_regular
from pet_dcgan.utils.foreign_text import fault, one_line

_MOST_BYTES = 2**24  # of a graph; that of 256 px has 160 kB, without weights
_MOST_WEIGHTS = 2**30  # bytes; those of 256 px have some 50 MB
# what an export consists of, and a few kin that other versions of TensorFlow
# or Keras may write in place of them
_DRAWING = """
    Add AddV2 All Any Assert BatchMatMulV2 BiasAdd BitwiseAnd BitwiseOr
    BitwiseXor BroadcastTo Cast ClipByValue ConcatV2 Const Conv2D
    Conv2DBackpropInput EncodePng Equal ExpandDims Fill FusedBatchNormV3
    GatherV2 Greater GreaterEqual Identity IdentityN IsFinite LeftShift Less
    LessEqual LogicalAnd LogicalNot LogicalOr MatMul Maximum Mean Minimum Mul
    Neg NoOp NotEqual Pack PartitionedCall Placeholder PlaceholderWithDefault
    Prod Range Rank ReadVariableOp RealDiv Relu Reshape RightShift Round Rsqrt
    Select SelectV2 Shape Size Slice Sqrt Square Squeeze StatefulPartitionedCall
    StatelessRandomGetKeyCounter StatelessRandomUniformFullIntV2
    StatelessRandomUniformV2 StatelessWhile StridedSlice StringJoin Sub Substr
    Sum Tanh TensorListFromTensor TensorListGetItem TensorListReserve
    TensorListSetItem TensorListStack Tile Transpose Unpack VarHandleOp While
    ZerosLike
"""
# of layers that networks of one's own are made of: tests/own_networks.py; none
# of them reads or writes anything, or draws other numbers each time
_OF_LAYERS = """
    Abs AddN Atan AvgPool AvgPool3D BatchToSpaceND Ceil Conv3D
    Conv3DBackpropInputV2 Cos Cosh Cumsum DepthToSpace
    DepthwiseConv2dNative Einsum Elu EnsureShape Erf Erfc Exp Expm1 Floor
    FloorDiv FloorMod GatherNd If IsInf IsNan LRN LeakyRelu LinSpace Log Log1p
    LogSoftmax Max MaxPool MaxPool3D Min MirrorPad OneHot Pad PadV2 Pow
    Reciprocal Relu6 ResizeArea ResizeBicubic ResizeBilinear
    ResizeNearestNeighbor ReverseV2 Roll ScaleAndTranslate Selu Sigmoid Sign Sin
    Sinh Softmax Softplus Softsign
    SpaceToBatchND SpaceToDepth Split SplitV SquaredDifference StatelessIf
    StatelessRandomNormalV2 StatelessRandomUniformIntV2 StopGradient Tan
"""
# of the two functions by which a server restores weights, and which loading
# from Python never runs
_RESTORING = """
    AssignVariableOp DisableCopyOnRead MergeV2Checkpoints RestoreV2 SaveV2
    ShardedFilename StaticRegexFullMatch
"""
_OBJECTS = ("_generic_user_object", "trackable_list_wrapper", "signature_map")
_KINDS = ("variable", "bare_concrete_function", "constant", *_OBJECTS)
# a constant is an array that a layer keeps, in TensorFlow's own class
_REGISTERED = {"constant": "tf.TrackableConstant"}


def check_graph(path: Path) -> None:
    """Refuses a graph that could do more than draw images.

    Args:
        path: The file `saved_model.pb`.

    Raises:
        ValueError: If it is damaged, too large, or has parts that no export
            has.
    """
    from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved = _parsed(SavedModel(), path)
    fingerprint = path.with_name("fingerprint.pb")
    # of a damaged one, TensorFlow prints a traceback and goes on
    if fingerprint.exists():
        _parsed(FingerprintDef(), fingerprint)
    _check_others(path.parent)
    # a graph without objects would be loaded by the rules of TensorFlow 1
    if [each.HasField("object_graph_def") for each in saved.meta_graphs] != [
        True
    ]:
        raise ValueError(
            f"expected one graph and its objects in {path}, found others: "
            "export the run again"
        )
    if foreign := _foreign_parts(saved):
        raise ValueError(
            f"expected a graph that only draws images in {path}, found "
            f"{one_line(', '.join(foreign))} in it: a SavedModel is a program, "
            "use none of a stranger; export the run again"
        )


def foreign_parts(path: Path) -> list[str]:
    """What a graph just written has beyond what `check_graph` lets pass.

    Args:
        path: The file `saved_model.pb`.

    Returns:
        Names of operations, and other parts in words; none if it passes.
    """
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    return _foreign_parts(_parsed(SavedModel(), path))


def _foreign_parts(saved: Any) -> list[str]:
    """Names of what no export has, each once."""
    return sorted(set(_foreign(saved.meta_graphs[0])))


def _parsed(message: Any, path: Path) -> Any:
    """Returns a message of protocol buffers with the content of a file."""
    from google.protobuf.message import DecodeError

    try:
        message.ParseFromString(read_bytes(path, most=_MOST_BYTES))
    except DecodeError:
        raise ValueError(
            f"expected a graph of TensorFlow in {path}, found a damaged file: "
            "export the run again"
        ) from None
    except ValueError as error:
        raise ValueError(f"{error}: export the run again") from None
    return message


def _check_others(folder: Path) -> None:
    """Refuses pipes and files without end among those that loading reads."""
    found = [folder / "debug" / "saved_model_debug_info.pb"]
    found += (folder / "variables").glob("variables.*")
    for path in found:
        most = _MOST_WEIGHTS if ".data-" in path.name else _MOST_BYTES
        try:
            if path.exists():
                require_regular(path, path.stat(), most=most)
        except (OSError, ValueError) as error:
            raise ValueError(f"{fault(error)}: export the run again") from None


def _foreign(graph: Any) -> Iterator[str]:
    """Yields the parts of a MetaGraphDef that no export has."""
    library = graph.graph_def.library
    yield from _foreign_operations(graph)
    if library.gradient or library.registered_gradients:
        yield "a gradient"
    # by which TensorFlow calls another function in a function's place
    if any("api_implements" in each.attr for each in library.function):
        yield "a substitute"
    if graph.asset_file_def:
        yield "an asset"
    for node in graph.object_graph_def.nodes:
        yield from _foreign_object(node)


def _foreign_object(node: Any) -> Iterator[str]:
    """Yields what is wrong with one of the objects that loading makes."""
    kind = node.WhichOneof("kind") or "no kind"
    if kind == "user_object":
        kind = node.user_object.identifier
    if kind not in _KINDS:
        yield kind
    registered = node.registered_name or node.registered_saver
    if registered and registered != _REGISTERED.get(kind):
        yield "a registered class"
    if node.saveable_objects:
        yield "a saver"


def _foreign_operations(graph: Any) -> Iterator[str]:
    """Yields the operations that no export has in the same place."""
    drawing = {*_DRAWING.split(), *_OF_LAYERS.split()}
    restoring = drawing.union(_RESTORING.split())
    called = set(_called(graph))
    parts = [(drawing, graph.graph_def.node)]
    for function in graph.graph_def.library.function:
        known = drawing if function.signature.name in called else restoring
        parts.append((known, function.node_def))
    for known, nodes in parts:
        for node in nodes:
            if node.op not in known:
                yield node.op
            elif node.op == "Const" and not _is_sound(node.attr):
                yield "a damaged constant"


def _is_sound(constant: Any) -> bool:
    """Whether a constant is small and of its type, else TensorFlow aborts."""
    tensor = constant["value"].tensor
    sides = (abs(each.size) for each in tensor.tensor_shape.dim)
    small = math.prod(sides) <= _MOST_BYTES
    return small and tensor.dtype == constant["dtype"].type


def _called(graph: Any) -> Iterator[str]:
    """Yields the names of functions that Python or a function can call.

    A function of the name of an operation takes its place.
    """
    yield from (node.op for node in graph.graph_def.node)
    yield from graph.object_graph_def.concrete_functions
    for node in graph.object_graph_def.nodes:
        yield node.bare_concrete_function.concrete_function_name
    for function in graph.graph_def.library.function:
        for node in function.node_def:
            yield node.op
            for value in node.attr.values():
                yield value.func.name
                yield from (each.name for each in value.list.func)
