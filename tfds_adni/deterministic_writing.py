"""Records whose bytes and order depend on the examples alone."""

import contextlib
from collections.abc import Iterable, Iterator

import tensorflow_datasets as tfds
from tensorflow_datasets.core import shuffle
from tensorflow_datasets.proto import tf_example_pb2

# TFDS keeps up to 1 GB of a split in memory and then moves it to 1,000 files,
# nearly as many as a process may commonly have open. It has no public option
# for these two constants of its module `shuffle`.
_BOUNDS = {"MAX_MEM_BUFFER_SIZE": 2**27, "BUCKETS_NUMBER": 64}


class DeterministicWriter(tfds.core.ExampleWriter):
    """Writes the fields of an example in the order of their names.

    TFDS leaves their order to protobuf's maps, which differs from process to
    process.
    """

    def write(self, path, examples: Iterable[tuple]):
        """Writes examples to a file; see the base class.

        Args:
            path: Of the file.
            examples: A key and a serialised example each.
        """
        parse = tf_example_pb2.Example.FromString
        in_order = (
            (key, parse(example).SerializeToString(deterministic=True))
            for key, example in examples
        )
        return super().write(path, in_order)


@contextlib.contextmanager
def bounded_shuffling() -> Iterator[None]:
    """Limits what TFDS keeps of a split in memory to 128 MB.

    The order of examples is that of their hashed keys in either case, so the
    bytes written are the same. A TFDS without these constants keeps its own
    bounds.
    """
    before = {n: getattr(shuffle, n) for n in _BOUNDS if hasattr(shuffle, n)}
    try:
        for name in before:
            setattr(shuffle, name, _BOUNDS[name])
        yield
    finally:
        for name, value in before.items():
            setattr(shuffle, name, value)
