"""Checksums of files that never change, as `sha256sum -c SHA256SUMS` reads.

One wrong byte in a name or a number is often a name or a number still, and
the wrong subject would count as held out. The checksums tell.
"""

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from pet_dcgan.utils.foreign_files import read_bytes

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^/\n]+)")
_MOST_BYTES = 2**27  # of a file


def write_checksums(folder: Path, names: Collection[str]) -> None:
    """Writes the checksums of some files into their folder.

    Args:
        folder: Where they lie.
        names: Their names, none with a path.
    """
    lines = [f"{_digest(folder / name)}  {name}\n" for name in sorted(names)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def require_unchanged(folder: Path, names: Collection[str]) -> None:
    """Refuses files that are not those whose checksums were written.

    A folder without checksums passes.

    Args:
        folder: Where they lie.
        names: Those of its files that matter.

    Raises:
        ValueError: If one is another, or the list of checksums is damaged; in
            one line that ends without a remedy.
    """
    path = folder / SUMS
    try:
        content = read_bytes(path, most=_MOST_BYTES)
    except FileNotFoundError:
        return
    text = content.decode("utf-8", "replace")
    lines = [_LINE.fullmatch(line) for line in text.splitlines()]
    if not all(lines):
        raise ValueError(
            f"expected checksums and names of files in {path}, found other text"
        )
    expected = {line[2]: line[1] for line in lines}
    for name in names:
        if _digest(folder / name) != expected.get(name):
            raise ValueError(
                f"expected {folder / name} as it was written, found a file "
                f"with another checksum than in {SUMS}"
            )


def _digest(path: Path) -> str:
    return hashlib.sha256(read_bytes(path, most=_MOST_BYTES)).hexdigest()
