"""Rows of docs/compatibility.md, each with its test.

A test file makes `Rows` for each of its tables, and decorates one function
for each row; `tests/test_compatibility.py` holds the page to them.
"""

import dataclasses
from collections.abc import Callable

import keras
import pytest


@dataclasses.dataclass(frozen=True)
class Row:
    """A row: what is tried, how, and what comes of it.

    Args:
        name: First cell of the row.
        test: Tries it; its argument is a folder of its own.
        refusal: Pattern of the error, `None` where it works.
        error: Class of the error.
        by_keras: Whether the error is Keras's own, of several lines perhaps.
    """

    name: str
    test: Callable
    refusal: str | None = None
    error: type[Exception] = ValueError
    by_keras: bool = False

    def run(self, folder):
        """Runs the test, and looks at the error where one is promised."""
        if self.refusal is None:
            return self.test(folder)
        with pytest.raises(self.error, match=self.refusal) as caught:
            self.test(folder)
        if not self.by_keras:
            assert "\n" not in str(caught.value)


class Rows(list):
    """The rows of one table of the page."""

    def __init__(self, title):
        super().__init__()
        self.title = title

    def works(self, name):
        """Decorates the test of a row that works."""
        return self._adding(name)

    def refused(self, name, pattern, **options):
        """Decorates the test of what is refused; options as of `Row`."""
        return self._adding(name, refusal=pattern, **options)

    def _adding(self, name, **options):
        def add(test):
            self.append(Row(name, test, **options))
            return test

        return add

    def each(self):
        """Parametrises a test with the rows."""
        return pytest.mark.parametrize("row", self, ids=[r.name for r in self])


def own_networks(maps=2):
    """Networks as a reader writes them, of the policy that is set."""
    layers = keras.layers
    latent = keras.Input([6])
    x = layers.Dense(8 * 8 * maps)(latent)
    x = layers.Reshape([8, 8, maps])(x)
    x = layers.Conv2DTranspose(1, 8, strides=4, padding="same")(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    image = keras.Input([32, 32, 1])
    y = layers.Conv2D(4, 4, strides=4)(image)
    y = layers.Dense(1, dtype="float32")(layers.Flatten()(y))
    generator = keras.Model(latent, x, name="generator")
    return generator, keras.Model(image, y, name="discriminator")
