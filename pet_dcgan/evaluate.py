"""How like held-out real slices the slices of a generator are."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pet_dcgan.config import TrainConfig
from pet_dcgan.data import SetMeta, Slices, load_slices, require_disjoint
from pet_dcgan.evaluation_figures import (
    save_histograms,
    save_real_and_synthetic,
)
from pet_dcgan.files import replacing
from pet_dcgan.intensity import suvr_from_png
from pet_dcgan.metrics.psnr import psnr
from pet_dcgan.metrics.ssim import ssim
from pet_dcgan.pairs import RULES, Pairs, pair_with_real
from pet_dcgan.run import Run
from pet_dcgan.sampling import synthetic_slices

_ONE_SUBJECT = (
    "real against real needs held-out images of two subjects, found one"
)
_FACTS = (
    "phantom",
    "preset",
    "stage",
    "plane",
    "dataset",
    "size",
    "spacing_mm",
    "suvr_max",
)
_CHUNK = 256


def evaluate(
    run: Run,
    *,
    data_dir: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Compares a run's generator with held-out real slices.

    As many synthetic slices as real ones of the test split are paired with
    real ones and compared by PSNR and SSIM; the same is done for the real
    slices against those of other subjects. Writes `metrics.json` and two
    figures to the run's `evaluation` folder; the same run and seed give the
    same bytes.

    Args:
        run: A finished run.
        data_dir: Folder of the prepared sets, by default the run's own.
        count: Number of slices of each kind, by default every held-out one.
        seed: Seed of the first synthetic slice (the others count up from
            it), and of the random pairs.

    Returns:
        What `metrics.json` holds.

    Raises:
        FileNotFoundError: If the run is not finished or the set is missing.
        ValueError: If a held-out subject was trained on, the set does not
            fit the run, `count` is out of range, or the generator makes
            values that are not finite.
    """
    generator = run.load_generator()
    held_out = _held_out(run, data_dir)
    real, subjects = _chosen(held_out, count, seed)
    suvr_max = run.config.suvr_max
    seeds = np.arange(seed, seed + len(real))
    synthetic = synthetic_slices(generator, seeds, suvr_max=suvr_max)
    pairs = {
        "synthetic": pair_with_real(synthetic, real, seed=seed),
        "real": _real_pairs(real, subjects, seed),
    }
    metrics = _describe(run, subjects, seed) | {
        "psnr": _scores(pairs, psnr),
        "ssim": _scores(pairs, partial(ssim, dynamic_range=suvr_max)),
    }
    _write(run, metrics, pairs)
    return metrics


def _held_out(run: Run, data_dir: str | Path | None) -> Slices:
    config = run.config
    slices = load_slices(
        data_dir or config.data_dir,
        config.dataset,
        split="test",
        stage=config.stage,
        plane=config.plane,
    )
    _require_fit(config, slices.meta)
    require_disjoint(run.subjects, slices.subjects)
    return slices


def _require_fit(config: TrainConfig, meta: SetMeta) -> None:
    for name in ("size", "spacing_mm", "suvr_max", "phantom"):
        wanted, found = getattr(config, name), getattr(meta, name)
        if wanted != found:
            raise ValueError(
                f"expected a data set with the run's {name} {wanted}, found "
                f"{found}: give the --data-dir the run was trained on"
            )


def _chosen(
    slices: Slices, count: int | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Held-out slices in SUVR and their subjects, `count` of them."""
    total = len(slices.images)
    count = total if count is None else count
    if not 1 <= count <= total:
        raise ValueError(
            f"expected a count from 1 to {total} (the held-out slices), "
            f"found {count}"
        )
    if not 0 <= seed < 2**62:
        raise ValueError(f"expected a seed of 0 or more, found {seed}")
    random = np.random.default_rng(seed)
    rows = np.sort(random.choice(total, count, replace=False))
    suvr = suvr_from_png(slices.images[rows], slices.meta.suvr_max)
    return suvr, slices.subjects[rows]


def _real_pairs(
    real: np.ndarray, subjects: np.ndarray, seed: int
) -> Pairs | None:
    if len(np.unique(subjects)) < 2:
        return None
    return pair_with_real(real, real, seed=seed, subjects=subjects)


def _scores(
    pairs: dict[str, Pairs | None], metric: Callable
) -> dict[str, dict | None]:
    """Summary of a metric for each kind of image and rule of pairing."""
    return {
        kind: each
        and {rule: _summary(_values(each, rule, metric)) for rule in RULES}
        for kind, each in pairs.items()
    }


def _values(pairs: Pairs, rule: str, metric: Callable) -> np.ndarray:
    partners, images = pairs.partners[rule], pairs.images
    starts = range(0, len(images), _CHUNK)
    rows = [slice(start, start + _CHUNK) for start in starts]
    values = [metric(pairs.real[partners[r]], images[r]) for r in rows]
    return np.concatenate(values)


def _summary(values: np.ndarray) -> dict[str, float | int | None]:
    """Mean, median and SD; equal images have no finite PSNR and are left."""
    values = values[np.isfinite(values)]
    known = len(values) > 0
    return {
        "mean": round(float(values.mean()), 6) if known else None,
        "median": round(float(np.median(values)), 6) if known else None,
        "sd": round(float(values.std(ddof=1)), 6) if len(values) > 1 else None,
        "n": len(values),
    }


def _describe(run: Run, subjects: np.ndarray, seed: int) -> dict[str, Any]:
    names, counts = np.unique(subjects, return_counts=True)
    total, held_out = len(subjects), len(names)
    others = float((counts * (total - counts)).sum() / total)
    return {name: getattr(run.config, name) for name in _FACTS} | {
        "seed": seed,
        "images": {"synthetic": total, "held_out": total},
        "subjects": {"training": len(run.subjects), "held_out": held_out},
        "pairing": RULES,
        "candidates": {"synthetic": total, "real": round(others, 6)},
        "no_real_against_real": None if held_out > 1 else _ONE_SUBJECT,
        "units": {"psnr": "dB", "ssim": "1 for equal images"},
    }


def _write(
    run: Run, metrics: dict[str, Any], pairs: dict[str, Pairs | None]
) -> None:
    """Figures first: `metrics.json` says that all of it is there."""
    folder, config = run.evaluation, run.config
    save_histograms(folder / "histograms.png", pairs, config)
    save_real_and_synthetic(
        folder / "real_and_synthetic.png", pairs["synthetic"], config
    )
    text = json.dumps(metrics, indent=2, sort_keys=True, allow_nan=False)
    with replacing(folder / "metrics.json") as path:
        path.write_text(text + "\n", encoding="utf-8")
