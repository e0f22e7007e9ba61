"""Readers with faults that the driver must catch; a case is one of them."""

import ctypes
import os
import sys
import threading
import time
import warnings
from pathlib import Path
from random import Random

from fuzzing.oracle import require
from fuzzing.plan import Files

_KIND = "kind.txt"


def _run_out_of_memory() -> None:
    block = [bytearray(b"x") * 2**24 for _ in range(128)]
    time.sleep(60)
    del block


def _take_memory_for_a_moment() -> None:
    del [bytearray(b"x") * (400 * 2**20)][:]


def _turn() -> None:
    while True:
        pass


def _fail_in_a_thread() -> None:
    thread = threading.Thread(target=lambda: {}["gone"])
    thread.start()
    thread.join()


def _recurse() -> None:
    _recurse()


def _raise(error: BaseException) -> None:
    raise error


_FAULTS = {
    "key": lambda: {}["gone"],
    "recursion": _recurse,
    "decoding": lambda: b"\xff".decode(),
    "lines": lambda: _raise(ValueError("one\ntwo: run it again")),
    "exit": lambda: sys.exit(3),
    "warning": lambda: warnings.warn("overflow", RuntimeWarning, stacklevel=1),
    "insane": lambda: require(False, "a scale of -1"),
    "thread": _fail_in_a_thread,
    "terminal": lambda: print("\x1b[2J", file=sys.stderr),
    "sleep": lambda: time.sleep(60),
    "turn": _turn,
    "memory": _run_out_of_memory,
    "moment": _take_memory_for_a_moment,
    "segment": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "leave": lambda: os._exit(0),
    "none": lambda: None,
}
KINDS = tuple(_FAULTS)


def prepare(base: Path) -> None:
    (base / _KIND).write_text("none")


def mutate(base: Path, dice: Random) -> Files:
    return {_KIND: dice.choice(KINDS).encode()}


def run(folder: Path, attempt) -> None:
    attempt(_FAULTS[(folder / _KIND).read_text()])
