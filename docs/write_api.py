"""Writes the Python interface as HTML, from docstrings: `make docs`.

Every public module of both packages gets a page.
"""

import importlib
import os
import pkgutil
import sys
import types

PACKAGES = ("pet_dcgan", "tfds_adni")


def open_packages() -> list[str]:
    """Lists in each package's `__all__` the modules below it.

    pdoc shows of a package what `__all__` lists, and only that.

    Returns:
        The names of every public module, the packages first.
    """
    found = []
    for package in map(importlib.import_module, PACKAGES):
        below = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        names = [m.name for m in below if "._" not in m.name]
        found += [package.__name__, *names]
        for name in [package.__name__, *names]:
            _list_modules(importlib.import_module(name))
    return found


def _list_modules(package: types.ModuleType) -> None:
    listed = vars(package).get("__all__")
    if listed is None or not hasattr(package, "__path__"):
        return
    for name in listed:
        # one that is imported when it is asked for
        setattr(package, name, getattr(package, name))
    below = [m.name for m in pkgutil.iter_modules(package.__path__)]
    package.__all__ = list(dict.fromkeys([*listed, *below]))


def write(folder: str) -> None:
    """Writes a page a module.

    Args:
        folder: Where to; made where missing.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import pdoc

    open_packages()
    pdoc.render.configure(docformat="google")
    pdoc.pdoc(*PACKAGES, output_directory=pdoc.Path(folder))


if __name__ == "__main__":
    write(sys.argv[1])
