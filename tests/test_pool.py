import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from tfds_adni.parallel import Pool, _serve, _sigint_blocked


def square(number):
    return number * number


def slow_first(number):
    time.sleep(0.3 if number == 0 else 0)
    return number


def process_and_modules(_):
    return os.getpid(), sorted(m for m in sys.modules if "." not in m)


def die_at_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_answering(number):
    """Is killed when a part of its large answer is in the pipe."""
    if number == 3:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
        return bytes(2**28)
    time.sleep(0.05)
    return number


def complain(number):
    raise ValueError(f"no {number}")


@pytest.fixture
def two():
    pool = Pool(2)
    yield pool
    pool.close()


def test_results_come_in_the_order_of_the_tasks(two):
    assert list(two.map(slow_first, range(9))) == list(range(9))


def test_one_job_is_this_process():
    ((process, _),) = Pool(1).map(process_and_modules, [0])
    assert process == os.getpid()


def test_few_tasks_are_not_worth_a_process():
    pool = Pool()
    process, _ = next(pool.map(process_and_modules, range(3)))
    assert process == os.getpid()


def test_processes_hold_nothing_of_the_parent(two):
    import tensorflow  # noqa: F401

    process, modules = next(two.map(process_and_modules, [0]))
    assert process != os.getpid()
    assert "tensorflow" not in modules
    assert "pandas" not in modules


def test_a_process_serves_several_lists_of_tasks(two):
    first = next(two.map(process_and_modules, [0]))[0]
    seen = {p for p, _ in two.map(process_and_modules, range(20))}
    assert first in seen
    assert len(seen) <= 2


def test_tasks_are_given_out_as_results_are_collected(two):
    given = []

    class Tasks(list):
        def __iter__(self):
            for task in range(100):
                given.append(task)
                yield task

    results = two.map(square, Tasks(range(100)))
    assert next(results) == 0
    assert len(given) < 10
    assert list(results) == [n * n for n in range(1, 100)]


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


@pytest.mark.skipif(
    not hasattr(signal, "pthread_sigmask"), reason="needs signal masks"
)
def test_the_first_process_does_not_open_the_ears_again():
    code = """
        import signal
        from tfds_adni.parallel import _sigint_blocked, _Worker
        with _sigint_blocked():
            worker = _Worker()
            print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
        worker.stop()
    """
    words = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_what_a_process_does():
    before = signal.getsignal(signal.SIGINT)
    ours, its = multiprocessing.Pipe()
    for task in (3, 4):
        ours.send((square, task))
    ours.send((complain, 5))
    answers = []
    thread = threading.Thread(
        target=lambda: (
            answers.extend(ours.recv() for _ in range(3)) or ours.close()
        )
    )
    thread.start()
    try:
        _serve(its)  # until the parent is gone
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join()
    assert answers[:2] == [(True, 9), (True, 16)]
    assert (answers[2][0], str(answers[2][1])) == (False, "no 5")


def test_an_error_of_a_task_reaches_the_caller(two):
    with pytest.raises(ValueError, match="no 0"):
        list(two.map(complain, [0]))


def test_a_killed_process_is_one_line(two):
    with pytest.raises(ChildProcessError, match="one that was killed") as error:
        list(two.map(die_at_three, range(20)))
    assert "\n" not in str(error.value)


def test_a_process_killed_in_the_middle_of_an_answer(two):
    with pytest.raises(ChildProcessError, match="one that was killed"):
        for _ in two.map(die_answering, range(20)):
            pass


def test_closing_does_not_wait_for_what_is_under_way():
    pool = Pool(2)
    results = pool.map(time.sleep, [0, 60, 60, 60])
    next(results)
    before = time.monotonic()
    pool.close()
    assert time.monotonic() - before < 20


@pytest.mark.parametrize("jobs", [0, -2])
def test_no_jobs(jobs):
    with pytest.raises(ValueError, match=f"at least 1 for jobs, found {jobs}"):
        Pool(jobs)


def environment():
    """One in which this file can be imported."""
    places = [os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(places)}


def run_script(folder, text):
    """Starts a script; it imports this file's functions."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(text))
    return subprocess.Popen(
        [sys.executable, script],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_script_without_a_guard_is_not_run_once_more(tmp_path):
    process = run_script(
        tmp_path,
        """
        print("started")
        from test_pool import square
        from tfds_adni.parallel import Pool

        pool = Pool(2)
        print(sum(pool.map(square, range(5))))
        pool.close()
        """,
    )
    out, err = process.communicate(timeout=60)
    assert out.split() == ["started", "30"]
    assert err == ""


WAITING = """
    import os, time
    from test_pool import process_and_modules
    from tfds_adni.parallel import Pool

    pool = Pool(2)
    print(*{p for p, _ in pool.map(process_and_modules, range(9))}, flush=True)
    try:
        time.sleep(60)
    finally:
        pool.close()
"""


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_processes_end_with_their_parent(tmp_path, by):
    parent = run_script(tmp_path, WAITING)
    children = [int(word) for word in parent.stdout.readline().split()]
    assert children
    assert all(is_alive(child) for child in children)
    os.kill(parent.pid, by)
    _, err = parent.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while any(map(is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_alive(child) for child in children)
    # Ctrl-C is the parent's alone to report.
    assert err.count("KeyboardInterrupt") == (by == signal.SIGINT)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_ctrl_c_in_a_terminal_does_not_reach_the_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(WAITING))
    parent = subprocess.Popen(
        [sys.executable, script],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    parent.stdout.readline()
    os.killpg(parent.pid, signal.SIGINT)
    _, err = parent.communicate(timeout=60)
    assert err.count("Traceback") == 1
