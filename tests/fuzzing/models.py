"""Exported models: the graph, its variables, its facts, and `models.config`."""

import shutil
from pathlib import Path
from random import Random

import toy_data
import toy_run

from fuzzing.damage import damaged, damaged_json
from fuzzing.oracle import require
from fuzzing.plan import Files
from fuzzing.pngs import chunks_of
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import export_run
from pet_dcgan.serving.exported_model import ExportedModel
from pet_dcgan.serving.generate import generate

_VERSION = Path("models", "ad", "1")
_GRAPH = str(_VERSION / "saved_model.pb")
_EXPORT = "export.txt"


def prepare(base: Path) -> None:
    toy_data.prepare(base / "data")
    run = toy_run.make_run(base / "run", base / "data", "AD")
    export_run(run, base / "models")


def mutate(base: Path, dice: Random) -> Files:
    paths = [p for p in sorted((base / "models").rglob("*")) if p.is_file()]
    names = [str(path.relative_to(base)) for path in paths]
    name = dice.choice(dice.choice((names, [_GRAPH])))
    content = (base / name).read_bytes()
    others = [path.read_bytes() for path in paths]
    if name == _GRAPH and dice.random() < 0.6:
        content = _damaged_graph(content, dice)
    elif name.endswith(".json"):
        content = damaged_json(content, dice)
    else:
        content = damaged(content, dice, *others)
    files: Files = {name: content}
    if dice.random() < 0.15:
        files[_EXPORT] = b""
    return files


def _damaged_graph(content: bytes, dice: Random) -> bytes:
    """A graph with a node, an input, a type or a signature changed."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString(content)
    graph = model.meta_graphs[0]
    for _ in range(dice.choice((1, 1, 2))):
        dice.choice(_CHANGES)(graph, dice)
    return model.SerializeToString(deterministic=True)


def _nodes(graph):
    functions = graph.graph_def.library.function
    return [graph.graph_def.node, *(f.node_def for f in functions)]


def _node(graph, dice):
    nodes = dice.choice([nodes for nodes in _nodes(graph) if nodes])
    node = nodes[dice.randrange(len(nodes))]
    kind = dice.randrange(5)
    if kind == 0:
        node.op = dice.choice(("ReadFile", "NoSuchOp", "MatMul", "Placeholder"))
    elif kind == 1 and node.input:
        node.input[dice.randrange(len(node.input))] = "nowhere"
    elif kind == 2 and node.attr:
        del node.attr[dice.choice(sorted(node.attr))]
    elif kind == 3:
        node.name = dice.choice(("", "x" * 1000, "a/b", "\x1b[2J"))
    else:
        del nodes[dice.randrange(len(nodes))]


def _constant(graph, dice):
    """Another shape, type or content of a constant."""
    found = [n for nodes in _nodes(graph) for n in nodes if n.op == "Const"]
    if not found:
        return
    value = dice.choice(found).attr["value"].tensor
    kind = dice.randrange(3)
    if kind == 0:
        value.dtype = dice.choice((0, 1, 3, 7, 99))
    elif kind == 1:
        value.tensor_content = value.tensor_content[:-1] + b"\xff" * 8
    else:
        value.tensor_shape.dim.add().size = dice.choice((-1, 2**40, 0, 3))


def _signature(graph, dice):
    names = sorted(graph.signature_def)
    name = dice.choice(names)
    kind = dice.randrange(3)
    if kind == 0:
        del graph.signature_def[name]
    elif kind == 1:
        outputs = graph.signature_def[name].outputs
        for output in outputs.values():
            output.name = dice.choice(("nowhere:0", "", "x"))
    else:
        for tensor in graph.signature_def[name].inputs.values():
            tensor.dtype = dice.choice((1, 3, 7, 99))


def _object(graph, dice):
    """The graph of objects: children, versions, kinds."""
    nodes = graph.object_graph_def.nodes
    if not nodes:
        return
    node = nodes[dice.randrange(len(nodes))]
    if node.children and dice.random() < 0.5:
        child = node.children[dice.randrange(len(node.children))]
        child.node_id = dice.choice((-1, 0, 10**6, len(nodes)))
    else:
        del nodes[dice.randrange(len(nodes)) :]


_CHANGES = (_node, _node, _constant, _signature, _object)


def run(folder: Path, attempt) -> None:
    model = attempt(ExportedModel, folder / _VERSION)
    if model is not None and attempt(model.load):
        images = attempt(model.draw, range(2))
        if images is not None:
            attempt(_check, images, model.facts)
    else:
        options = {"count": 2, "out": folder / "out", "format": "npy"}
        attempt(generate, folder / "models" / "ad", **options)
    if (folder / _EXPORT).is_file():
        again = attempt(Run.open, folder / "run")
        attempt(export_run, again, folder / "models")
    shutil.rmtree(folder / "out", ignore_errors=True)


def _check(images, facts) -> None:
    require(len(images) == 2, f"{len(images)} images of 2")
    for image in images:
        kind, head = chunks_of(image)[0]
        sides = [int.from_bytes(head[at : at + 4], "big") for at in (0, 4)]
        require(kind == b"IHDR" and sides == [facts.size] * 2, f"{sides}")
