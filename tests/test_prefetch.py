import threading

import pytest

from pet_dcgan.utils.prefetch import prefetch_map


def test_results_and_errors_come_in_the_order_of_the_items():
    for count in range(4):
        found = prefetch_map(lambda x: x * x, range(count), awaited=True)
        assert list(found) == [(x, x * x) for x in range(count)]
    found = prefetch_map(lambda x: 1 // x, [2, 1, 0, 1], awaited=True)
    assert [next(found), next(found)] == [(2, 0), (1, 1)]
    with pytest.raises(ZeroDivisionError):
        next(found)


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_calls_than_allowed_are_under_way(at_once):
    begun, together = [], threading.Semaphore(0)

    def square(x):
        begun.append(x)
        together.release()
        return x * x

    found = prefetch_map(square, range(9), awaited=True, at_once=at_once)
    assert next(found) == (0, 0)
    for _ in range(1 + at_once):  # the first, and those begun since
        assert together.acquire(timeout=10)
    found.close()
    assert sorted(begun) == list(range(1 + at_once))


@pytest.mark.parametrize("awaited", [True, False])
@pytest.mark.parametrize("failing", [True, False])
def test_an_early_end_waits_where_it_must(awaited, failing):
    go_on, ended = threading.Event(), threading.Event()

    def items():
        yield from (0, 1)
        if failing:
            raise OSError("the third one")

    def call(x):
        if x:
            go_on.wait(10)
            ended.set()

    found = prefetch_map(call, items(), awaited=awaited, at_once=2)
    if awaited:
        threading.Timer(0.05, go_on.set).start()
    if failing:
        with pytest.raises(OSError, match="third"):
            next(found)
    else:
        next(found)
        found.close()
    assert ended.is_set() is awaited
    go_on.set()
