"""Blocks of seeds, every seed in the same place.

How a kernel sums, and so the last bits of an image, depends on how many rows
are computed together and may depend on which of them a row is. Each seed
therefore has one block and one place in it, whatever else is requested: seed
`s` is row `s % rows` of the block that begins at `s - s % rows`.
"""

from collections.abc import Iterable

# Largest difference, of 65535, in the PNG of a seed that was not computed in
# its place: on another processor, or among other rows by a server. It is
# 0.0001 SUVR at an `suvr_max` of 2.5, rounded up. Measured by
# benchmarks/rows.py; checked by tests/test_serving_contract.py.
STEPS_TOLERANCE = 3

# Seeds in a block, and images in one request at most: what a server holds in
# memory at once.
MAX_ROWS = 64

# The same of volumes. Three of 64 x 64 x 64 in float32 fit into an answer of
# 4 MiB, which is what gRPC's clients take unless they are set otherwise; and
# one costs as much as all of its block.
_MOST_VOLUMES = 3
_MOST_ANSWER = 4 * 2**20 - 2**16  # bytes, less what is around them

_LARGEST = 2**63 - 1


def volume_rows(size: int) -> int:
    """Volumes in a block, and in one request at most.

    Args:
        size: Voxels along x, y and z.

    Returns:
        3, or as many as fit into an answer of 4 MiB; at least 1.

    Example:

    >>> volume_rows(64), volume_rows(128)
    (3, 1)
    """
    return max(1, min(_MOST_VOLUMES, _MOST_ANSWER // (4 * size**3)))


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
