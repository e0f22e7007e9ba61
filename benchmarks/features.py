"""Which features a KID should be taken of, measured.

Encoders see the training slices of one phantom cohort. The slices of another
one are then made worse in seven ways, a little more each time, and the KID
between them and slices of other subjects of that cohort is to grow with it:
eight subjects on the one side, as a validation split has, up to thirty on the
other, drawn anew twelve times.

    pet-dcgan phantom A --seed 0
    pet-dcgan phantom B --seed 777 --subjects NC=24,AD=60
    (both prepared with --config axial_64)
    python benchmarks/features.py DATA_A DATA_B --config axial_64

Each number is by how much the KID grows on average, divided by how much it
varies over the draws where nothing is wrong: 2 is seen, 0.5 is not. An
asterisk marks what does not grow at every level.
"""

import argparse

import numpy as np
from scipy import ndimage

from pet_dcgan.cli.console import start_tensorflow

DRAWS, REAL, SYNTHETIC = 12, 8, 30
# the blur in pixels of a 128-pixel image
LEVELS = {
    "blur": (1, 1.5, 2, 3),
    "noise (SUVR)": (0.05, 0.1, 0.2, 0.4),
    "checkerboard": (0.01, 0.03, 0.06, 0.1),
    "fainter by": (0.03, 0.05, 0.1, 0.2),
    "share of NC": (0.25, 0.5, 0.75, 1.0),
    "subjects left": (12, 8, 4, 2),
    "lowest levels left out": (0.1, 0.25, 0.5, 0.75),
}


def worsened(images, kind, level):
    """Every image changed for the worse, where that can be done one by one."""
    if kind == "blur":
        sigma = level * images.shape[1] / 128
        return ndimage.gaussian_filter(images, (0, sigma, sigma))
    if kind == "noise (SUVR)":
        noise = np.random.default_rng(0).normal(0, level, images.shape)
        return images + noise * (images > 0.05)
    if kind == "checkerboard":
        signs = np.indices(images.shape[1:]).sum(0) % 2 * 2 - 1
        return images * (1 + level * signs)
    if kind == "fainter by":
        return images * (1 - level)
    return None


def chosen(kind, level, rows, data, rng):
    """Rows of the clean features, or of those of NC as negative numbers."""
    if kind == "share of NC":
        count = round(level * len(rows))
        others = -1 - rng.integers(0, data["nc"], count)
        return np.concatenate([rng.permutation(rows)[count:], others])
    if kind == "subjects left":
        few = rng.permutation(np.unique(data["subjects"][rows]))[:level]
        left = rows[np.isin(data["subjects"][rows], few)]
    else:
        low = np.quantile(data["positions"][rows], level)
        left = rows[data["positions"][rows] >= low]
    return rng.choice(left, len(rows))


def growths(features_of, data):
    """How the KID grows by kind `[levels]`, and whether at every level."""
    clean, others = features_of(data["images"]), features_of(data["nc_images"])
    data = data | {"nc": len(others)}
    changed = {
        (kind, level): features_of(worsened(data["images"], kind, level))
        for kind, levels in LEVELS.items()
        for level in levels
        if worsened(data["images"][:1], kind, level) is not None
    }
    base, found = [], {kind: [] for kind in LEVELS}
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        names = rng.permutation(np.unique(data["subjects"]))
        few = np.isin(data["subjects"], names[:REAL])
        real = clean[few], data["subjects"][few]
        some = np.isin(data["subjects"], names[REAL : REAL + SYNTHETIC])
        rows = np.flatnonzero(some)
        base.append(_kid(*real, clean[rows]))
        for kind, levels in LEVELS.items():
            values = []
            for level in levels:
                if (kind, level) in changed:
                    worse = changed[kind, level][rows]
                else:
                    picked = chosen(kind, level, rows, data, rng)
                    worse = np.concatenate(
                        [
                            clean[picked[picked >= 0]],
                            others[-1 - picked[picked < 0]],
                        ]
                    )
                values.append(_kid(*real, worse) - base[-1])
            found[kind].append(values)
    means = {kind: np.mean(values, axis=0) for kind, values in found.items()}
    spread = np.std(base)
    return {
        kind: (mean / spread, bool(np.all(np.diff([0, *mean]) > 0)))
        for kind, mean in means.items()
    }


def _kid(real, subjects, synthetic):
    from pet_dcgan.metrics.distribution import kid

    return kid(real, synthetic, subjects=subjects).value


def load(data_dir, config, stage, splits):
    """Images in SUVR, subjects and positions of some splits."""
    from pet_dcgan.data.prepared_set import load_slices
    from pet_dcgan.data.suvr import suvr_from_png

    parts = [
        load_slices(data_dir, config, split=split, stage=stage, plane="axial")
        for split in splits
    ]
    images = np.concatenate([p.images for p in parts])
    return (
        suvr_from_png(images, parts[0].meta.suvr_max),
        np.concatenate([p.subjects for p in parts]),
        np.concatenate([p.positions_mm for p in parts]),
    )


def encoders(data_dir, config):
    """Functions of images by name: what is compared."""
    from pet_dcgan.features.encoder import fit_whitening
    from pet_dcgan.features.train_encoder import random_encoder, train_encoder

    images, subjects, positions = load(data_dir, config, "AD", ["train"])
    trained = train_encoder(
        images, positions_mm=positions, subjects=subjects, seed=0
    )
    whitening = fit_whitening(_pooled(images), components=64)
    return {
        "trained encoder": trained.features,
        "random encoder": random_encoder(images).features,
        "pixels, 32x32": lambda x: _pooled(x) / _pooled(images).std(),
        "pixels, whitened": lambda x: whitening(_pooled(x)),
    }


def _pooled(images):
    side = images.shape[1] // 32
    blocks = images.reshape(len(images), 32, side, 32, side)
    return blocks.mean((2, 4)).reshape(len(images), -1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("trained_on")
    parser.add_argument("fresh")
    parser.add_argument("--config", default="axial_64")
    options = parser.parse_args()
    start_tensorflow(gpu=False)
    every = ["train", "validation", "test"]
    images, subjects, positions = load(
        options.fresh, options.config, "AD", every
    )
    data = {
        "images": images,
        "subjects": subjects,
        "positions": positions,
        "nc_images": load(options.fresh, options.config, "NC", every)[0],
    }
    print(
        "| features |", " | ".join(f"{k} {v}" for k, v in LEVELS.items()), "|"
    )
    print("| --- |" + " --- |" * len(LEVELS))
    for name, features_of in encoders(
        options.trained_on, options.config
    ).items():
        cells = [
            " ".join(f"{v:.1f}" for v in values) + ("" if grows else " *")
            for values, grows in growths(features_of, data).values()
        ]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
