"""Which kernels TensorFlow picks here, and which settings change that.

TensorFlow and oneDNN choose a convolution's kernel by the processor's flags,
the shape, and two variables that are read when TensorFlow is imported.
"""

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

# oneDNN's operations are on by default on some processors only; the narrower
# instruction sets stand for processors without AVX-512, or without AVX2
SETTINGS = (
    {"TF_ENABLE_ONEDNN_OPTS": "0"},
    {"TF_ENABLE_ONEDNN_OPTS": "1"},
    {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    {"ONEDNN_MAX_CPU_ISA": "SSE41"},
)
_NAMES = sorted({name for setting in SETTINGS for name in setting})
_CPUINFO = Path("/proc/cpuinfo")
_WIDE = ("sse4_1", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "amx_tile")


def processor() -> str:
    """The processor and those of its flags that decide about kernels."""
    fields = {}
    if _CPUINFO.is_file():
        for line in _CPUINFO.read_text().splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    model = fields.get("model name") or platform.processor() or "unknown"
    have = fields.get("flags", "").split()
    flags = ", ".join(flag for flag in _WIDE if flag in have) or "unknown"
    found = [f"{model} ({platform.machine()}), {os.cpu_count()} cores"]
    found.append(f"flags {flags}")
    found += [f"{n}={os.environ[n]}" for n in _NAMES if n in os.environ]
    return "; ".join(found)


def described(setting: dict[str, str]) -> str:
    """A setting as one writes it before a command."""
    return " ".join(f"{name}={value}" for name, value in setting.items())


def under(
    setting: dict[str, str], *command: str
) -> subprocess.CompletedProcess:
    """Runs this Python with a setting in place of those of the environment."""
    kept = {n: v for n, v in os.environ.items() if n not in _NAMES}
    return subprocess.run(
        [sys.executable, *command],
        env=kept | setting,
        capture_output=True,
        text=True,
        check=False,
    )


def digest() -> str:
    """A digest of the bits of small convolutions and products here."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    found = hashlib.sha256()
    for rows in (1, 3, 8, 64):
        images = rng.standard_normal([rows, 16, 16, 8]).astype(np.float32)
        kernel = rng.standard_normal([5, 5, 8, 16]).astype(np.float32)
        flat = rng.standard_normal([400, 64]).astype(np.float32)
        wide = rng.standard_normal([rows, 400]).astype(np.float32)
        for result in (
            tf.nn.conv2d(images, kernel, 2, "SAME"),
            tf.nn.conv2d_transpose(
                tf.repeat(images, 2, -1), kernel, [rows, 32, 32, 8], 2
            ),
            tf.linalg.matmul(wide, flat),
        ):
            found.update(result.numpy().tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    print(digest())
