"""Prepares a folder again and again, stopped at one operation after another.

Usage: python killed_prepare.py SCANS WHOLE WORK kill|interrupt

WHOLE is what an undisturbed prepare left. Prints a JSON line for each moment.
"""

import itertools
import json
import os
import signal
import sys
from pathlib import Path

import tensorflow  # noqa: F401 - once, before the forks

from tfds_adni import prepare


def main(scans, whole, work, how):
    expected = content(Path(whole))
    for moment in itertools.count(1):
        folder = Path(work, f"{how}{moment}")
        reached = fork(lambda: run(scans, folder, how, moment))  # noqa: B023
        found = content(folder)
        loads = any(name.endswith("dataset_info.json") for name in found)
        loads = loads and not any("incomplete." in name for name in found)
        again = True
        if not loads:
            fork(lambda: run(scans, folder, how, 0))  # noqa: B023
            again = content(folder) == expected
        whole = not loads or found == expected
        line = {"left": sorted(found), "whole": whole, "again": again}
        print(json.dumps(line), flush=True)
        if not reached:
            break


def run(scans, folder, how, moment):
    """Prepares, and ends at the given file operation below the folder."""
    count = 0

    def watch(event, arguments):
        nonlocal count
        on_disk = event.startswith(("open", "os.", "shutil."))
        if on_disk and str(folder) in str(arguments[:2]):
            count += 1
            if count == moment:
                if how == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise KeyboardInterrupt

    sys.addaudithook(watch)
    try:
        prepare(scans, folder, config="axial_64", jobs=1)
    except KeyboardInterrupt:
        return 1
    return 0


def fork(work):
    """Runs in a child; says whether it was stopped."""
    child = os.fork()
    if child == 0:
        code = 2
        try:
            code = work()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 2:
        raise SystemExit("prepare failed in another way")
    return status != 0


def content(folder):
    """Every file, but for the mark of a claim, which holds nothing."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".preparing"
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
