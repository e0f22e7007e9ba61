"""Conversion of one DICOM series to NIfTI by dcm2niix.

dcm2niix (https://github.com/rordenlab/dcm2niix) is a program; the package of
the same name brings it. It gets links with plain names to the files of one
series, so that neither their names nor other series beside them matter.
"""

import contextlib
import errno
import functools
import json
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib

from tfds_adni.sources.dicom.series import Series

# Raised with every change of what an entry of the cache holds.
RECIPE = 2
FAILED = "DICOM that dcm2niix cannot convert"
_GAPS = "DICOM series with missing slices"
# Whatever the user's defaults are (-g i): a JSON file without names or dates
# (-b y -ba y) beside a .nii that is not packed (-z n).
_OPTIONS = ("-g", "i", "-b", "y", "-ba", "y", "-z", "n", "-f", "volume")
# The largest brain series, of 10,000 files, takes a minute or two.
_SECONDS = 900
# Of the volume of a series, and of what is read of the program's words.
_MOST_BYTES = 2**32
_MOST_SAID = 2**20
_KEPT = (
    *("TracerName", "Radiopharmaceutical", "TracerRadionuclide"),
    *("FrameTimesStart", "FrameDuration", "FrameReferenceTime"),
)


def find_program() -> str | None:
    """Returns the path of dcm2niix: the package's, else the one on the PATH."""
    try:
        import dcm2niix

        return dcm2niix.bin
    except (ImportError, AttributeError):
        return shutil.which("dcm2niix")


@functools.lru_cache
def version_of(program: str) -> str:
    """Returns the version that dcm2niix says it is, `""` if it cannot run."""
    try:
        words = run(program, "--version", seconds=60).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return ""
    return words[-1] if words else ""


def run(
    program: str, *arguments: str, seconds: float, most_bytes: int = _MOST_BYTES
) -> subprocess.CompletedProcess[str]:
    """Runs dcm2niix and captures what it prints.

    Args:
        program: Its path.
        *arguments: Its options and the folder.
        seconds: After which it is ended.
        most_bytes: Of a single file that it writes, on Linux; it is ended by
            a signal when it writes more.
    """
    words = [program, *arguments]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        _limit_files(process.pid, most_bytes)
        try:
            code = process.wait(seconds)
        except BaseException:  # Ctrl-C too
            process.kill()
            raise
        said.seek(0)
        text = said.read(_MOST_SAID).decode("utf-8", "replace")
    return subprocess.CompletedProcess(words, code, text)


def _limit_files(process: int, most_bytes: int) -> None:
    """Bounds the files of another process, where the system can."""
    # it may have ended already
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import resource

        limit = (most_bytes, most_bytes)
        resource.prlimit(process, resource.RLIMIT_FSIZE, limit)


def convert(program: str, series: Series, folder: Path) -> dict[str, Any]:
    """Converts a series into a folder.

    Args:
        program: dcm2niix.
        series: The series.
        folder: An empty folder; it gets `0.nii` and, where dcm2niix splits
            the series, `1.nii` and so on.

    Returns:
        `"sidecars"`: elements of the JSON file of each; or `"problem"`: why
        there are none, and `"passing"` if that may be otherwise next time.

    Raises:
        OSError: If the disk is full.
    """
    # Of copies of a file the first is converted.
    files = {uid: path for path, uid in reversed(series.files.items())}
    slices = series.slices * len(files)
    if series.depth and slices % series.depth:
        return {"problem": f"{_GAPS}: {slices} in volumes of {series.depth}"}
    need = 4 * series.pixels * slices  # at most 32 bits a voxel
    if need > _MOST_BYTES:
        return {
            "problem": f"over the size limit: {slices} slices of "
            f"{series.pixels} pixels, at most {_MOST_BYTES >> 30} GiB a series"
        }
    _require_space(folder, need)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        problem, passing = _run(program, [*map(Path, files.values())], work)
        if problem:
            _require_space(folder, need)
            return {"problem": f"{FAILED}: {problem}", "passing": passing}
        volumes = sorted(Path(work).glob("*.nii"))
        if problem := _problem(volumes, series, slices):
            return {"problem": problem}
        sidecars = [_sidecar(path.with_suffix(".json")) for path in volumes]
        for number, path in enumerate(volumes):
            path.rename(folder / f"{number}.nii")
    return {"sidecars": sidecars}


def _run(program: str, files: Sequence[Path], work: str) -> tuple[str, bool]:
    """Runs dcm2niix; returns why it failed and whether that may pass."""
    with tempfile.TemporaryDirectory(dir=Path(work).parent) as links:
        for number, path in enumerate(files):
            Path(links, f"{number:06d}.dcm").symlink_to(path.absolute())
        try:
            done = run(program, *_OPTIONS, "-o", work, links, seconds=_SECONDS)
        except subprocess.TimeoutExpired:
            return f"it took longer than {_SECONDS} s", True
        except OSError as error:
            return error.strerror or type(error).__name__, True
    if done.returncode < 0:
        return f"it was ended by signal {-done.returncode}", True
    if "disk full" in done.stdout:  # where a quota hides it from us
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if done.returncode:
        return _complaint(done.stdout, links, files), False
    return "", False


def _complaint(output: str, links: str, files: Sequence[Path]) -> str:
    """Returns the line in which dcm2niix says what is wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    known = ("error", "warning: file", "filesize", "no valid", "unable")
    said = [line for line in lines if line.lower().startswith(known)]
    line = (said or lines or ["it says nothing"])[-1]
    for start in ("Error:", "Warning:"):
        line = line.removeprefix(start).strip()
    for number, path in enumerate(files):
        line = line.replace(f"{links}{os.sep}{number:06d}.dcm", path.name)
    return " ".join(line.replace(links, "its files").split())[:120]


def _problem(volumes: Sequence[Path], series: Series, slices: int) -> str:
    """Returns why the volumes are not the whole series, `""` if they are."""
    shapes = []
    for path in volumes:
        if "_Eq" in path.name:
            return f"{_GAPS}: their distances differ"
        shapes.append(_shape(path))
    if not shapes:
        return f"{FAILED}: it wrote no volume"
    voxels = sum(math.prod(shape) for shape in shapes)
    if voxels != series.pixels * slices:
        found = voxels // max(series.pixels, 1)
        return f"{FAILED}: it read {found} of {slices} slices"
    depth = math.prod(shapes[0][:3]) // max(series.pixels, 1)
    # NumberOfSlices may be that of all frames.
    if depth < series.depth != slices:
        return f"{_GAPS}: {depth} of {series.depth} in a volume"
    return ""


def _shape(path: Path) -> tuple[int, ...]:
    """Returns the shape of a file that was just written.

    Raises:
        OSError: If it is shorter than its header says: the disk is full.
    """
    image = nib.load(path)
    size = math.prod(image.shape) * image.get_data_dtype().itemsize
    if path.stat().st_size < image.dataobj.offset + size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return tuple(int(n) for n in image.shape)


def _sidecar(path: Path) -> dict[str, Any]:
    """Returns the elements of a JSON file that are kept."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: facts[name] for name in _KEPT if name in facts}


def _require_space(folder: Path, need: int) -> None:
    """Refuses a disk with too little space.

    Raises:
        OSError: If fewer bytes are free.
    """
    if shutil.disk_usage(folder).free < need:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
