"""Blocks of seeds, computed ahead of need, every seed in the same place.

How a kernel sums, and so the last bits of an image, depends on how many rows
are computed together and may depend on which of them a row is. Each seed
therefore has one block and one place in it, whatever else is requested: seed
`s` is row `s % rows` of the block that begins at `s - s % rows`.
"""

import collections
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any

# Largest difference, of 65535, in the PNG of a seed that was not computed in
# its place: on another processor, or among other rows by a server. It is
# 0.0001 SUVR at an `suvr_max` of 2.5, rounded up. Measured by
# benchmarks/rows.py; checked by tests/test_serving_contract.py.
STEPS_TOLERANCE = 3

# Seeds in a block, and images in one request at most: what a server holds in
# memory at once.
MAX_ROWS = 64

_LARGEST = 2**63 - 1


def seed_blocks(seeds: Iterable[int], rows: int) -> dict[int, list[int]]:
    """The blocks that hold some seeds, in the order of the seeds.

    Args:
        seeds: int64 numbers, each at most once.
        rows: Seeds in a block, at least 1.

    Returns:
        First seed of each block to those of `seeds` that lie in it.

    Raises:
        ValueError: If `rows` is below 1.

    Example:

    >>> seed_blocks([3, 4, 70], rows=4)
    {0: [3], 4: [4], 68: [70]}
    """
    if rows < 1:
        raise ValueError(f"expected blocks of at least 1 row, found {rows}")
    blocks: dict[int, list[int]] = {}
    for seed in map(int, seeds):
        blocks.setdefault(seed - seed % rows, []).append(seed)
    return blocks


def block_seeds(first: int, rows: int) -> list[int]:
    """All seeds of a block; those beyond int64 are replaced by its end.

    Args:
        first: First seed of the block, from `seed_blocks`.
        rows: Seeds in a block.
    """
    return [min(first + row, _LARGEST) for row in range(rows)]


def prefetch_map(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    awaited: bool,
    at_once: int = 1,
) -> Iterator[tuple[Any, Any]]:
    """Yields each item with its result, in order, while others are computed.

    Each call has a thread to itself, a daemon, which the threads of an
    executor are not. An error of a call is raised in place of its result.

    Args:
        function: Called on each item.
        items: What it is called with.
        awaited: Whether closing the iterator early waits for the calls under
            way; if not, they end with the process at the latest.
        at_once: Calls under way or waiting to be fetched, at most.
    """
    calls = ((item, _begin(function, item)) for item in items)
    begun = collections.deque()
    try:
        begun.extend(itertools.islice(calls, at_once))
        while begun:
            item, future = begun[0]
            result = future.result()
            begun.popleft()
            begun.extend(itertools.islice(calls, 1))
            yield item, result
    finally:
        for _, future in begun if awaited else ():
            future.exception()


def _begin(function: Callable[[Any], Any], item: Any) -> Future:
    """Calls a function in a thread."""
    future = Future()

    def call() -> None:
        try:
            future.set_result(function(item))
        # raised again by whoever waits
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return future
