"""Work that is done ahead of whoever uses it."""

import collections
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def prefetch_map(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    *,
    awaited: bool,
    at_once: int = 1,
) -> Iterator[tuple[Any, Any]]:
    """Yields each item with its result, in order, while others are computed.

    Each call has a thread of its own. An error of a call is raised where its
    result would have come.

    Args:
        function: Called on each item.
        items: What it is called with.
        awaited: Whether, when the iteration is given up, the calls under way
            are waited for; if not, they end with the process at the latest.
        at_once: Calls under way or waiting to be fetched, at most.
    """
    calls = (_Call(function, item) for item in items)
    begun: collections.deque[_Call] = collections.deque()
    try:
        begun.extend(itertools.islice(calls, at_once))
        while begun:
            done = begun[0]
            result = done.result()
            begun.popleft()
            begun.extend(itertools.islice(calls, 1))
            yield done.item, result
    finally:
        for call in begun if awaited else ():
            call.thread.join()


class _Call:
    """A call that has begun."""

    def __init__(self, function: Callable[[Any], Any], item: Any) -> None:
        self.item = item
        self.thread = threading.Thread(
            target=self._run, args=(function,), daemon=True
        )
        self._result, self._error = None, None
        self.thread.start()

    def result(self) -> Any:
        self.thread.join()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self, function: Callable[[Any], Any]) -> None:
        try:
            self._result = function(self.item)
        # raised again by whoever waits
        except BaseException as error:
            self._error = error
