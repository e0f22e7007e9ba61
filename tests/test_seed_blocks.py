import threading

import pytest

from pet_dcgan.utils.prefetch import prefetch_map
from pet_dcgan.utils.seed_blocks import block_seeds, seed_blocks


@pytest.mark.parametrize(
    ("seeds", "rows", "blocks"),
    [
        ([3, 4, 5, 70], 4, {0: [3], 4: [4, 5], 68: [70]}),
        # the order of the seeds is kept
        ([9, 1, 8, 0], 8, {8: [9, 8], 0: [1, 0]}),
        ([], 8, {}),
    ],
)
def test_blocks_begin_at_multiples_of_their_rows(seeds, rows, blocks):
    assert list(seed_blocks(seeds, rows).items()) == list(blocks.items())


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("seed", [0, 6, 63, 2**40 + 5, 2**63 - 1])
def test_a_seed_has_one_block_and_one_row_in_it(seed, rows):
    ((first, wanted),) = seed_blocks([seed], rows).items()
    block = block_seeds(first, rows)
    assert len(block) == rows
    assert wanted == [seed]
    assert block[seed % rows] == seed
    # whatever else is requested
    assert first in seed_blocks([seed - seed % rows, seed], rows)


def test_the_ends_of_the_numbers():
    first = 2**63 - 2
    assert block_seeds(first, 4) == [first] + [2**63 - 1] * 3
    with pytest.raises(ValueError, match="at least 1 row, found 0"):
        seed_blocks([1], 0)


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
