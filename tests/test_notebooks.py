"""The notebooks: what they may hold, and that each runs alone."""

import ast
import importlib
import inspect
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
import typer
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient

from pet_dcgan.cli.main import app

ROOT = Path(__file__).parents[1]
PICTURES = {
    "01_prepare_adni": 4,
    "02_train_with_fit": 5,
    "03_judge": 6,
    "04_does_it_help": 3,
    "05_serve_and_generate": 3,
    "06_one_generator": 6,
    "07_volumes": 3,
}
NAMES = tuple(PICTURES)
# a notebook calls; a definition belongs into a module, and tests of it too
CALLING = (
    *(ast.Import, ast.ImportFrom, ast.Assign, ast.AugAssign, ast.Expr),
    *(ast.If, ast.For, ast.With),
)
IMPORTS = (ast.Import, ast.ImportFrom)
OF_A_MACHINE = re.compile(
    r"(?<![\w.>/-])/(home|root|tmp|work|Users|content|mnt)\b|~/|\b[A-Z]:\\\\"
)
EPOCHS = re.compile(r'("epochs": \d+|epochs=\d+)0\b')
LINK = re.compile(r"\]\(([^)]+)\)")
BADGE = re.compile(
    r"https://colab\.research\.google\.com/github/([\w./-]+)\.ipynb"
)


def opened(name):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def sources(name, kind):
    return [c.source for c in opened(name).cells if c.cell_type == kind]


def python(source):
    """A cell's syntax tree, its magics turned into calls."""
    return ast.parse(TransformerManager().transform_cell(source))


def trees(name):
    return [python(source) for source in sources(name, "code")]


def nodes(trees, kind):
    return [n for tree in trees for n in ast.walk(tree) if isinstance(n, kind)]


def is_a_loss(node):
    """The one kind of definition: a loss of one's own, of ten lines or so."""
    return (
        isinstance(node, ast.ClassDef)
        and [ast.unparse(base) for base in node.bases] == ["AdversarialLoss"]
        and node.end_lineno - node.lineno < 10
    )


def calls(name, function):
    """Each call of a function, as text."""
    found = nodes(trees(name), ast.Call)
    return [ast.unparse(n) for n in found if ast.unparse(n.func) == function]


def test_there_are_seven():
    found = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert found == list(NAMES)
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "/notebooks/output/" in ignored


@pytest.mark.parametrize("name", NAMES)
class TestStored:
    def test_whole_and_without_outputs(self, name):
        notebook = opened(name)
        nbformat.validate(notebook)
        assert set(notebook.metadata) == {"kernelspec", "language_info"}
        assert notebook.metadata.kernelspec.name == "python3"
        for cell in notebook.cells:
            assert not cell.get("outputs")
            assert not cell.metadata
            assert cell.get("execution_count") is None
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)

    def test_imports_and_calls_only(self, name):
        _, imports, *others = whole = trees(name)
        assert all(isinstance(node, IMPORTS) for node in imports.body)
        assert not nodes(others, IMPORTS)
        losses = [n for tree in others for n in tree.body if is_a_loss(n)]
        assert len(losses) == (name == "02_train_with_fit")
        for tree in whole:
            body = [node for node in tree.body if node not in losses]
            assert all(isinstance(node, CALLING) for node in body)
        methods = nodes(losses, ast.FunctionDef)
        assert nodes(whole, ast.FunctionDef) == methods
        assert not nodes(whole, ast.Lambda)

    def test_imports_are_used_and_calls_fit_the_signatures(self, name):
        _, imports, *others = trees(name)
        used = {node.id for node in nodes(others, ast.Name)}
        functions = {}
        for node in imports.body:
            for each in node.names:
                bound = (each.asname or each.name).partition(".")[0]
                assert bound in used
                if isinstance(node, ast.Import):
                    importlib.import_module(each.name)
                else:
                    module = importlib.import_module(node.module)
                    functions[each.name] = getattr(module, each.name)
        seen = 0
        for node in nodes(others, ast.Call):
            called = functions.get(ast.unparse(node.func))
            if called is None:
                continue
            starred = any(isinstance(each, ast.Starred) for each in node.args)
            count = 0 if starred else len(node.args)
            given = {k.arg: None for k in node.keywords if k.arg}
            inspect.signature(called).bind_partial(*[None] * count, **given)
            seen += 1
        assert seen > 5

    def test_no_place_of_a_machine_and_no_pickle(self, name):
        for source in sources(name, "code") + sources(name, "markdown"):
            assert "pickle" not in source
            assert not OF_A_MACHINE.search(source)
        for node in nodes(trees(name), ast.Constant):
            assert not str(node.value).startswith("/")

    def test_says_phantom_first_and_under_each_new_heading_what_to_see(
        self, name
    ):
        first, *others = sources(name, "markdown")
        assert "**Everything here is a phantom**" in first
        assert sum("*What to see" in text for text in others) >= 3

    def test_its_links_lead_somewhere(self, name):
        for text in sources(name, "markdown"):
            for link in LINK.findall(text):
                if "://" not in link:
                    path = ROOT / "notebooks" / link.partition("#")[0]
                    assert path.exists(), link

    def test_its_commands_are_ones(self, name):
        program = typer.main.get_command(app)
        found = [
            shlex.split(line)[1:]
            for text in sources(name, "markdown")
            for line in text.splitlines()
            if line.startswith("pet-dcgan ")
        ]
        assert found
        for command, *words in found:
            program.commands[command].make_context(command, words)

    def test_its_address_is_that_of_the_repository(self, name):
        cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
        address = re.search(r"^repository-code: (\S+)$", cited, re.M)[1]
        install = sources(name, "code")[0]
        assert f'REPOSITORY = "{address}"\n' in install
        place = BADGE.search(sources(name, "markdown")[0])[1]
        owner = address.removeprefix("https://github.com/")
        assert place == f"{owner}/blob/main/notebooks/{name}"


def test_all_begin_with_the_same_installation():
    first, *others = [sources(name, "code")[0] for name in NAMES]
    assert all(source == first for source in others)
    assert 'find_spec("pet_dcgan")' in first
    assert "%pip install" in first
    for package in ("pet-dcgan", "tensorflow", "keras"):
        assert f'"{package}"' in first


def test_all_make_and_find_the_same_data():
    # the last one takes volumes
    made = [sources(name, "code")[2] for name in NAMES[1:-1]]
    assert len(set(made)) == 1
    of_first = calls(NAMES[0], "write_phantom")[0]
    of_others = calls(NAMES[1], "write_phantom")[0]
    assert of_first.partition(", ")[2] == of_others.partition(", ")[2]
    subjects = re.compile(r"subjects = \{[^}]*\}")
    made = [sources(name, "code")[2] for name in NAMES]
    assert len({subjects.search(source)[0] for source in made}) == 1
    assert "config='axial_64'" in calls(NAMES[0], "prepare")[0]
    assert 'OUTPUT = Path("output")' in sources(NAMES[0], "code")[2]


def test_all_make_and_find_the_same_run():
    cells = {
        name: source
        for name in NAMES
        for source in sources(name, "code")
        if " train(config, path" in source
    }
    assert list(cells) == [NAMES[1], NAMES[2], NAMES[4]]
    assert len(set(cells.values())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_runs_alone_from_top_to_bottom(name, tmp_path, monkeypatch):
    # where TensorBoard is, and where it notes which of its servers run
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    programs = [str(Path(sys.executable).parent), os.environ["PATH"]]
    monkeypatch.setenv("PATH", os.pathsep.join(programs))
    shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", tmp_path)
    done = executed(tmp_path / f"{name}.ipynb")
    outputs = [o for c in done.cells for o in c.get("outputs", ())]
    shown = [o.get("data", {}) for o in outputs]
    words = [
        o.get("text", d.get("text/plain", ""))
        for o, d in zip(outputs, shown, strict=True)
    ]
    for text in words:
        assert not re.search("Traceback|Warning|^ERROR", text), text
    # notebooks show it in red, as if something were wrong
    assert [o.text for o in outputs if o.get("name") == "stderr"] == []
    assert sum("image/png" in data for data in shown) == PICTURES[name]
    assert (tmp_path / "output").is_dir()
    assert not list((tmp_path / "tmp" / ".tensorboard-info").glob("pid-*"))


def executed(path):
    """A notebook after all of its cells have run, in its own folder.

    Trainings have a tenth of their epochs; `make notebooks` runs all.
    """
    place = {"metadata": {"path": str(path.parent)}}
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = EPOCHS.sub(r"\1", cell.source)
    client = NotebookClient(notebook, timeout=1800, resources=place)
    return client.execute()
