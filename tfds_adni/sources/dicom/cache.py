"""A folder that keeps what was made of DICOM files.

An entry is a folder of files with their sizes and further facts in
`facts.json`. It is written elsewhere and then renamed, so that a killed or a
second process leaves only whole entries.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_FACTS = "facts.json"
_DAMAGED = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError),
    RecursionError,
)
_NEW = ".new-"
# Nobody works on an entry for longer; see `conversion._SECONDS`.
_STALE_SECONDS = 86400


def default_folder() -> Path:
    """Returns the folder of the user's cache that is used by default.

    Raises:
        ValueError: If the user has no home.
    """
    named = os.environ.get("XDG_CACHE_HOME", "")
    # Relative paths are to be ignored: XDG base directory specification 0.8.
    if os.path.isabs(named):
        return Path(named, "pet-dcgan", "dicom")
    try:
        return Path.home() / ".cache" / "pet-dcgan" / "dicom"
    except RuntimeError:
        raise ValueError(
            "expected a home folder to keep converted DICOM in, found none; "
            "choose a folder with --dicom-cache"
        ) from None


class DicomCache:
    """The entries of one folder.

    Args:
        folder: Absolute; made where it is missing, for its owner alone.

    Raises:
        OSError: If it cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise self._failure(error) from None
        for path in self.folder.glob(f"{_NEW}*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)

    def entry(
        self, key: Any, fill: Callable[[Path], dict[str, Any]]
    ) -> tuple[Path, dict[str, Any], bool]:
        """Returns an entry, made first if it is missing or damaged.

        Args:
            key: What it was made of, as JSON takes it.
            fill: Writes its files into a folder and returns its facts; those
                with a true `"passing"` are not kept.

        Returns:
            Its folder, its facts, and whether it was there before.

        Raises:
            OSError: If it cannot be written.
        """
        text = json.dumps(key)
        folder = self.folder / hashlib.sha256(text.encode()).hexdigest()[:32]
        facts = _facts(folder)
        if facts is not None:
            return folder, facts, True
        try:
            return folder, self._make(folder, fill), False
        except OSError as error:
            raise self._failure(error) from None

    def _make(
        self, folder: Path, fill: Callable[[Path], dict[str, Any]]
    ) -> dict[str, Any]:
        """Makes an entry beside its place and moves it there."""
        with tempfile.TemporaryDirectory(
            prefix=_NEW, dir=self.folder, ignore_cleanup_errors=True
        ) as scratch:
            new = Path(scratch, "entry")
            new.mkdir()
            facts = fill(new)
            if facts.get("passing"):
                return facts
            sizes = {path.name: path.stat().st_size for path in new.iterdir()}
            text = json.dumps({"files": sizes, "facts": facts})
            (new / _FACTS).write_text(text, encoding="utf-8")
            if folder.exists() and _facts(folder) is None:
                shutil.rmtree(folder)  # damaged
            try:
                new.rename(folder)
            except OSError:  # another process was faster
                if _facts(folder) is None:
                    raise
        return facts

    def _failure(self, error: OSError) -> OSError:
        """Returns an error as one line that says what to do."""
        if not error.strerror:
            return error
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free some space or choose" if full else "choose"
        return OSError(
            f"expected to keep converted DICOM in {self.folder}, found: "
            f"{error.strerror}; {remedy} another folder with --dicom-cache"
        )


def _facts(folder: Path) -> dict[str, Any] | None:
    """Returns the facts of an entry, `None` if it is missing or damaged."""
    try:
        entry = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        sizes = entry["files"].items()
        whole = all((folder / n).stat().st_size == size for n, size in sizes)
        return entry["facts"] if whole else None
    except _DAMAGED:
        return None
