"""The pool of processes: order, bounds, errors, kills and Ctrl-C."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types

import pytest

from tfds_adni.parallel import pool as pool_module
from tfds_adni.parallel.pool import Pool, _dumps, _serve, _sigint_blocked


def square(number):
    return number * number


def slow_first(number):
    time.sleep(0.3 if number == 0 else 0)
    return number


def process_and_modules(_):
    return os.getpid(), sorted(m for m in sys.modules if "." not in m)


def die_answering(number):
    """Is killed when a part of its large answer is in the pipe."""
    if number == 3:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return bytes(2**28)
    return number


def complain(number):
    raise ValueError(f"no {number}")


@pytest.fixture(scope="module")
def two():
    pool = Pool(2)
    yield pool
    pool.close()


def test_results_in_order_and_errors_reach_the_caller(two):
    assert list(two.map(slow_first, range(9))) == list(range(9))
    with pytest.raises(ValueError, match="no 0"):
        list(two.map(complain, [0]))


@pytest.mark.parametrize(("jobs", "tasks"), [(1, 20), (None, 3)])
def test_one_job_and_few_tasks_are_done_by_this_process(jobs, tasks):
    process, _ = next(Pool(jobs).map(process_and_modules, range(tasks)))
    assert process == os.getpid()


def test_processes_hold_nothing_of_the_parent_and_serve_again(two):
    import tensorflow  # noqa: F401

    found = [*two.map(process_and_modules, range(20))]
    found += two.map(process_and_modules, range(20))
    processes = {process for process, _ in found}
    assert len(processes) <= 2
    assert os.getpid() not in processes
    assert not {"tensorflow", "pandas"} & set(found[0][1])


def test_tasks_are_submitted_as_results_are_collected(two):
    submitted = []

    class Tasks(list):
        def __iter__(self):
            for task in range(100):
                submitted.append(task)
                yield task

    results = two.map(square, Tasks(range(100)))
    assert next(results) == 0
    assert len(submitted) < 10
    assert list(results) == [n * n for n in range(1, 100)]


def test_a_process_killed_in_the_middle_of_an_answer_is_one_line():
    pool = Pool(2)
    try:
        with pytest.raises(ChildProcessError, match="was killed") as error:
            list(pool.map(die_answering, range(20)))
        assert "\n" not in str(error.value)
    finally:
        pool.close()


# a hang ends a test by this many seconds, a busy machine does not
SOON = 40

DEATHS = {
    "killed": "os.kill(os.getpid(), 9)",
    "exits": "os._exit(0)",
    "raises": "raise SystemExit('at its start')",
    "out of memory": "sys.meta_path.insert(0, NoMemory())",
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_process_that_dies_while_it_starts_is_one_line(
    death, tmp_path, monkeypatch
):
    """Not even a command line that overflows the pipe to it blocks."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nclass NoMemory:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'test_parallel': raise MemoryError\n"
        f"if '--multiprocessing-fork' in sys.argv: {DEATHS[death]}\n"
    )
    places = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(places))
    monkeypatch.setattr(sys, "argv", [sys.argv[0], "x" * 2**20])
    before, others = time.monotonic(), set(multiprocessing.active_children())
    with (
        contextlib.closing(Pool(2)) as pool,
        pytest.raises(ChildProcessError, match="every process") as error,
    ):
        list(pool.map(square, range(20)))
    assert "\n" not in str(error.value)
    assert time.monotonic() - before < SOON
    assert set(multiprocessing.active_children()) <= others


def sleep_or_die(seconds):
    if not seconds:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(seconds)


@pytest.mark.parametrize("last", [0, 60])
def test_a_death_is_noticed_while_others_work(last):
    """Results are in order, and this one is not the next."""
    before = time.monotonic()
    with (
        contextlib.closing(Pool(3)) as pool,
        pytest.raises(ChildProcessError, match="was killed"),
    ):
        list(pool.map(sleep_or_die, [60, 0, last]))
    assert time.monotonic() - before < SOON


class OddError(Exception):
    """Its arguments are not those that it is made of."""

    def __init__(self, one, two):
        super().__init__(f"{one}\n{two}")


def answer_oddly(kind):
    if kind == "error":
        raise OddError("a", "b")
    if kind == "error with a lock":
        raise ValueError(threading.Lock())
    if kind == "memory":
        raise MemoryError
    return threading.Lock()


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("error", RuntimeError, "^OddError: a b$"),
        ("error with a lock", RuntimeError, "^ValueError: <unlocked"),
        ("memory", ChildProcessError, "one that had too little memory"),
        ("result", TypeError, "cannot pickle"),
    ],
)
def test_answers_that_cannot_be_sent_are_errors(two, kind, error, words):
    with (
        contextlib.closing(Pool(2)) as pool,
        pytest.raises(error, match=words) as caught,
    ):
        list(pool.map(answer_oddly, [kind] * 2))
    assert type(caught.value) is error
    with pytest.raises(TypeError, match="cannot pickle"):
        list(two.map(square, [threading.Lock()] * 2))


def test_no_more_processes_than_tasks():
    others = set(multiprocessing.active_children())
    with contextlib.closing(Pool(500)) as pool:
        assert list(pool.map(square, [1, 2])) == [1, 4]
        assert len(set(multiprocessing.active_children()) - others) == 2


def test_processes_that_cannot_be_started_are_one_line(monkeypatch):
    def fail(*given):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.util, "spawnv_passfds", fail)
    with (
        contextlib.closing(Pool(2)) as pool,
        pytest.raises(ChildProcessError, match="start 2 processes, found Res"),
    ):
        list(pool.map(square, [1, 2]))


def test_another_thread_may_start_them():
    with contextlib.closing(Pool(2)) as pool:
        found = []
        thread = threading.Thread(
            target=lambda: found.extend(pool.map(square, range(5)))
        )
        thread.start()
        thread.join(SOON)
    assert found == [0, 1, 4, 9, 16]


def test_closing_does_not_wait_for_what_is_under_way():
    pool = Pool(2)
    results = pool.map(time.sleep, [0, 60, 60, 60])
    next(results)
    before = time.monotonic()
    pool.close()
    assert time.monotonic() - before < SOON


def test_no_jobs():
    with pytest.raises(ValueError, match="at least 1 for jobs, found 0"):
        Pool(0)


def test_what_a_process_does(monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    tasks, answers = [(square, 3), (complain, 5), (square, 4)], []

    def receive():
        if not tasks:
            raise EOFError  # the parent is gone
        return _dumps(tasks.pop(0))

    monkeypatch.setattr(pool_module, "_end_with_parent", lambda: None)
    pipe = types.SimpleNamespace(
        recv_bytes=receive,
        send_bytes=lambda answer: answers.append(pickle.loads(answer)),
    )
    try:
        _serve(pipe)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert answers[::2] == [(True, 9), (True, 16)]
    assert (answers[1][0], str(answers[1][1])) == (False, "no 5")


@pytest.mark.skipif(
    not hasattr(signal, "pthread_kill"), reason="needs signals of threads"
)
def test_ctrl_c_waits_until_the_processes_are_started():
    go, gone = threading.Event(), threading.Event()

    def interrupt():
        go.wait()
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        gone.set()

    before = signal.getsignal(signal.SIGINT)
    threading.Thread(target=interrupt).start()
    reached = []

    def start():
        with _sigint_blocked():
            go.set()
            assert gone.wait(10)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert reached
    assert signal.getsignal(signal.SIGINT) == before
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


# --- in a process of its own --------------------------------------------------

# without a guard: nothing may run the script once more
START = """
    import os, signal, sys, time
    from test_parallel import process_and_modules
    from tfds_adni.parallel.pool import Pool, _sigint_blocked, _Worker

    with _sigint_blocked():
        worker = _Worker()
        worker.kill()
        worker.join()
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    pool = Pool(2)
    children = {p for p, _ in pool.map(process_and_modules, range(9))}
    print(signal.SIGINT in masked, *children, flush=True)
    try:
        list(pool.map(time.sleep, [600] * 2))
    finally:
        pool.close()
"""


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize(
    ("stop", "by"), [(os.kill, signal.SIGKILL), (os.killpg, signal.SIGINT)]
)
def test_processes_end_with_their_parent(tmp_path, stop, by):
    """Ctrl-C in a terminal goes to all, and only the parent reports it."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(START))
    places = [os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]
    parent = subprocess.Popen(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(places)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    masked, *words = parent.stdout.readline().split()
    assert masked == "True"
    children = [int(word) for word in words]
    assert children
    assert all(is_alive(child) for child in children)
    stop(parent.pid, by)
    out, err = parent.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while any(map(is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_alive(child) for child in children)
    assert out == ""
    reports = int(by == signal.SIGINT)
    assert err.count("KeyboardInterrupt") == err.count("Traceback") == reports
