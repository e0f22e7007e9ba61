"""A map whose next results are computed ahead, in threads."""

import collections
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any


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
    calls = ((item, begin(function, item)) for item in items)
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


def begin(function: Callable[[Any], Any], item: Any = None) -> Future:
    """Calls a function in a thread of its own, a daemon.

    Args:
        function: Called on the item.
        item: What it is called with.

    Returns:
        Where its result, or its error, will be.
    """
    future = Future()

    def call() -> None:
        try:
            future.set_result(function(item))
        # raised again by whoever waits
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return future
