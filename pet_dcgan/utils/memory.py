"""How much memory is free, and what fits into it."""

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import psutil

# Share of the free memory that slices may take; networks, activations and
# everything else on the machine need the rest.
SHARE_OF_SLICES = 0.5
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")


def available_memory() -> int:
    """Bytes of memory this process could still take without swapping.

    The machine's available memory or, on Linux, what the process's control
    group (a container, a batch job) leaves, whichever is less.
    """
    return min([psutil.virtual_memory().available, *_left_in_groups()])


def images_fit(shape: tuple[int, ...]) -> bool:
    """Whether `stored_bytes` fit twice, since TensorFlow copies its input.

    Args:
        shape: Number of images, and their sides.
    """
    return 2 * stored_bytes(shape) <= SHARE_OF_SLICES * available_memory()


def stored_bytes(shape: tuple[int, ...]) -> int:
    """Bytes of images as they are stored, in uint16.

    Args:
        shape: Number of images, and their sides.
    """
    return 2 * math.prod(shape)


def human_bytes(count: float) -> str:
    """Bytes as `"3 MB"` or `"1.5 GB"`, 1 MB being a million."""
    if count < 1e9:
        return f"{max(count / 1e6, 0.1):.3g} MB"
    return f"{count / 1e9:.1f} GB"


@dataclasses.dataclass(frozen=True)
class StepMemory:
    """Memory of a training step: a fixed part, and one that each image adds.

    Args:
        fixed: Bytes of weights, gradients and optimisers on each device.
        per_image: Bytes an image of the batch adds.
        replicas: Devices that share a batch.
    """

    fixed: float
    per_image: float
    replicas: int = 1

    def of_batch(self, batch_size: int) -> float:
        """Bytes that a step of such a batch takes on one device."""
        return self.fixed + self.per_image * batch_size / self.replicas

    def batch_within(self, limit: float, *, below: int) -> int:
        """The largest batch whose step stays within `limit` bytes a device.

        Args:
            limit: Bytes.
            below: The batch is smaller than this.

        Returns:
            A power of two for each device, or 0 where two images do not fit.
        """
        fitting = int((limit - self.fixed) // self.per_image)
        images = min(fitting, (below - 1) // self.replicas)
        if images < 1:
            return 0
        batch = self.replicas * (1 << (images.bit_length() - 1))
        return batch if batch > 1 else 0


def _left_in_groups() -> Iterator[int]:
    """What each control group (version 2) of this process leaves."""
    try:
        lines = _OWN_GROUP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    groups = [_CGROUPS / x[3:].strip("/") for x in lines if x[:3] == "0::"]
    for folder in (each for g in groups for each in (g, *g.parents)):
        # without these files there is no limit
        with contextlib.suppress(OSError):
            limit = (folder / "memory.max").read_text(encoding="ascii").strip()
            used = int((folder / "memory.current").read_text(encoding="ascii"))
            stat = (folder / "memory.stat").read_text(encoding="ascii")
            if limit != "max":
                numbers = dict(x.split() for x in stat.splitlines() if x)
                # cached files count as used but are given back when needed
                cached = int(numbers.get("inactive_file", 0))
                yield max(0, int(limit) - used + cached)
