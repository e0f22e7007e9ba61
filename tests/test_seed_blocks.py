import pytest

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
