"""The page that reads a set in PyTorch and in JAX, where they are installed."""

import pytest
from pages import ROOT, blocks_of
from toy_tfds import prepare_set, write_tree

PAGE = ROOT / "docs" / "reading-the-data.md"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with what the page calls `arrays`."""
    pytest.importorskip("array_record")
    folder = tmp_path_factory.mktemp("page")
    tree = write_tree(folder)
    prepare_set(tree, folder / "arrays", file_format="array_record")
    return folder


@pytest.fixture
def run(home, monkeypatch):
    """Runs the block of the page that imports a package."""

    def run(package):
        pytest.importorskip(package)
        marked = [block for block in blocks_of(PAGE) if block.marked]
        (block,) = (b for b in marked if f"import {package}\n" in b.text)
        monkeypatch.chdir(home)
        names = {}
        exec(compile(block.text, block.place, "exec"), names)
        return names

    return run


def test_every_block_that_is_not_run_there_is_run_here():
    torch, grain = (b.text for b in blocks_of(PAGE) if b.marked)
    assert "import torch\n" in torch
    assert "import grain\n" in grain


def test_pytorch(run, capsys):
    names = run("torch")
    assert names["images"].shape == (8, 1, 64, 64)
    assert -1 == names["images"].min() < names["images"].max() <= 1
    assert set(names["stages"].tolist()) <= {0, 1, 2}
    assert capsys.readouterr().out.count("torch.Size([8, 1, 64, 64])") == 9


def test_grain(run, capsys):
    names = run("grain")
    image = names["batch"]["image"]
    assert image.shape == (8, 64, 64, 1)
    assert image.dtype == "float32"
    assert -1 == image.min() < image.max() <= 1
    assert capsys.readouterr().out.count("(8, 64, 64, 1)") == 9
