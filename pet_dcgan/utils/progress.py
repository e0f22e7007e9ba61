"""Status lines and progress bars, for terminals and notebooks."""

import contextlib
import html
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

Advance = Callable[[int, int], None]
_SECONDS = 0.2  # between two updates of a notebook's bar


def status(line: str) -> None:
    """Prints one line on stderr, in the form that errors have.

    Args:
        line: A warning, or what was decided.
    """
    # a line that cannot be printed must not end a training; RuntimeError: a
    # signal came while another one was being printed
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        print(f"pet-dcgan: {line}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(label: str) -> Iterator[Advance]:
    """Shows a bar from the first step on.

    In a notebook it is plain HTML below the cell, which unlike Rich's and
    tqdm's needs no widgets and no script; elsewhere it goes to stderr.

    Args:
        label: Text before the bar.

    Yields:
        `advance(done, total)`, to be called after each step.

    Example:

    >>> with progress("volumes") as advance:  # doctest: +SKIP
    ...     for number in range(3):
    ...         advance(number + 1, 3)
    """
    if in_notebook():
        yield _NotebookBar(label)
        return
    columns = TextColumn(label), BarColumn(), MofNCompleteColumn()
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task(label, total=None)

    def advance(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield advance
    finally:
        bar.stop()


def in_notebook() -> bool:
    """Whether this runs in a notebook of Jupyter or Colab."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module else None
    kind = type(shell)
    return kind.__name__ == "ZMQInteractiveShell" or (
        kind.__module__.startswith("google.colab")
    )


class _NotebookBar:
    """A bar that replaces itself below the cell."""

    def __init__(self, label: str) -> None:
        self._label = html.escape(label)
        self._handle: Any = None
        self._drawn = 0.0

    def __call__(self, done: int, total: int) -> None:
        from IPython.display import HTML, display

        now = time.monotonic()
        if self._handle and done < total and now - self._drawn < _SECONDS:
            return
        self._drawn = now
        shown = HTML(
            f'{self._label} <progress value="{done}" max="{total}">'
            f"</progress> {done}/{total}"
        )
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)
