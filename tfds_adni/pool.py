"""Work spread over processes: in order, in bounded memory, stopped cleanly."""

import collections
import contextlib
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

# Starting a process takes as long as some ten scans.
_WORTH_A_PROCESS = 16
# Tasks given out but not collected, for each process: enough that none waits
# while results are written, few enough that results do not pile up.
_AHEAD = 3


class Pool:
    """Processes that run a function on tasks.

    They are started afresh (spawn), so that they hold nothing of the parent:
    not its memory, not TensorFlow, and a fork would copy TensorFlow's locks.
    They start with the first task.

    Args:
        jobs: Number of processes; where `None` one for each core that this
            process may use, and fewer for a few tasks. With 1 there is none:
            the caller's process works.

    Raises:
        ValueError: If `jobs` is below 1.
    """

    def __init__(self, jobs: int | None = None) -> None:
        if jobs is not None and jobs < 1:
            raise ValueError(
                f"expected at least 1 for jobs, found {jobs}; leave it out for "
                "one process a core"
            )
        self._jobs = jobs
        self._executor: futures.ProcessPoolExecutor | None = None

    def map(
        self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]
    ) -> Iterator[_Result]:
        """Runs a function on tasks.

        Args:
            function: One that can be imported by its name.
            tasks: What it is called with, one after another.

        Yields:
            Its results in the order of the tasks, whatever `jobs` is.

        Raises:
            ChildProcessError: If a process was killed.
        """
        jobs = self._jobs or min(_cores(), 1 + len(tasks) // _WORTH_A_PROCESS)
        if jobs == 1:
            yield from map(function, tasks)
            return
        waiting: collections.deque = collections.deque()
        try:
            for task in tasks:
                waiting.append(self._submit(function, task, jobs))
                if len(waiting) > _AHEAD * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise ChildProcessError(
                "expected every process to finish, found one that was killed, "
                "perhaps for want of memory; nothing was kept; run it again "
                "with fewer --jobs"
            ) from None

    def close(self) -> None:
        """Stops the processes; tasks that wait are dropped."""
        if self._executor:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    def _submit(
        self, function: Callable, task: object, jobs: int
    ) -> futures.Future:
        if self._executor is None:
            self._executor = futures.ProcessPoolExecutor(
                jobs,
                mp_context=get_context("spawn"),
                initializer=_start,
            )
        # Giving out a task may start a process.
        with _deaf_to_ctrl_c(), _main_hidden():
            return self._executor.submit(function, task)


def _cores() -> int:
    """Gives the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Has processes started here never see Ctrl-C, which is for the parent.

    The parent gets it as soon as the block ends.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Has processes started here not run the caller's script once more.

    The functions they run are imported by name; a script that calls `prepare`
    without `if __name__ == "__main__"` would start itself again and again.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _start() -> None:
    """Readies a process."""
    # Where signals cannot be blocked before, they are ignored from here on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends a process whose parent was killed; it would wait for ever."""
    parent_process().join()
    os._exit(1)
