import sys
import types

import pytest

from pet_dcgan.utils import progress as module
from pet_dcgan.utils.progress import (
    Clock,
    in_notebook,
    progress,
    say,
    shows_bars,
    status,
)


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
            advance.note = "<b>"
    # the second step came too soon after the first
    assert notebook == [
        '&lt;scans&gt; <progress value="1" max="3"></progress> 1/3  0:00',
        '&lt;scans&gt; <progress value="3" max="3"></progress> 3/3  0:00  '
        "&lt;b&gt;",
    ]
    assert capsys.readouterr() == ("", "")


def test_ordinary_lines_are_not_red_in_a_notebook(notebook, capsys):
    """Notebooks show stderr on red."""
    status("3 subjects of AD")
    assert capsys.readouterr() == ("pet-dcgan: 3 subjects of AD\n", "")


def test_elsewhere_it_goes_to_stderr(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()
    with progress("scans") as advance:
        advance(3, 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "3/3  0:00" in err
    status("3 subjects of AD")
    assert capsys.readouterr() == ("", "pet-dcgan: 3 subjects of AD\n")


@pytest.mark.parametrize(
    ("name", "module", "expected"),
    [
        ("TerminalInteractiveShell", "IPython.terminal", False),
        ("Shell", "google.colab._shell", True),
        ("ZMQInteractiveShell", "ipykernel.zmqshell", True),
    ],
)
def test_other_shells(notebook, name, module, expected):
    shell = type(name, (), {"__module__": module})
    sys.modules["IPython"].get_ipython = shell
    assert in_notebook() is expected


class Inherited(type("ZMQInteractiveShell", (), {})):
    """A shell of an editor, made of that of notebooks."""


def test_a_shell_made_of_another_is_one(notebook):
    sys.modules["IPython"].get_ipython = Inherited
    assert in_notebook()


# --- how long it takes --------------------------------------------------------


@pytest.fixture
def now(monkeypatch):
    now = types.SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(module.time, "monotonic", lambda: now.seconds)
    return now


def test_what_is_left_goes_by_the_pace_since_the_first_step(now):
    clock = Clock()
    assert str(clock) == "0:00"
    now.seconds += 50  # a slow start, which says nothing of the pace
    clock(1, 5)
    assert str(clock) == "0:50"
    now.seconds += 10
    clock(2, 5)
    assert str(clock) == "1:00, 0:30 left"
    now.seconds += 4  # while the next step is under way
    assert str(clock) == "1:04, 0:26 left"
    now.seconds += 3600
    assert str(clock) == "1:01:04, 0:00 left"
    clock(5, 5)
    assert str(clock) == "1:01:04"


def test_a_repeated_step_is_no_division_by_zero(now):
    clock = Clock()
    clock(1, 2)
    clock(1, 2)
    assert clock.left() is None


@pytest.mark.parametrize("terminals", [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_bars_are_for_those_who_look(monkeypatch, terminals):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    for name, terminal in zip(("stdout", "stderr"), terminals, strict=True):
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda t=terminal: t)
    assert bool(shows_bars()) is all(terminals)


def test_a_line_that_cannot_be_printed_ends_nothing():
    class Full:
        def write(self, text):
            raise OSError

    say("a line", Full())
