"""Work spread over processes: in order, in bounded memory, stopped cleanly.

Each process has its own pipe, so that a kill is noticed at once, even in the
middle of an answer. The processes of `concurrent.futures` share one pipe, and
the parent then waits forever for the rest of the answer.
"""

import collections
import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from multiprocessing import (
    current_process,
    get_context,
    parent_process,
    resource_tracker,
)
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
    memory nor TensorFlow's locks with the parent. They end with it, whatever
    they are doing.

    Args:
        jobs: Number of processes, no more than tasks; where `None` one for
            each core that this process may use, and fewer for a few tasks.
            With 1 the caller's process does the work, as it does where it is
            a process of `multiprocessing` that may not start others.

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
        self._reset()

    def _reset(self) -> None:
        self._workers: list[_Worker] = []
        self._free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._threads: futures.ThreadPoolExecutor | None = None
        # Its exception is that of the first process that died.
        self._death: futures.Future = futures.Future()

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
            ChildProcessError: If a process could not be started, or died; at
                once, whatever the others are doing.
            RuntimeError: If a result or an exception cannot be brought here.
        """
        cores = os.cpu_count() or 1
        if hasattr(os, "sched_getaffinity"):
            cores = len(os.sched_getaffinity(0))
        jobs = self._jobs or min(cores, 1 + len(tasks) // _TASKS_PER_PROCESS)
        jobs = min(jobs, len(tasks))
        if not self._threads:
            if jobs <= 1 or current_process().daemon:
                yield from map(function, tasks)
                return
            self._start(jobs)
        waiting: collections.deque[futures.Future] = collections.deque()
        for task in tasks:
            waiting.append(self._threads.submit(self._run, function, task))
            if len(waiting) > _PREFETCH * len(self._workers):
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def close(self) -> None:
        """Stops the processes; waiting tasks are dropped."""
        # all of them before the first is waited for
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.join()
        if self._threads:
            self._threads.shutdown(cancel_futures=True)
        self._reset()

    def _start(self, jobs: int) -> None:
        """Starts the processes, and a thread that waits for each."""
        self._threads = futures.ThreadPoolExecutor(jobs)
        try:
            with _sigint_blocked(), _main_hidden():
                for _ in range(jobs):
                    self._workers.append(_Worker())
                    self._free.put(self._workers[-1])
        except OSError as error:
            raise ChildProcessError(
                f"expected to start {jobs} processes, found "
                f"{error.strerror or error} after {len(self._workers)}; run "
                "it again with fewer --jobs"
            ) from None

    def _run(self, function: Callable, task: object) -> object:
        """Runs the function in a free process."""
        worker = self._free.get()
        try:
            return worker.run(function, task)
        except ChildProcessError as death:
            with contextlib.suppress(futures.InvalidStateError):
                self._death.set_exception(death)
            raise
        finally:
            self._free.put(worker)

    def _result(self, wanted: futures.Future) -> object:
        """Waits for a result, and no longer than all processes live."""
        futures.wait([wanted, self._death], None, futures.FIRST_COMPLETED)
        return (self._death if self._death.done() else wanted).result()


class _Worker:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self._pipe, its_end = context.Pipe()
        # Only when we hold no copy of its end does its death close the pipe.
        with its_end:
            self._process = context.Process(
                target=_serve, args=(its_end,), daemon=True
            )
            self._process.start()

    def run(self, function: Callable, task: object) -> object:
        """Runs a function there; raises what it raises."""
        message = _dumps((function, task))
        try:
            self._pipe.send_bytes(message)
            answer = self._pipe.recv_bytes()
        except (EOFError, OSError):
            raise _dead("was killed, perhaps for lack of memory") from None
        succeeded, result = pickle.loads(answer)
        if succeeded:
            return result
        raise result

    def kill(self) -> None:
        """Kills the process, which has nothing to lose."""
        self._process.kill()

    def join(self) -> None:
        """Waits until it has ended, so that no trace of it stays."""
        self._process.join()


def _serve(pipe: Connection) -> None:
    """Runs tasks until the parent is gone."""
    # For systems where `_sigint_blocked` cannot block the signal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _end_with_parent() -> None:
    """Ends this process in the middle of a task when the parent is gone.

    Else it would go on to write into a folder that is another's by now.
    """
    parent_process().join()
    os._exit(1)


def _answer(message: bytes) -> bytes:
    """Runs a task; whatever comes of it, there is an answer."""
    try:
        function, task = pickle.loads(message)
    except Exception as error:
        return _dumps((False, _dead(f"could not start ({_text(error)})")))
    try:
        return _dumps((True, function(task)))
    except MemoryError:
        error = _dead("had too little memory")
    except Exception as raised:
        error = raised
    try:
        pickle.loads(_dumps(error))
    except Exception:  # as for those whose arguments are not their own
        error = RuntimeError(_text(error))
    return _dumps((False, error))


def _dead(found: str) -> ChildProcessError:
    """Returns the error of a process that is of no use any more."""
    return ChildProcessError(
        f"expected every process to finish, found one that {found}; nothing "
        "was kept; run it again with fewer --jobs"
    )


def _text(error: Exception) -> str:
    """Returns an exception as one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _dumps(message: object) -> bytes:
    """Pickles what goes through a pipe."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


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
    start itself again and again. Its arguments stay here, too: more than a
    pipe holds would wait forever for a process that dies before it reads.
    """
    main, arguments = sys.modules["__main__"], sys.argv
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = arguments[:1]
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv = main, arguments
