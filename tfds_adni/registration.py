"""Registers the data set with TFDS, whichever of the two is imported first.

TFDS knows a data set once its module has been imported, and looks for no
package that offers one. Importing TFDS here would add a third of a second to
each `scan` and each worker process, so the builder follows TFDS instead.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Loader

_TFDS = "tensorflow_datasets"
_BUILDER = "tfds_adni.adni_dataset_builder"


def register() -> None:
    """Registers the builder now, or as soon as TFDS has been imported."""
    if _TFDS in sys.modules:
        importlib.import_module(_BUILDER)
    else:
        sys.meta_path.insert(0, _AfterTfds())


class _AfterTfds:
    """Finds TFDS as the others do, and imports the builder after it.

    The interface is that of `importlib.abc.MetaPathFinder`, which takes a
    while to import.
    """

    def __init__(self) -> None:
        self._asking = False

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if name != _TFDS or self._asking:
            return None
        self._asking = True
        try:
            found = (f.find_spec(name, path, target) for f in sys.meta_path)
            spec = next(filter(None, found), None)
        finally:
            self._asking = False
        if spec and spec.loader:
            self._follow(spec.loader)
        return spec

    def _follow(self, loader: "Loader") -> None:
        """Has a loader import the builder after its own module."""
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            importlib.import_module(_BUILDER)

        loader.exec_module = exec_module
