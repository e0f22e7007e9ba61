"""A process for cases that may hang, crash or take all memory."""

import contextlib
import dataclasses
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

_STEP = 0.05  # seconds between two looks at a case that takes long
_START = 120  # seconds to import TensorFlow and make valid files
_TESTS = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one case may take.

    Attributes:
        seconds: Of the clock, less those that others had the processor.
        bytes: Of memory, above what the process had.
    """

    seconds: float = 5.0
    bytes: int = 2**30


class Worker:
    """Runs one case after another; a new process follows one that ended.

    Args:
        folder: For valid files, cases that failed, and what is printed.
        limits: Of each case.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = Path(folder)
        self.limits = limits
        self.killed = 0
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(self, target: str, seed: int, number: int) -> dict:
        """Runs a case; its faults, with those that ended the process."""
        if self._process is None:
            self._start()
        if not (self.folder / "valid" / target).is_dir():
            limits = Limits(seconds=_START, bytes=2**32)
            answer = self._ask(target, seed, -1, limits)
            if wrong := [*answer["faults"], *answer["refused"]]:
                raise RuntimeError(f"{target} refuses whole files: {wrong[0]}")
        answer = self._ask(target, seed, number, self.limits)
        if not answer["faults"]:
            files = self.folder / "case" / f"{target}-{seed}-{number}"
            shutil.rmtree(files, ignore_errors=True)
        return answer

    def _ask(self, target, seed, number, limits: Limits) -> dict:
        case = {"target": target, "seed": seed, "number": number}
        self._process.stdin.write(json.dumps(case).encode() + b"\n")
        self._process.stdin.flush()
        fault = self._wait(limits)
        line = b"" if fault else self._process.stdout.readline()
        if line:
            answer = json.loads(line)
            if "broken" in answer:
                raise RuntimeError(f"in the driver: {answer['broken']}")
            if answer.get("bytes", 0) > limits.bytes:
                size = answer["bytes"] / 2**20
                answer["faults"].append(f"took {size:.0f} MiB of memory")
            return answer
        stacks = self._end()
        self.killed += 1
        return {"faults": [f"{fault or self._death}\n{stacks}"], "refused": []}

    def _wait(self, limits: Limits) -> str:
        """Waits for an answer, or returns why there will be none in time."""
        process = psutil.Process(self._process.pid)
        started, size = time.monotonic(), process.memory_info().rss
        queued = _queued(process.pid)
        while not select.select([self._process.stdout], [], [], _STEP)[0]:
            try:
                grown = process.memory_info().rss - size
            except psutil.Error:
                return ""  # it has ended
            if grown > limits.bytes:
                return f"more than {limits.bytes >> 20} MiB of memory"
            own = time.monotonic() - started - (_queued(process.pid) - queued)
            if own > limits.seconds:
                return f"no end after {limits.seconds:g} s"
        return ""

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        paths = [str(_TESTS), str(_TESTS.parent), *sys.path]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fuzzing.worker", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                "CUDA_VISIBLE_DEVICES": "-1",
                "KERAS_BACKEND": "tensorflow",
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
        )

    def _end(self) -> str:
        """Kills the process; where it was, if it lived."""
        process, self._process = self._process, None
        if process is None:
            return ""
        stacks = self.folder / "stacks.txt"
        if process.poll() is None and stacks.exists():
            _ask_for_stacks(process, stacks)
        process.kill()
        code = process.wait()
        self._death = f"the process died ({_cause(code)})"
        process.stdin.close()
        process.stdout.close()
        return stacks.read_text()[-3000:] if stacks.exists() else ""


def _ask_for_stacks(process: subprocess.Popen, file: Path) -> None:
    """Has a process write where it is, which takes at most 10 s."""
    sizes = [file.stat().st_size] * 2
    process.send_signal(signal.SIGUSR1)
    for _ in range(100):
        time.sleep(0.1)
        sizes.append(file.stat().st_size)
        if sizes[-1] == sizes[-2] > sizes[0] or process.poll() is not None:
            return


def _queued(pid: int) -> float:
    """Seconds that a process waited for a processor, by its busiest thread.

    0 where the system does not say. Linux, Documentation/scheduler/sched-stats:
    the second number is that of nanoseconds on a run queue.
    """
    longest = 0
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, IndexError):
            longest = max(longest, int(file.read_text().split()[1]))
    return longest / 1e9


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
