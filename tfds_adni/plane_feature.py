"""The plane of a slice: stored as a TFDS `ClassLabel`, but not the label."""

from collections.abc import Sequence

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.core.proto import feature_pb2


class PlaneFeature(tfds.features.Tensor):
    """A class that is not what an example is labelled with.

    `tfds.show_examples` takes the only `ClassLabel` of a data set for its
    label, and shows none where there are two. What is stored, and what is
    said of it, is that of a `ClassLabel`.

    Args:
        names: The names of the classes, in the order of their numbers.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(shape=(), dtype=np.int64)
        self._classes = tfds.features.ClassLabel(names=names)

    @property
    def names(self) -> list[str]:
        """The names of the classes."""
        return self._classes.names

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return self._classes.num_classes

    def int2str(self, number: int) -> str:
        """Returns the name of a class."""
        return self._classes.int2str(number)

    def str2int(self, name: str) -> int:
        """Returns the number of a class."""
        return self._classes.str2int(name)

    def encode_example(self, example_data: str | int) -> int:
        """Returns the number of a class, of its name or number."""
        return self._classes.encode_example(example_data)

    def repr_html(self, ex: int) -> str:
        """Returns number and name of a class."""
        return self._classes.repr_html(ex)

    def save_metadata(self, data_dir, feature_name=None) -> None:
        """Writes the names.

        Args:
            data_dir: Folder of the data set.
            feature_name: Name of this feature, with which the file begins.
        """
        self._classes.save_metadata(data_dir, feature_name)

    def load_metadata(self, data_dir, feature_name=None) -> None:
        """Reads the names, which must be the same.

        Args:
            data_dir: Folder of the data set.
            feature_name: Name of this feature, with which the file begins.
        """
        self._classes.load_metadata(data_dir, feature_name)

    def to_proto(self) -> feature_pb2.Feature:
        """Describes the `ClassLabel` that this one is stored as."""
        return self._classes.to_proto()
