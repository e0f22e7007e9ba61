"""Status lines and progress bars, for terminals, notebooks and logs."""

import contextlib
import html
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.text import Text

Advance = Callable[[float, int], None]
_SECONDS = 0.2  # between two updates of a notebook's bar
_BESIDE = 70  # columns of a terminal that a bar leaves to its numbers
_BAR = (10, 40)  # columns that it has at least and at most


def status(line: str) -> None:
    """Prints one line, in the form that errors have.

    It goes to stderr, but in a notebook to the output: notebooks show stderr
    in red, as if something had gone wrong.

    Args:
        line: A warning, or what was decided.
    """
    say(f"pet-dcgan: {line}", sys.stdout if in_notebook() else sys.stderr)


def say(line: str, stream: Any = None) -> None:
    """Prints a line about work under way, which must not end the work.

    Args:
        line: The line.
        stream: Standard output if `None`.
    """
    # RuntimeError: a signal came while another line was being printed
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        print(line, file=stream, flush=True)


class Clock:
    """How long something has taken, and will take at the same pace."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._first: tuple[float, float] | None = None
        self._last = (self._began, 0.0, 0)

    def __call__(self, done: float, total: int) -> None:
        """Notes a step; the pace is that since the first one noted.

        Args:
            done: What is completed.
            total: What there is to do.
        """
        now = time.monotonic()
        self._first = self._first or (now, done)
        self._last = now, done, total

    def left(self) -> float | None:
        """Seconds that are left, `None` before the second step."""
        then, done, total = self._last
        begun, before = self._first or (then, done)
        if done <= before:
            return None
        seconds = (then - begun) * (total - done) / (done - before)
        # it goes on while a step takes its time
        return max(seconds - (time.monotonic() - then), 0.0)

    def __str__(self) -> str:
        """As `1:05, 0:12 left`."""
        passed = _minutes(time.monotonic() - self._began)
        left = self.left()
        _, done, total = self._last
        if left is None or done >= total:
            return passed
        return f"{passed}, {_minutes(left)} left"


def _minutes(seconds: float) -> str:
    """A time as `1:05`, or `2:01:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    )


@contextlib.contextmanager
def progress(label: str) -> Iterator["Bar"]:
    """Shows a bar with the time that is left, from the first step on.

    In a notebook it is plain HTML below the cell, which unlike Rich's and
    tqdm's needs no widgets and no script; elsewhere it goes to stderr, and
    where that is no terminal, one line at the end.

    Args:
        label: Text before the bar.

    Yields:
        `advance(done, total)`, to be called after each step; its `note` is
        shown behind the bar.

    Example:

    >>> with progress("volumes") as advance:  # doctest: +SKIP
    ...     for number in range(3):
    ...         advance(number + 1, 3)
    """
    bar = _NotebookBar(label) if in_notebook() else _TerminalBar(label)
    try:
        yield bar
    finally:
        bar.close()


def shows_bars() -> bool:
    """Whether somebody looks on, in a notebook or at a terminal."""
    return in_notebook() or (sys.stdout.isatty() and sys.stderr.isatty())


def in_notebook() -> bool:
    """Whether this runs in a notebook of Jupyter or Colab."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    return any(
        kind.__name__ == "ZMQInteractiveShell"
        or kind.__module__.startswith("google.colab")
        for kind in type(shell).__mro__
    )


class Bar:
    """A bar that is called after each step.

    Args:
        label: Text before the bar.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self.note = ""
        self.clock = Clock()

    def begin(self, done: float, total: int) -> None:
        """Shows the bar before the first step, which may take long.

        Args:
            done: What was completed by an earlier process.
            total: What there is to do.
        """
        self._show(done, total)

    def __call__(self, done: float, total: int) -> None:
        """Shows how much is done.

        Args:
            done: What is completed; a step may be completed in part.
            total: What there is to do.
        """
        self.clock(done, total)
        self._show(done, total)

    def _show(self, done: float, total: int) -> None:
        """Draws the bar."""
        raise NotImplementedError

    def close(self) -> None:
        """Leaves the bar as it is."""


class _TerminalBar(Bar):
    """A line of a terminal; what is printed meanwhile appears above it."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        console = Console(stderr=True)
        least, most = _BAR
        width = min(max(console.width - _BESIDE, least), most)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(width),
            _Numbers(self),
            console=console,
            # into a file it would be lost
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self._bar.add_task(label, total=None)

    def _show(self, done: float, total: int) -> None:
        self._bar.start()
        self._bar.update(self._task, completed=done, total=total)

    def close(self) -> None:
        """Leaves the bar as it is."""
        self._bar.stop()


class _Numbers(ProgressColumn):
    """What stands behind a bar: steps, times and the note."""

    def __init__(self, bar: Bar) -> None:
        super().__init__()
        self._bar = bar

    def render(self, task: Task) -> Text:
        """As `12/50  1:05, 3:20 left  g_loss 0.7`."""
        steps = f"{int(task.completed)}/{task.total or '?'}"
        parts = (steps, str(self._bar.clock), self._bar.note)
        return Text("  ".join(filter(None, parts)), no_wrap=True)


class _NotebookBar(Bar):
    """A bar that replaces itself below the cell."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self._handle: Any = None
        self._drawn = 0.0

    def _show(self, done: float, total: int) -> None:
        from IPython.display import HTML, display

        now = time.monotonic()
        if self._handle and done < total and now - self._drawn < _SECONDS:
            return
        self._drawn = now
        parts = f"{int(done)}/{total}", str(self.clock), self.note
        shown = HTML(
            f'{html.escape(self.label)} <progress value="{done:g}" '
            f'max="{total}"></progress> '
            + html.escape("  ".join(filter(None, parts)))
        )
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)
