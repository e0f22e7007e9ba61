"""A folder of images in the making: whatever stops it, it can be resumed.

`.<name>.unfinished` lies beside the future folder. It holds the request, the
images so far, and a journal with a checksum of each; only what the journal
vouches for counts, so that neither a killed process nor a machine that lost
its power leaves half an image.
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


class ResumableBatch:
    """The images of a batch that are complete, and their request.

    Args:
        folder: Where they lie; made if it does not exist.
        out: The future folder.
    """

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder = folder
        self.out = out
        self.images = folder / "images"
        self.journal = folder / "journal.txt"
        self._probe = folder / "first.png"
        self._request = folder / "request.json"
        self.images.mkdir(parents=True, exist_ok=True)

    @property
    def probe(self) -> bytes | None:
        """The first image as it was drawn, None before `begin`."""
        return self._probe.read_bytes() if self._probe.is_file() else None

    def begin(self, request: Mapping[str, Any], probe: bytes) -> None:
        """Writes down the request and its first image.

        Args:
            request: What decides the images, as JSON can hold it.
            probe: The first image as a PNG.
        """
        with replacing(self._probe) as temporary:
            temporary.write_bytes(probe)
        with replacing(self._request) as temporary:
            text = json.dumps(request, indent=2, sort_keys=True)
            temporary.write_text(text + "\n", encoding="utf-8")

    def differences(self, request: Mapping[str, Any]) -> list[str]:
        """Returns what the batch was begun with otherwise, as `"seed 3"`."""
        try:
            begun = json.loads(self._request.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return []
        return [
            f"{key} {begun.get(key)}"
            for key, value in request.items()
            if begun.get(key) != value
        ]

    def keep(self, names: Mapping[str, int]) -> set[int]:
        """Removes all images but those that are complete and wanted.

        If none is left, the request is forgotten as well.

        Args:
            names: File name of each wanted image to its seed.

        Returns:
            The seeds of the images that are left.
        """
        checksums = self._read_journal() if self.probe else {}
        kept = set()
        for path in self.images.iterdir():
            found = f"{zlib.crc32(path.read_bytes()):08x}"
            if path.name in names and checksums.get(path.name) == found:
                kept.add(names[path.name])
            else:
                path.unlink()
        if not kept:
            for path in (self.journal, self._probe, self._request):
                path.unlink(missing_ok=True)
        return kept

    def add(self, files: Mapping[str, bytes]) -> None:
        """Writes images, then their lines in the journal.

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
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(lines)

    def finish(self) -> None:
        """Moves the images to their final folder, and removes the rest."""
        os.replace(self.images, self.out)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read_journal(self) -> dict[str, str]:
        """Returns the checksum of each file, from complete lines."""
        if not self.journal.is_file():
            return {}
        text = self.journal.read_text("utf-8", errors="replace")
        entries = (
            line[:-1].split(" ")
            for line in text.split("\n")
            if line[-1:] == "."
        )
        return {entry[0]: entry[1] for entry in entries if len(entry) == 2}


@contextlib.contextmanager
def resumable_batch(out: Path) -> Iterator[ResumableBatch]:
    """Opens the batch that becomes the folder `out`, for one process.

    Args:
        out: The folder; nothing of a batch without images is left.

    Raises:
        FileExistsError: If another process makes it.
    """
    folder = out.with_name(f".{out.name}.unfinished")
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with locked(folder.with_suffix(".lock")):
            batch = ResumableBatch(folder, out)
            try:
                yield batch
            finally:
                if not batch.journal.is_file():
                    shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        raise FileExistsError(
            f"another process is making {out}: wait for it or choose another "
            "--out"
        ) from None
