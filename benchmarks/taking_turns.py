"""Contenders in processes of their own, that take turns and sleep meanwhile.

Whatever else the machine does so falls on all of them alike.
"""

import contextlib
import json
import math
import subprocess
import sys
import time
from pathlib import Path

MEMORY = "megabytes"  # beside the seconds of a turn


class Worker:
    """A process with one contender, which does its work when told to.

    Args:
        name: What tables call it.
        arguments: A script and what it is given; it has to call `serve`.
        environment: Variables of the process, if not this one's.
    """

    def __init__(self, name, *arguments, environment=None):
        self.name = name
        self.facts = {}
        self.process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def ready(self):
        """Waits until it is warm; whether it could, or else says why not."""
        self.facts = self._answer()
        if "error" in self.facts:
            print(f"{self.name}: {self.facts['error']}", file=sys.stderr)
        return "error" not in self.facts

    def turn(self):
        """Seconds of each function, and the peak so far; None if it failed."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            print(f"{self.name}: {answer['error']}", file=sys.stderr)
            return None
        return answer

    def end(self):
        """Lets the process go."""
        with contextlib.suppress(BrokenPipeError):  # it is gone already
            self.process.stdin.close()
        self.process.wait()

    def _answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        return {"error": f"ended with {self.process.wait()}"}


def serve(make, *, warm_up=1):
    """The other end: calls each function once for each turn.

    Whatever fails is told in a line, and ends the process.

    Args:
        make: Gives functions by name, and facts to tell.
        warm_up: Calls that do not count.
    """
    try:
        functions, facts = make()
        for _ in range(warm_up):  # traced, and past what is done once
            for function in functions.values():
                function()
        print(json.dumps(facts), flush=True)
        for _ in sys.stdin:
            times = {name: timed(call) for name, call in functions.items()}
            print(json.dumps(times | {MEMORY: peak()}), flush=True)
    except Exception as error:
        reason = str(error).partition("\n")[0][:120]
        told = f"left out, {type(error).__name__}: {reason}"
        print(json.dumps({"error": told}), flush=True)


def timed(function):
    """Seconds of one call."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def compared(commands, *, least, seconds, environment=None):
    """What the turns of contenders gave, by name; those that fail are left out.

    Args:
        commands: For each contender's name, the script and arguments of its
            process.
        least: Rounds, at least.
        seconds: As many rounds as fit into these.
        environment: Variables of the processes, if not this one's.

    Raises:
        SystemExit: If none runs, or if they tell different `parameters`.
    """
    workers = {}
    try:
        for name, arguments in commands.items():
            worker = Worker(name, *arguments, environment=environment)
            if worker.ready():
                workers[name] = worker
        counts = {worker.facts["parameters"] for worker in workers.values()}
        if len(counts) > 1:
            raise SystemExit(f"not the same networks: {counts} parameters")
        turns = rounds(workers, least=least, seconds=seconds)
    finally:
        for worker in workers.values():
            worker.end()
    if not turns:
        raise SystemExit("expected a contender that runs, found none")
    return turns


def peak():
    """Megabytes that this process has held at the most; nan if not on Linux."""
    status = Path("/proc/self/status")
    text = status.read_text() if status.is_file() else ""
    _, _, after = text.partition("VmHWM:")
    return int(after.split()[0]) * 1024 / 1e6 if after else math.nan


def rounds(workers, *, least, seconds):
    """What each worker's turns gave, by its name, for a time or a number.

    Every other round goes the other way, so that nobody is always the first.
    A worker that fails is left out, its earlier turns with it.
    """
    turns = {name: [] for name in workers}
    started, done = time.perf_counter(), 0
    while turns and (done < least or time.perf_counter() - started < seconds):
        for name in list(turns)[:: -1 if done % 2 else 1]:
            found = workers[name].turn()
            if found is None:
                del turns[name]
            else:
                turns[name].append(found)
        done += 1
    return turns
