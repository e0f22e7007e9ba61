"""Runs cases that `watch` sends to it, a line of JSON each.

The answer is a line of JSON on what was the standard output; all that a case
prints goes to a file.
"""

import contextlib
import faulthandler
import json
import os
import re
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import BinaryIO

from fuzzing import plan
from fuzzing.oracle import Attempts, faults_of_output


def main(folder: Path) -> None:
    answers = os.fdopen(os.dup(1), "w")
    printed = (folder / "printed.txt").open("w+b")
    for number in (1, 2):
        os.dup2(printed.fileno(), number)
    stacks = (folder / "stacks.txt").open("w")
    faulthandler.enable(stacks)
    # `watch` asks where a case hangs before it kills
    faulthandler.register(signal.SIGUSR1, stacks, all_threads=True)
    for line in sys.stdin:
        try:
            answer = run_case(folder, printed, **json.loads(line))
        except Exception:  # of the driver itself, not of what it tries
            answer = {"broken": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


def run_case(
    folder: Path, printed: BinaryIO, *, target: str, seed: int, number: int
) -> dict:
    """What was found, and the time and memory it took.

    The first case of a target also makes its valid files; a case of number -1
    leaves them whole.
    """
    module = plan.load(target)
    base = folder / "valid" / target
    if not base.is_dir():
        shutil.rmtree(folder / "partial", ignore_errors=True)
        (folder / "partial").mkdir(parents=True)
        module.prepare(folder / "partial")
        base.parent.mkdir(exist_ok=True)
        (folder / "partial").rename(base)
    attempts = Attempts()
    place = folder / "case" / f"{target}-{seed}-{number}"
    shutil.rmtree(place, ignore_errors=True)
    files: plan.Files = {}
    if number >= 0:
        files = module.mutate(base, plan.dice_of(target, seed, number))
    plan.lay_out(base, files, place)
    begin = printed.seek(0, os.SEEK_END)
    before, started = _memory("VmRSS"), time.process_time()
    _forget_peak()
    module.run(place, attempts)
    sys.stdout.flush()
    sys.stderr.flush()
    printed.seek(begin)
    text = printed.read().decode("utf-8", "replace")
    attempts.faults += faults_of_output(text)
    return {
        "faults": attempts.faults,
        "refused": attempts.refused,
        "seconds": time.process_time() - started,
        "bytes": _memory("VmHWM") - before,
    }


def _memory(name: str) -> int:
    """Bytes of this process, 0 where the system does not say."""
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    found = re.search(rf"{name}:\s+(\d+) kB", text)
    return int(found[1]) << 10 if found else 0


def _forget_peak() -> None:
    """Makes VmHWM begin anew."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
