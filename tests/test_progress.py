import sys
import types

import pytest

from pet_dcgan.utils.progress import in_notebook, progress


class Handle:
    def __init__(self, shown):
        self.shown = shown

    def update(self, html):
        self.shown.append(html)


@pytest.fixture
def notebook(monkeypatch):
    """IPython as a notebook has it; gives what was displayed."""
    shown = []

    class ZMQInteractiveShell:
        pass

    def display(html, display_id):
        assert display_id
        shown.append(html)
        return Handle(shown)

    package = types.ModuleType("IPython")
    package.get_ipython = ZMQInteractiveShell
    package.display = types.ModuleType("IPython.display")
    package.display.HTML = str
    package.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", package.display)
    return shown


def test_a_notebook_gets_one_bar_that_changes(notebook, capsys):
    assert in_notebook()
    with progress("<scans>") as advance:
        assert notebook == []
        for done in (1, 2, 3):
            advance(done, 3)
    # the second step came too soon after the first to be drawn
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


def test_a_terminal_of_ipython_is_no_notebook(notebook):
    class TerminalInteractiveShell:
        pass

    sys.modules["IPython"].get_ipython = TerminalInteractiveShell
    assert not in_notebook()


def test_colab_is_a_notebook(notebook):
    shell = type("Shell", (), {"__module__": "google.colab._shell"})
    sys.modules["IPython"].get_ipython = shell
    assert in_notebook()
