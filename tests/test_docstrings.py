"""Every public name says what it is, takes, gives and refuses.

- Modules, classes, functions, methods and properties have a docstring.
- A function of two or more arguments names each under `Args:`, a dataclass or
  a class with arguments as well; of one argument a sentence may do.
- Where an array or tensor goes in or comes out, its shape stands in brackets.
- A tuple that comes out is described.
- What a function raises itself is named.

What Keras, TFDS and typer call has their interface and is left out.
"""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from pages import ROOT

FILES = sorted(
    path
    for name in ("pet_dcgan", "tfds_adni")
    for path in ROOT.glob(f"{name}/**/*.py")
)
# called by frameworks, which say what they give and want
THEIRS = re.compile(r"on_\w+|call|build|train_step|__\w+__|_\w+")
ARRAY = re.compile(r"ndarray|Tensor\b")
BY_NAME = re.compile(r"dict\[str, [\w.]+\]")
# another function says it
AS_ANOTHER = re.compile(r"Arguments and errors are those of|As for `\w+`")
# `[n, size]`, `(x, y, z)`, `data.shape`, or in words
SHAPE = re.compile(
    r"\[[^\]]*\]|`\([^`]*,[^`]*\)|`[\w.]*shape`|(same|any) shape|shape of"
    r"|[Ss]calar"
)


class Public(NamedTuple):
    """A public function or method."""

    node: ast.FunctionDef
    place: str
    is_method: bool

    @property
    def doc(self):
        return ast.get_docstring(self.node) or ""

    @property
    def decorators(self):
        return [ast.unparse(d) for d in self.node.decorator_list]

    @property
    def arguments(self):
        """Name to annotation, without self and cls."""
        taken = self.node.args
        found = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs]
        if self.is_method and "staticmethod" not in self.decorators:
            found = found[1:]
        found += [a for a in (taken.vararg, taken.kwarg) if a]
        return {
            a.arg: ast.unparse(a.annotation) if a.annotation else ""
            for a in found
        }

    @property
    def gives(self):
        """The annotation of what comes out, `""` for nothing."""
        found = ast.unparse(self.node.returns) if self.node.returns else ""
        return "" if found in ("None", "NoReturn") else found.strip("'\"")


def nodes(tree):
    """Public classes, and public functions with whether they are methods."""
    for node in tree.body:
        if THEIRS.fullmatch(getattr(node, "name", "")):
            continue
        if isinstance(node, ast.FunctionDef):
            yield node, "", False
        if isinstance(node, ast.ClassDef):
            yield node, "", False
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not (
                    THEIRS.fullmatch(inner.name)
                ):
                    yield inner, f"{node.name}.", True


def functions(tree, name):
    return [
        Public(node, f"{name}:{owner}{node.name}", method)
        for node, owner, method in nodes(tree)
        if isinstance(node, ast.FunctionDef)
    ]


def is_called_by_typer(function):
    return any(".command" in d or ".callback" in d for d in function.decorators)


def is_property(function):
    return any("property" in d for d in function.decorators)


def raised(node):
    """Names of errors that a function raises itself, not its helpers."""
    found = set()
    todo = list(node.body)
    while todo:
        one = todo.pop()
        if isinstance(one, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(one, ast.Raise) and one.exc is not None:
            error = one.exc.func if isinstance(one.exc, ast.Call) else one.exc
            found.add(ast.unparse(error).split(".")[-1])
        todo += ast.iter_child_nodes(one)
    return {name for name in found if name[:1].isupper()}


def faults(function):
    """What a docstring leaves out, a line each."""
    doc, arguments = function.doc, function.arguments
    if not doc:
        return ["no docstring"]
    if is_called_by_typer(function) or AS_ANOTHER.search(doc):
        return []
    found = []
    unnamed = [a for a in arguments if not re.search(rf"\b{a}: ", doc)]
    if unnamed and (len(arguments) > 1 or "Args:" in doc):
        found.append(f"arguments not described: {', '.join(unnamed)}")
    said = f"{function.gives} {' '.join(arguments.values())}"
    if ARRAY.search(BY_NAME.sub("", said)) and not SHAPE.search(doc):
        found.append("no shape")
    if (
        function.gives.startswith("tuple[")
        and "..." not in function.gives
        and not is_property(function)
        and "Returns:" not in doc
    ):
        found.append("a tuple that is not described")
    silent = [error for error in raised(function.node) if error not in doc]
    if silent:
        found.append(f"errors not named: {', '.join(sorted(silent))}")
    return found


def read(path: Path):
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_public_names_say_what_they_are(path):
    tree = read(path)
    found = [] if ast.get_docstring(tree) else [f"{path}: no docstring"]
    for node, _, _ in nodes(tree):
        if isinstance(node, ast.ClassDef) and not ast.get_docstring(node):
            found.append(f"{node.name}: no docstring")
    for function in functions(tree, path.stem):
        found += [f"{function.place}: {fault}" for fault in faults(function)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("def a(): pass", "no docstring"),
        ('def a(b, c):\n  """D.\n\n  Args:\n    b: B.\n  """', "described: c"),
        ('def a(b: np.ndarray):\n  """D."""', "no shape"),
        ('def a() -> tuple[int, int]:\n  """D."""', "a tuple"),
        ('def a():\n  """D."""\n  if 1:\n    raise OSError("x")', "OSError"),
    ],
)
def test_what_is_left_out_is_seen(code, fault):
    (function,) = functions(ast.parse(code), "a")
    assert fault in "; ".join(faults(function))
