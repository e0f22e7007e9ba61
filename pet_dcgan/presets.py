"""The presets: where a training's settings start from."""

from typing import Any

# What `paper` does without, each off; a preset switches on what was measured
# to help.
PLAIN: dict[str, Any] = {
    "ema_decay": 0.0,
    "augment": "none",
    "augment_probability": 0.0,
    "augment_target": 0.0,
    "label_smoothing": 0.0,
    "r1_weight": 0.0,
    "r1_every": 1,
    "spectral_norm": False,
    "select_every": 0,
    "patience": 0,
    "precision": "float32",
    "xla": False,
    "deterministic": False,
}
# what means nothing without the first
PARTS_OF = {
    "augment": ("augment_probability", "augment_target"),
    "select_every": ("patience",),
    "r1_weight": ("r1_every",),
}
# `paper` is Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2. Their text
# states the latent length, the batch, the optimiser and the epochs; the
# widths and the kernel's place in each layer are read from DCGAN (Radford,
# Metz & Chintala 2016, arXiv 1511.06434), on which they build.
_PAPER: dict[str, Any] = PLAIN | {
    "channels": 3,
    "latent_dim": 100,
    "width": 64,
    "kernel_size": 5,
    "batch_size": 64,
    "epochs": 500,
    "g_learning_rate": 1e-4,
    "d_learning_rate": 1e-4,
    "beta_1": 0.5,
    "beta_2": 0.999,
    "samples_every": 20,
}
# Networks a quarter as wide, which two CPU cores train, with what helped most
# where 24 subjects were trained on: benchmarks/small_data.py, and its table in
# the README. The generator's rate is five times the discriminator's: at ten
# times it drew noisier and less varied images (one run of each, NC, looked at).
_ROBUST: dict[str, Any] = _PAPER | {
    "channels": 1,
    "width": 16,
    "batch_size": 16,
    "epochs": 200,
    "g_learning_rate": 1e-3,
    "d_learning_rate": 2e-4,
    "ema_decay": 0.995,
    "augment": "translate,cutout,rotate,scale",
    "augment_target": 0.6,
    "select_every": 5,
    "patience": 10,
    "samples_every": 10,
}
PRESETS: dict[str, dict[str, Any]] = {
    "robust": _ROBUST,
    "paper": _PAPER,
    # as long as somebody watches
    "demo": _ROBUST
    | {"epochs": 50, "select_every": 0, "patience": 0, "samples_every": 5},
}
