"""How TFDS writes here: the same bytes each time, in bounded memory."""

import contextlib
from collections.abc import Iterable, Iterator

from tensorflow_datasets.core import shuffle
from tensorflow_datasets.core.writer import ExampleWriter
from tensorflow_datasets.proto import tf_example_pb2

# TFDS keeps up to 1 GB of a split in memory and then moves it to 1,000 files,
# nearly as many as a process may commonly have open.
_BOUNDS = {"MAX_MEM_BUFFER_SIZE": 2**27, "BUCKETS_NUMBER": 64}


class SteadyWriter(ExampleWriter):
    """Writes the fields of an example in the order of their names.

    TFDS leaves their order to protobuf's maps, which is another one in each
    process.
    """

    def write(self, path, examples: Iterable[tuple]):
        """Writes serialised examples; see the base class.

        Args:
            path: As there.
            examples: Key and example.
        """
        return super().write(path, ((k, _in_order(e)) for k, e in examples))


@contextlib.contextmanager
def bounded_shuffling() -> Iterator[None]:
    """Has TFDS keep at most 128 MB of a split in memory.

    The order of examples is that of their hashed keys in either case, so the
    bytes written are the same. A TFDS without these settings keeps its own.
    """
    before = {
        name: getattr(shuffle, name)
        for name in _BOUNDS
        if hasattr(shuffle, name)
    }
    for name in before:
        setattr(shuffle, name, _BOUNDS[name])
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(shuffle, name, value)


def _in_order(serialised: bytes) -> bytes:
    """Serialises an example once more."""
    example = tf_example_pb2.Example.FromString(serialised)
    return example.SerializeToString(deterministic=True)
