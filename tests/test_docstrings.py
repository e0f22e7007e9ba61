"""Every public name says what it is, takes, returns and raises.

- Modules, classes, functions, methods and properties have a docstring.
- A function of two or more arguments names each under `Args:`, a dataclass or
  a class with arguments as well; of one argument a sentence may do.
- The shape of an array or tensor stands in brackets.
- A tuple that is returned is described.
- What a function raises itself is named.

What Keras, TFDS and typer call has their interface and is left out.
"""

import ast
import re
from typing import NamedTuple

import pytest
from pages import ROOT

FILES = sorted(
    path
    for name in ("pet_dcgan", "tfds_adni")
    for path in ROOT.glob(f"{name}/**/*.py")
)
# called by frameworks, which describe them
THEIRS = re.compile(r"on_\w+|call|build|train_step|__\w+__|_\w+")
ARRAY = re.compile(r"ndarray|Tensor\b")
BY_NAME = re.compile(r"dict\[str, [\w.]+\]")
# described elsewhere
AS_ANOTHER = re.compile(r"Arguments and errors are those of|As for `\w+`")
# `[n, size]`, `(x, y, z)`, `data.shape`, or in words
SHAPE = re.compile(
    r"\[[^\]]*\]|`\([^`]*,[^`]*\)|`[\w.]*shape`|(same|any) shape|shape of"
    r"|[Ss]calar"
)


class Public(NamedTuple):
    """A public class, function or method."""

    node: ast.FunctionDef | ast.ClassDef
    place: str
    is_method: bool = False

    @property
    def doc(self):
        return ast.get_docstring(self.node) or ""

    @property
    def decorators(self):
        return " ".join(ast.unparse(d) for d in self.node.decorator_list)

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
    def returns(self):
        """The annotation of what is returned, `""` for nothing."""
        found = ast.unparse(self.node.returns) if self.node.returns else ""
        return "" if found in ("None", "NoReturn") else found.strip("'\"")


def public(body, place, *, is_method=False):
    """Yields public classes and functions, and the methods of classes."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        if THEIRS.fullmatch(node.name):
            continue
        yield Public(node, f"{place}{node.name}", is_method)
        if isinstance(node, ast.ClassDef) and not is_method:
            owner = f"{place}{node.name}."
            yield from public(node.body, owner, is_method=True)


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


def gaps(function):
    """What a docstring leaves out, a line each."""
    doc = function.doc
    if not doc:
        return ["no docstring"]
    called_by_typer = re.search(r"\.(command|callback)", function.decorators)
    if isinstance(function.node, ast.ClassDef) or called_by_typer:
        return []
    if AS_ANOTHER.search(doc):
        return []
    found, arguments = [], function.arguments
    unnamed = [a for a in arguments if not re.search(rf"\b{a}: ", doc)]
    if unnamed and (len(arguments) > 1 or "Args:" in doc):
        found.append(f"arguments not described: {', '.join(unnamed)}")
    types = f"{function.returns} {' '.join(arguments.values())}"
    if ARRAY.search(BY_NAME.sub("", types)) and not SHAPE.search(doc):
        found.append("no shape")
    is_tuple = re.match(r"tuple\[(?!.*\.\.\.)", function.returns)
    is_property = "property" in function.decorators
    if is_tuple and not is_property and "Returns:" not in doc:
        found.append("a tuple that is not described")
    silent = [error for error in raised(function.node) if error not in doc]
    if silent:
        found.append(f"errors not named: {', '.join(sorted(silent))}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_public_names_say_what_they_are(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [] if ast.get_docstring(tree) else [f"{path}: no docstring"]
    for one in public(tree.body, f"{path.stem}:"):
        found += [f"{one.place}: {gap}" for gap in gaps(one)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "gap"),
    [
        ("def a(): pass", "no docstring"),
        ('def a(b, c):\n  """D.\n\n  Args:\n    b: B.\n  """', "described: c"),
        ('def a(b: np.ndarray):\n  """D."""', "no shape"),
        ('def a() -> tuple[int, int]:\n  """D."""', "a tuple"),
        ('def a():\n  """D."""\n  if 1:\n    raise OSError("x")', "OSError"),
        ("class A:\n  def b(self): pass", "no docstring"),
    ],
)
def test_what_is_left_out_is_seen(code, gap):
    *_, last = public(ast.parse(code).body, "a:")
    assert gap in "; ".join(gaps(last))
