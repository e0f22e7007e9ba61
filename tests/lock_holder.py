"""Another process that holds the lock of a folder."""

import signal
import subprocess
import sys

HOLDER = """
import sys
from pathlib import Path
from tfds_adni.parallel.lock_file import held
with held(Path(sys.argv[1]) / ".lock", "train", place=sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(folder):
    """Another process that holds the lock of a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    return process


def end(process, number=signal.SIGKILL):
    process.send_signal(number)
    process.wait()
    process.stdin.close()
    process.stdout.close()
