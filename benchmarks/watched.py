"""A command run to its end, and the most memory that it took meanwhile."""

import subprocess
import threading
from pathlib import Path

INTERVAL = 0.2  # seconds; looking takes some 10 ms for each GB


def run(command, **options):
    """What a command printed, and the megabytes that it held at the most.

    Memory is the sum of PSS over the process and all below it: each page that
    n processes share counts 1/n in each.

    Args:
        command: Program and arguments.
        **options: Of `subprocess.Popen`.

    Raises:
        SystemExit: If it fails, with what it said.
    """
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    highest, done = 0.0, threading.Event()

    def watch():
        nonlocal highest
        while not done.wait(INTERVAL):
            highest = max(highest, tree_pss_mb(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        out, errors = process.communicate()
    finally:
        process.kill()  # if it was interrupted
        done.set()
        watcher.join()
    if process.returncode:
        raise SystemExit(f"ended with {process.returncode}:\n{errors}")
    return out, highest


def tree_pss_mb(pid):
    """Sums PSS over a process and all below it."""
    total, waiting = 0.0, [pid]
    while waiting:
        current = waiting.pop()
        try:
            for task in Path(f"/proc/{current}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
            rollup = Path(f"/proc/{current}/smaps_rollup").read_text()
        except OSError:
            continue  # it has ended
        for line in rollup.splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024 / 1e6
    return total
