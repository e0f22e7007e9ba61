import pytest

from pet_dcgan.utils.seed_blocks import block_seeds, seed_blocks


def test_blocks_begin_at_multiples_of_their_rows():
    assert seed_blocks([3, 4, 5, 70], 4) == {0: [3], 4: [4, 5], 68: [70]}


def test_the_order_of_seeds_is_kept():
    assert seed_blocks([9, 1, 8, 0], 8) == {8: [9, 8], 0: [1, 0]}
    assert seed_blocks([], 8) == {}


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("seed", [0, 6, 63, 2**40 + 5, 2**63 - 1])
def test_a_seed_lies_in_its_block(seed, rows):
    ((first, wanted),) = seed_blocks([seed], rows).items()
    block = block_seeds(first, rows)
    assert len(block) == rows
    assert wanted == [seed]
    assert block[seed % rows] == seed
    # whoever else is asked for, it is the same block
    assert first in seed_blocks([seed - seed % rows, seed], rows)


def test_a_block_at_the_end_of_int64_is_filled_with_its_last_seed():
    first = 2**63 - 2
    assert block_seeds(first, 4) == [first] + [2**63 - 1] * 3


def test_a_block_needs_a_row():
    with pytest.raises(ValueError, match="at least 1 row, found 0"):
        seed_blocks([1], 0)
