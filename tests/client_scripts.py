"""The scripts of export/clients, for the tests that run them."""

import contextlib
import csv
import sys

from export_files import EXPORT

CLIENTS = EXPORT / "clients"
_MODULES = (
    *("rest_client", "grpc_client", "load_test"),
    *("images", "synthetic", "wanted"),
)


@contextlib.contextmanager
def importable():
    """The scripts can be imported in the block, and are forgotten after it."""
    sys.path.insert(0, str(CLIENTS))
    try:
        yield
    finally:
        sys.path.remove(str(CLIENTS))
        for name in _MODULES:
            sys.modules.pop(name, None)


def table(folder):
    """The rows of `images.csv`."""
    with (folder / "images.csv").open() as file:
        return list(csv.DictReader(file))


def one_line(text):
    """The error, which is one line and no traceback."""
    lines = text.replace("\r", "\n").strip().splitlines()
    (line,) = [one for one in lines if one.startswith("error: ")]
    assert "Traceback" not in text
    return line
