import sys
import types

import pytest

from pet_dcgan.utils.progress import in_notebook, progress, status


@pytest.fixture
def notebook(monkeypatch):
    """IPython as a notebook has it; returns what was displayed."""
    shown = []

    class ZMQInteractiveShell:
        pass

    def display(html, display_id):
        assert display_id
        shown.append(html)
        return types.SimpleNamespace(update=shown.append)

    package = types.ModuleType("IPython")
    package.get_ipython = ZMQInteractiveShell
    package.display = types.ModuleType("IPython.display")
    package.display.HTML = str
    package.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", package.display)
    return shown


def test_a_notebook_shows_one_bar_that_changes(notebook, capsys):
    assert in_notebook()
    with progress("<scans>") as advance:
        assert notebook == []
        for done in (1, 2, 3):
            advance(done, 3)
    # the second step came too soon after the first
    assert [text.split()[-1] for text in notebook] == ["1/3", "3/3"]
    assert notebook[0].startswith("&lt;scans&gt; <progress ")
    assert capsys.readouterr() == ("", "")


def test_elsewhere_it_goes_to_stderr(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()
    with progress("scans") as advance:
        advance(3, 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "3/3" in err
    status("3 subjects of AD")
    assert capsys.readouterr() == ("", "pet-dcgan: 3 subjects of AD\n")


@pytest.mark.parametrize(
    ("name", "module", "expected"),
    [
        ("TerminalInteractiveShell", "IPython.terminal", False),
        ("Shell", "google.colab._shell", True),
    ],
)
def test_other_shells(notebook, name, module, expected):
    shell = type(name, (), {"__module__": module})
    sys.modules["IPython"].get_ipython = shell
    assert in_notebook() is expected
