"""What a generator is worth, against subjects it has never seen."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pet_dcgan.evaluation.assessment import verdict
from pet_dcgan.evaluation.feature_scores import copies, feature_scores
from pet_dcgan.evaluation.figures import Material, save_pictures
from pet_dcgan.evaluation.image_scores import (
    intensities,
    profiles,
    texture,
    uptake,
    variety,
)
from pet_dcgan.evaluation.images import EvaluationImages, evaluation_images
from pet_dcgan.evaluation.notebook import Evaluation
from pet_dcgan.evaluation.pair_scores import RULES, pair_scores, real_pairs
from pet_dcgan.evaluation.report import report_page
from pet_dcgan.evaluation.training_curves import read_curves, training_facts
from pet_dcgan.features.encoder import Encoder, random_encoder
from pet_dcgan.metrics.confidence import MIN_SUBJECTS
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.run_encoder import encoder_of
from pet_dcgan.utils.files import replacing

ENCODERS = ("own", "inception")
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
_LEVEL = 0.95
_STEPS = 9

Advance = Callable[[int, int], None]


def evaluate(
    run: Run,
    *,
    data_dir: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    encoder: str = "own",
    progress: Advance | None = None,
) -> Evaluation:
    """Judges a run's generator by held-out real slices.

    Synthetic slices are compared with as many real ones of the test split,
    and real ones with real ones of other subjects in the same way. Writes
    `metrics.json`, figures and `report.html` to the run's `evaluation`
    folder; the same run and seed give the same bytes.

    Args:
        run: A finished run.
        data_dir: Folder of the prepared sets, by default the run's own.
        count: Number of synthetic slices, by default 1,000 or as many as there
            are held-out ones, if those are more. All of them are looked
            through for copies and for variety; comparisons take as many as
            there are held-out ones, or fewer of both where `count` is less.
        seed: Seed of the first synthetic slice (the others count up from
            it), and of everything that is drawn.
        encoder: `"own"` for the encoder of the run's training slices and the
            random one, `"inception"` to add InceptionV3.
        progress: Called with the steps done and their number.

    Returns:
        What `metrics.json` holds, a dictionary that notebooks show as a
        table.

    Raises:
        FileNotFoundError: If the run is not finished or the set is missing.
        ValueError: If a held-out subject was trained on, the set does not
            fit the run, an option is out of range, or the generator's images
            are black or not finite.
        ConnectionError: If the weights of InceptionV3 cannot be fetched.
    """
    if encoder not in ENCODERS:
        raise ValueError(
            f"expected an encoder among {', '.join(ENCODERS)}, found {encoder}"
        )
    step = _Steps(progress)
    judged = evaluation_images(run, data_dir=data_dir, count=count, seed=seed)
    step()
    encoders = _encoders(run, judged, encoder)
    step()
    metrics, material = _measure(run, judged, encoders, step)
    metrics["verdict"] = verdict(metrics)
    folder = run.evaluation
    metrics["figures"] = save_pictures(folder, material, run.config)
    step()
    _write(folder, metrics)
    step()
    return Evaluation(metrics)


class _Steps:
    """Counts steps and tells of them."""

    def __init__(self, progress: Advance | None) -> None:
        self._progress = progress
        self._done = 0

    def __call__(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, _STEPS)


def _encoders(
    run: Run, judged: EvaluationImages, chosen: str
) -> dict[str, Encoder]:
    """By name; the first is the run's own."""
    encoders = {}
    if chosen == "inception":
        # first, as it may not be had
        from pet_dcgan.features.inception import inception_encoder

        encoders["inception"] = inception_encoder(suvr_max=run.config.suvr_max)
    own = encoder_of(run.path, judged.training, seed=run.config.seed)
    second = random_encoder(judged.training_suvr)
    return {"trained": own, "random": second} | encoders


def _measure(
    run: Run,
    judged: EvaluationImages,
    encoders: dict[str, Encoder],
    step: _Steps,
) -> tuple[dict[str, Any], Material]:
    """Every number, and what figures are drawn of."""
    config = run.config
    pairs = real_pairs(judged)
    metrics = _facts(run, judged) | pair_scores(judged, pairs)
    step()
    metrics["features"] = {
        name: feature_scores(judged, encoder)
        for name, encoder in encoders.items()
    }
    step()
    metrics["copies"], closest = copies(judged)
    step()
    metrics["diversity"] = variety(judged)
    step()
    found = profiles(
        judged.samples(),
        spacing_mm=config.spacing_mm,
        suvr_max=config.suvr_max,
    )
    metrics["spectrum"] = texture(judged, found)
    metrics["intensity"] = intensities(judged, found)
    metrics["bands"], bands = uptake(judged, pairs)
    step()
    kept = metrics["training"]["generator"]["epoch"]
    curves = read_curves(run.path)
    return metrics, Material(pairs, closest, curves, kept, found, bands)


def _facts(run: Run, judged: EvaluationImages) -> dict[str, Any]:
    """What was judged by what, in counts."""
    config, real = run.config, judged.real
    held_out = real.subject_count
    counts = [(real.subjects == one).sum() for one in set(real.subjects)]
    total = len(real.images)
    others = float(sum(n * (total - n) for n in counts) / total)
    candidates = total if held_out < 2 else round(others, 6)
    return {name: getattr(config, name) for name in _FACTS} | {
        "seed": judged.seed,
        "images": {
            "synthetic": total,
            "held_out": total,
            "synthetic_drawn": len(judged.synthetic),
        },
        "subjects": {
            "training": len(run.subjects),
            "held_out": held_out,
            "validation": judged.validation.subject_count,
        },
        "training": training_facts(
            run.path,
            config,
            subjects=len(run.subjects),
            slices=len(judged.training.images),
        ),
        "pairing": RULES,
        "candidates": {
            "synthetic": candidates,
            "real": candidates if held_out > 1 else 0.0,
        },
        "no_real_against_real": None if held_out > 1 else _ONE_SUBJECT,
        "intervals": {"level": _LEVEL, "missing": _no_intervals(held_out)},
        "missing": _missing(judged),
        "units": {"psnr": "dB", "ssim": "1 for equal images"},
    }


def _no_intervals(subjects: int) -> str | None:
    if subjects >= MIN_SUBJECTS:
        return None
    found = "is 1" if subjects == 1 else f"are {subjects}"
    return (
        f"they need {MIN_SUBJECTS} held-out subjects or more, and there {found}"
    )


def _missing(judged: EvaluationImages) -> dict[str, str | None]:
    alone = judged.real.subject_count < 2
    no_others = not len(judged.validation.images)
    return {
        "real_pairs": _ONE_SUBJECT if alone else None,
        "real_samples": (
            "how far apart samples of real subjects lie, since the set has no "
            "validation images of this stage"
        )
        if no_others
        else None,
    }


def _write(folder: Path, metrics: dict[str, Any]) -> None:
    """The page first: `metrics.json` says that all of it is there."""
    text = json.dumps(metrics, indent=2, sort_keys=True, allow_nan=False)
    pictures = {
        name: (folder / name).read_bytes() for name in metrics["figures"]
    }
    with replacing(folder / "report.html") as path:
        path.write_text(report_page(metrics, pictures), encoding="utf-8")
    with replacing(folder / "metrics.json") as path:
        path.write_text(text + "\n", encoding="utf-8")
