"""Work that is done one step ahead of whoever uses it."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def computed_ahead(
    function: Callable[[Any], Any], items: Iterable[Any], *, awaited: bool
) -> Iterator[tuple[Any, Any]]:
    """Yields each item with its result, while the next is being computed.

    One call is made at a time, in a thread, and at most one result waits. An
    error of a call is raised where its result would have come.

    Args:
        function: Called on one item after the other.
        items: What it is called with.
        awaited: Whether, when the iteration is given up, the call under way
            is waited for; if not, it ends with the process at the latest.
    """
    calls = (_Call(function, item) for item in items)
    call = next(calls, None)
    try:
        while call is not None:
            done, result = call, call.result()
            call = next(calls, None)
            yield done.item, result
    finally:
        if awaited and call is not None:
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
