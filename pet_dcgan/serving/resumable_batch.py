"""A folder of images on its way: whatever stops it, it can go on.

`.<name>.unfinished` lies beside the folder to be. It holds what was asked
for, the images so far, and a journal with a checksum of each; only what the
journal vouches for counts, so that neither a killed process nor a machine
that lost its power leaves half an image.
"""

import contextlib
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pet_dcgan.utils.files import locked, replacing

_IMAGES, _JOURNAL, _REQUEST = "images", "journal.txt", "request.json"
_PROBE = "first.png"


class ResumableBatch:
    """Images that were begun, and those of them that are whole.

    Args:
        folder: Where they lie; made if it is not there.
        out: The folder to be.
    """

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder = folder
        self.out = out
        self.images = folder / _IMAGES
        self.images.mkdir(parents=True, exist_ok=True)

    @property
    def probe(self) -> bytes | None:
        """What the first image was drawn as, where one was kept."""
        path = self.folder / _PROBE
        return path.read_bytes() if path.is_file() else None

    def begin(self, request: Mapping[str, Any], probe: bytes) -> None:
        """Writes down what is asked for and what its first image is.

        Args:
            request: What decides the images, as JSON can hold it.
            probe: The first image as a PNG.
        """
        with replacing(self.folder / _PROBE) as temporary:
            temporary.write_bytes(probe)
        with replacing(self.folder / _REQUEST) as temporary:
            text = json.dumps(request, indent=2, sort_keys=True)
            temporary.write_text(text + "\n", encoding="utf-8")

    def differences(self, request: Mapping[str, Any]) -> list[str]:
        """What was asked for before and is not now, as `"seed 3"`."""
        try:
            text = (self.folder / _REQUEST).read_text(encoding="utf-8")
            begun = json.loads(text)
        except (FileNotFoundError, ValueError):
            return []
        return [
            f"{key} {begun.get(key)}"
            for key, value in request.items()
            if begun.get(key) != value
        ]

    def keep(self, names: Mapping[str, int]) -> set[int]:
        """Removes all images but those that are whole and wanted.

        Where none is left, nothing is known of what was begun either.

        Args:
            names: File name of each wanted image to its seed.

        Returns:
            The seeds of the images that are left.
        """
        sums = self._journal() if self.probe else {}
        kept = set()
        for path in self.images.iterdir():
            wanted = names.get(path.name)
            if wanted is not None and sums.get(path.name) == _sum(path):
                kept.add(wanted)
            else:
                path.unlink()
        if not kept:
            for name in (_JOURNAL, _PROBE, _REQUEST):
                (self.folder / name).unlink(missing_ok=True)
        return kept

    def add(self, files: Mapping[str, bytes]) -> None:
        """Writes images, then their line in the journal.

        Args:
            files: File name to content.
        """
        for name, content in files.items():
            (self.images / name).write_bytes(content)
        # a line that was cut off ends here and counts for nothing
        lines = "".join(
            f"\n{name} {zlib.crc32(content):08x}."
            for name, content in files.items()
        )
        with (self.folder / _JOURNAL).open("a", encoding="utf-8") as file:
            file.write(lines)

    def finish(self) -> None:
        """Makes it the folder to be, and removes the rest."""
        os.replace(self.images, self.out)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _journal(self) -> dict[str, str]:
        path = self.folder / _JOURNAL
        if not path.is_file():
            return {}
        lines = path.read_text("utf-8", errors="replace").split("\n")
        entries = (line[:-1].split(" ") for line in lines if line[-1:] == ".")
        return {entry[0]: entry[1] for entry in entries if len(entry) == 2}


@contextlib.contextmanager
def resumable_batch(out: Path) -> Iterator[ResumableBatch]:
    """The batch that becomes the folder `out`, for one process at a time.

    Raises:
        FileExistsError: If another process makes it.
    """
    folder = out.with_name(f".{out.name}.unfinished")
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_suffix(".lock")
    try:
        with locked(lock):
            batch = ResumableBatch(folder, out)
            try:
                yield batch
            finally:
                _remove_if_nothing_is_begun(batch)
    except BlockingIOError:
        raise FileExistsError(
            f"expected nobody else to make {out}, found another process at "
            "work: wait for it or choose another --out"
        ) from None


def _remove_if_nothing_is_begun(batch: ResumableBatch) -> None:
    if not (batch.folder / _JOURNAL).is_file():
        shutil.rmtree(batch.folder, ignore_errors=True)


def _sum(path: Path) -> str:
    return f"{zlib.crc32(path.read_bytes()):08x}"
