"""Work spread over processes: in order, in bounded memory, stopped cleanly.

Each process has its own pipe, so that a kill is noticed at once, even in the
middle of an answer. The processes of `concurrent.futures` share one pipe, and
the parent then waits forever for the rest of the answer.
"""

import collections
import contextlib
import os
import queue
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

# Starting a process takes as long as about ten scans.
_TASKS_PER_PROCESS = 16
# Tasks submitted but not collected, per process: enough that none idles while
# results are written, few enough that results do not pile up.
_PREFETCH = 3


class Pool:
    """Processes that run a function on tasks.

    They are spawned at the first task, not forked, so that they share neither
    memory nor TensorFlow's locks with the parent.

    Args:
        jobs: Number of processes; where `None` one for each core that this
            process may use, and fewer for a few tasks. With 1 the caller's
            process does the work.

    Raises:
        ValueError: If `jobs` is below 1.
    """

    def __init__(self, jobs: int | None = None) -> None:
        if jobs is not None and jobs < 1:
            raise ValueError(
                f"expected at least 1 for jobs, found {jobs}; leave it out for "
                "one process per core"
            )
        self._jobs = jobs
        self._workers: list[_Worker] = []
        self._free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._threads: futures.ThreadPoolExecutor | None = None

    def map(
        self, function: Callable[[_Task], _Result], tasks: Sequence[_Task]
    ) -> Iterator[_Result]:
        """Runs a function on tasks.

        Args:
            function: One that can be imported by its name.
            tasks: Its argument in each call.

        Yields:
            Results in the order of the tasks.

        Raises:
            ChildProcessError: If a process was killed.
        """
        cores = os.cpu_count() or 1
        if hasattr(os, "sched_getaffinity"):
            cores = len(os.sched_getaffinity(0))
        jobs = self._jobs or min(cores, 1 + len(tasks) // _TASKS_PER_PROCESS)
        if jobs == 1:
            yield from map(function, tasks)
            return
        if not self._threads:
            # A thread for each process waits for its answers.
            self._threads = futures.ThreadPoolExecutor(jobs)
            with _sigint_blocked(), _main_hidden():
                for _ in range(jobs):
                    self._workers.append(_Worker())
                    self._free.put(self._workers[-1])
        waiting: collections.deque[futures.Future] = collections.deque()
        for task in tasks:
            waiting.append(self._threads.submit(self._run, function, task))
            if len(waiting) > _PREFETCH * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def close(self) -> None:
        """Stops the processes; waiting tasks are dropped."""
        for worker in self._workers:
            worker.stop()
        if self._threads:
            self._threads.shutdown(cancel_futures=True)
        self._workers, self._threads = [], None
        self._free = queue.SimpleQueue()

    def _run(self, function: Callable, task: object) -> object:
        """Runs the function in a free process."""
        worker = self._free.get()
        try:
            return worker.run(function, task)
        finally:
            self._free.put(worker)


class _Worker:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self._pipe, its_end = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(its_end,), daemon=True
        )
        self._process.start()
        # Only when we hold no copy of its end does its death close the pipe.
        its_end.close()

    def run(self, function: Callable, task: object) -> object:
        """Runs a function there; raises what it raises."""
        try:
            self._pipe.send((function, task))
            succeeded, result = self._pipe.recv()
        except (EOFError, OSError):
            raise ChildProcessError(
                "expected every process to finish, found one that was killed, "
                "perhaps for lack of memory; nothing was kept; run it again "
                "with fewer --jobs"
            ) from None
        if succeeded:
            return result
        raise result

    def stop(self) -> None:
        """Ends the process, which has nothing to lose."""
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection) -> None:
    """Runs tasks until the parent is gone."""
    # For systems where `_sigint_blocked` cannot block the signal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while True:
            function, task = pipe.recv()
            try:
                answer = (True, function(task))
            except Exception as error:
                answer = (False, error)
            pipe.send(answer)


@contextlib.contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Starts processes that ignore Ctrl-C, which the parent handles.

    The parent is interrupted only after the block: within, it would leave a
    process without the data that it needs to start.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The first process would start this one, which unblocks the signal.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _sigint_delayed():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _sigint_delayed() -> Iterator[None]:
    """Delays a Ctrl-C that another thread of this process received."""
    handler = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not callable(handler) or not is_main:
        yield
        return
    received = []
    signal.signal(signal.SIGINT, lambda *given: received.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received:
            handler(*received[0])


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Keeps spawned processes from importing the caller's script.

    A script that calls `prepare` without `if __name__ == "__main__"` would
    start itself again and again.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
