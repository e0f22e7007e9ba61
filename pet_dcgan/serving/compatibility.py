"""Whether a new version can take the place of the last one.

A model server moves to the highest version without a word to anybody, so
what clients rely on has to be compared before.
"""

from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from pet_dcgan.serving.model_info import GRAPH_FILE, ModelInfo

_SCALE = ("suvr_max", "spacing_mm")

Tensors = dict[str, str]


def check_compatible(new: Path, last: Path) -> None:
    """Refuses a version that would break the last one's clients.

    It may have signatures that the last one lacks; those of the last one
    keep their inputs, outputs, types and shapes, and images their scale.

    Args:
        new: Folder of the new version.
        last: Folder of the version that is served now.

    Raises:
        ValueError: If something is missing or another, or the last version
            is damaged.
    """
    changes = [*_changed_scale(new, last), *_changed_signatures(new, last)]
    if changes:
        raise ValueError(
            f"expected a new version to offer all that {last} does, found "
            f"{'; '.join(changes)}: clients would break, so export to another "
            "--to, or move the old model away"
        )


def _changed_scale(new: Path, last: Path) -> list[str]:
    found, before = (_facts(folder) for folder in (new, last))
    return [
        f"{name} {getattr(found, name):g} in place of {getattr(before, name):g}"
        for name in _SCALE
        if getattr(found, name) != getattr(before, name)
    ]


def _changed_signatures(new: Path, last: Path) -> list[str]:
    found, before = (_signatures(folder) for folder in (new, last))
    lost = [f"no {name}" for name in before if name not in found]
    return lost + [
        f"{name} with {_words(found[name])} in place of {_words(before[name])}"
        for name in before
        if name in found and found[name] != before[name]
    ]


def _facts(folder: Path) -> ModelInfo:
    try:
        return ModelInfo.read(folder)
    except (FileNotFoundError, ValueError) as error:
        raise _damaged(folder, error) from error


def _signatures(folder: Path) -> dict[str, Tensors]:
    """Each signature's inputs and outputs in words, by name."""
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString((folder / GRAPH_FILE).read_bytes())
        (graph,) = model.meta_graphs
    except (DecodeError, ValueError) as error:
        raise _damaged(folder, error) from error
    return {
        name: {
            f"{kind} {key}": _described(info)
            for kind, tensors in (("in", one.inputs), ("out", one.outputs))
            for key, info in tensors.items()
        }
        for name, one in sorted(graph.signature_def.items())
        if not name.startswith("__")
    }


def _described(info: meta_graph_pb2.TensorInfo) -> str:
    """As `int64 [n]`."""
    dtype = types_pb2.DataType.Name(info.dtype).removeprefix("DT_").lower()
    if info.tensor_shape.unknown_rank:
        return f"{dtype} of any shape"
    sizes = (dim.size for dim in info.tensor_shape.dim)
    shape = ", ".join("n" if size < 0 else str(size) for size in sizes)
    return f"{dtype} [{shape}]"


def _words(tensors: Tensors) -> str:
    return ", ".join(f"{name} {tensors[name]}" for name in sorted(tensors))


def _damaged(folder: Path, error: Exception) -> ValueError:
    return ValueError(
        f"expected a whole model in {folder} to compare with, found a fault: "
        f"{error}: move that version away, then export again"
    )
