"""How much memory is free, and what fits into it."""

import dataclasses
import os
from pathlib import Path

# What the slices may take of the free memory; networks, activations and
# everything else on the machine need the rest.
SHARE_OF_SLICES = 0.5
_MEMINFO = Path("/proc/meminfo")
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")


def available_memory() -> int:
    """Bytes of memory this process could still take without swapping.

    On Linux the machine's available memory or what the process's control
    group (a container, a batch job) leaves, whichever is less; elsewhere the
    whole memory.
    """
    found = [_available_of_machine(), *_available_of_groups()]
    return min((n for n in found if n is not None), default=_whole_memory())


def slices_fit(count: int, size: int) -> bool:
    """Whether uint16 slices can be kept in memory, twice.

    Twice, since TensorFlow copies what it is given.

    Args:
        count: Number of slices.
        size: Height and width of one in pixels.
    """
    return 2 * slice_bytes(count, size) <= SHARE_OF_SLICES * available_memory()


def slice_bytes(count: int, size: int) -> int:
    """Bytes of `count` uint16 slices of `size` by `size` pixels.

    Args:
        count: Number of slices.
        size: Height and width in pixels.
    """
    return 2 * count * size * size


def human_bytes(count: float) -> str:
    """Bytes as `"3 MB"` or `"1.5 GB"`, 1 MB being a million."""
    if count < 1e9:
        return f"{max(count / 1e6, 0.1):.3g} MB"
    return f"{count / 1e9:.1f} GB"


@dataclasses.dataclass(frozen=True)
class StepMemory:
    """What a training step takes, by what grows with the batch and what not.

    Args:
        fixed: Bytes of weights, gradients and optimisers on each device.
        per_image: Bytes an image of the batch adds.
        replicas: Devices that share a batch.
    """

    fixed: float
    per_image: float
    replicas: int = 1

    def of_batch(self, batch_size: int) -> float:
        """Bytes that a step of that batch takes on one device."""
        return self.fixed + self.per_image * batch_size / self.replicas

    def batch_within(self, limit: float, *, below: int) -> int:
        """The largest batch whose step stays within `limit` bytes a device.

        Args:
            limit: Bytes.
            below: What it has to be less than.

        Returns:
            A power of two for each device, or 0 where two images do not fit.
        """
        fitting = int((limit - self.fixed) // self.per_image)
        wanted = (below - 1) // self.replicas
        images = min(fitting, wanted)
        batch = 1 << (images.bit_length() - 1) if images > 0 else 0
        batch *= self.replicas
        return batch if batch > 1 else 0


def _available_of_machine() -> int | None:
    try:
        text = _MEMINFO.read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return 1024 * int(value.split()[0])
    return None


def _available_of_groups() -> list[int]:
    """What each control group (version 2) of this process leaves."""
    try:
        lines = _OWN_GROUP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    paths = [line[3:] for line in lines if line.startswith("0::")]
    found = []
    for path in paths:
        group = _CGROUPS / path.strip("/")
        for folder in (group, *group.parents):
            found.append(_available_of_group(folder))
            if folder == _CGROUPS:
                break
    return [n for n in found if n is not None]


def _available_of_group(folder: Path) -> int | None:
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        stat = (folder / "memory.stat").read_text(encoding="ascii")
    except OSError:
        return None
    if limit == "max":
        return None
    numbers = dict(line.split() for line in stat.splitlines() if line)
    # files read lately count as used but are given back when asked for
    return max(0, int(limit) - used + int(numbers.get("inactive_file", 0)))


def _whole_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
