"""Evaluates a generator against subjects that it was not trained on."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from pet_dcgan.data.slices import Slices
from pet_dcgan.evaluation.assessment import assess
from pet_dcgan.evaluation.beside import (
    Separate,
    separate_runs,
)
from pet_dcgan.evaluation.conditional import (
    measure_conditional,
    save_conditional_figures,
)
from pet_dcgan.evaluation.conditional_images import conditional_images
from pet_dcgan.evaluation.copy_scores import memorization_scores
from pet_dcgan.evaluation.facts import evaluation_facts
from pet_dcgan.evaluation.feature_scores import feature_scores
from pet_dcgan.evaluation.figures import FigureData, save_figures
from pet_dcgan.evaluation.images import EvaluationImages, evaluation_images
from pet_dcgan.evaluation.membership_scores import membership_scores
from pet_dcgan.evaluation.pair_scores import (
    image_diversity,
    pair_scores,
    real_pairs,
)
from pet_dcgan.evaluation.region_scores import region_scores
from pet_dcgan.evaluation.report import report_page
from pet_dcgan.evaluation.set_scores import intensity_scores, texture_scores
from pet_dcgan.evaluation.summary import Evaluation
from pet_dcgan.evaluation.synthetic_images import SEARCHED, SEARCHED_VOLUMES
from pet_dcgan.evaluation.volume_images import is_volume_run, volume_images
from pet_dcgan.evaluation.volumes import measure_volumes, save_volume_figures
from pet_dcgan.features.encoder import Encoder
from pet_dcgan.features.train_encoder import random_encoder
from pet_dcgan.features.volume_encoder import random_volume_encoder
from pet_dcgan.runs.given import as_run
from pet_dcgan.runs.run import Run
from pet_dcgan.utils.checksums import write_checksums
from pet_dcgan.utils.files import replacing_folder, restore, sweep
from pet_dcgan.utils.keras_settings import keras_defaults
from pet_dcgan.utils.locks import exclusive

ENCODERS = ("own", "inception")
_STEPS = 9


@keras_defaults()
def evaluate(
    run: Run | keras.Model | str | Path,
    *,
    slices: Slices | None = None,
    out: str | Path | None = None,
    data_dir: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    search: int | None = None,
    encoder: str = "own",
    beside: Sequence[Run | str | Path] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Evaluates a run's generator on held-out real slices.

    Synthetic slices are compared with as many real ones of the test split,
    and real ones with real ones of other subjects in the same way. Writes
    `metrics.json`, figures and `report.html` to the run's `evaluation`
    folder; the same run and seed give the same bytes. The folder is replaced
    as a whole, so that an evaluation that is stopped leaves the earlier one.
    A run with conditions is measured at each stage and plane, and whether it
    obeys them; a run of volumes as wholes, in 3-D.

    Args:
        run: A finished run, or its folder; or a `DCGAN` or generator that
            `train` has not trained, of which `Run.of_model` makes a run.
        slices: What such a model was trained on.
        out: Folder for the run of such a model.
        data_dir: Folder of the prepared sets, by default the run's own.
        count: Number of synthetic slices, by default 1,000 or as many as there
            are held-out ones, if those are more. All of them are measured for
            diversity; comparisons take as many as there are held-out ones, or
            fewer of both where `count` is less. Of volumes, for each stage,
            64 or as many as there are held-out ones.
        seed: Seed of the first synthetic slice (the others count up from
            it), and of every random choice.
        search: Number of synthetic slices that are searched for copies, those
            above among them, by default 10,000, or 1,000 volumes. More of
            them find rarer copies.
        encoder: `"own"` for the encoder of the run's training slices and the
            random one, `"inception"` to add InceptionV3, which looks at
            slices alone.
        beside: Runs of one stage each, or their folders, whose numbers stand
            beside those of a run with conditions.
        progress: Called with the number of steps done and of all steps.

    Returns:
        What `metrics.json` holds.

    Raises:
        BlockingIOError: If another process works in the run's folder.
        FileExistsError: If `out` is not free.
        FileNotFoundError: If the run is not finished or the set is missing.
        ValueError: If a held-out subject was trained on, the set or a run
            beside does not fit the run, an option is out of range or not for
            volumes, or the generator's images are black or not finite.
        ConnectionError: If the weights of InceptionV3 cannot be fetched.
    """
    if encoder not in ENCODERS:
        raise ValueError(
            f"expected an encoder among {', '.join(ENCODERS)}, found {encoder}"
        )
    opened = as_run(run, slices=slices, out=out)
    whole = is_volume_run(opened)
    if whole:
        _require_for_volumes(encoder, beside)
    if search is None:
        search = SEARCHED_VOLUMES if whole else SEARCHED
    return _evaluate(
        opened,
        beside=separate_runs(beside, opened.config, opened.conditions),
        data_dir=data_dir,
        count=count,
        seed=seed,
        search=search,
        encoder=encoder,
        progress=progress,
    )


def _require_for_volumes(encoder: str, beside: Sequence) -> None:
    """Refuses what is measured of slices alone."""
    if encoder == "inception":
        raise ValueError(
            "expected an encoder of volumes, found inception, which looks at "
            "slices: leave --encoder out"
        )
    if beside:
        raise ValueError(
            "expected a run of slices to set others beside, found one of "
            "volumes: leave --beside out, and evaluate the others by themselves"
        )


@exclusive("evaluate", "run")
def _evaluate(
    run: Run,
    *,
    encoder: str,
    beside: Separate,
    progress: Callable[[int, int], None] | None,
    **options: Any,
) -> Evaluation:
    """Evaluates a run, which no other process may change meanwhile."""
    # what a killed evaluation left
    restore(run.evaluation)
    sweep(run.path)
    steps = iter(range(1, _STEPS + 1))

    def step() -> None:
        if progress is not None:
            progress(next(steps), _STEPS)

    if is_volume_run(run):
        metrics, draw = _of_volumes(run, step, options)
    elif run.conditions is None:
        metrics, draw = _of_stage(run, encoder, step, options)
    else:
        metrics, draw = _of_every_stage(run, encoder, step, options, beside)
    with replacing_folder(run.evaluation) as folder:
        metrics["figures"] = draw(folder)
        step()
        _write(folder, metrics)
    step()
    return Evaluation(metrics)


# draws the figures into a folder; gives title and caption by file name
_Draw = Callable[[Path], dict[str, dict[str, str]]]


def _of_stage(
    run: Run, encoder: str, step: Callable[[], None], options: dict[str, Any]
) -> tuple[dict[str, Any], _Draw]:
    """Every number of a run of one stage, and what draws its figures."""
    images = evaluation_images(run, **options)
    step()
    encoders = _encoders(run, images, encoder)
    step()
    metrics, data = _measure(run, images, encoders, step)
    metrics["assessment"] = assess(metrics)
    return metrics, lambda folder: save_figures(folder, run, data)


def _of_every_stage(
    run: Run,
    encoder: str,
    step: Callable[[], None],
    options: dict[str, Any],
    beside: Separate,
) -> tuple[dict[str, Any], _Draw]:
    """The same of a run with conditions."""
    images = conditional_images(run, **options)
    step()
    encoders = _encoders(run, images.whole, encoder)
    step()
    measured = measure_conditional(run, images, encoders, beside, step)
    return measured.metrics, lambda folder: save_conditional_figures(
        folder, run, images, measured
    )


def _of_volumes(
    run: Run, step: Callable[[], None], options: dict[str, Any]
) -> tuple[dict[str, Any], _Draw]:
    """The same of a run of volumes, with conditions or of one stage."""
    images = volume_images(run, **options)
    step()
    own = run.encoder(images.whole.training)
    second = random_volume_encoder(images.whole.training_suvr)
    step()
    encoders = {"trained": own, "random": second}
    measured = measure_volumes(run, images, encoders, step)
    return measured.metrics, lambda folder: save_volume_figures(
        folder, run, images, measured
    )


def _encoders(
    run: Run, images: EvaluationImages, chosen: str
) -> dict[str, Encoder]:
    """Encoders by name; the first is the run's own."""
    encoders = {}
    if chosen == "inception":
        # first, since its weights may not be available
        from pet_dcgan.features.inception import inception_encoder

        encoders["inception"] = inception_encoder(suvr_max=run.config.suvr_max)
    own = run.encoder(images.training)
    second = random_encoder(images.training_suvr)
    return {"trained": own, "random": second} | encoders


def _measure(
    run: Run,
    images: EvaluationImages,
    encoders: dict[str, Encoder],
    step: Callable[[], None],
) -> tuple[dict[str, Any], FigureData]:
    """Every number, and what figures are drawn of."""
    pairs = real_pairs(images)
    metrics = evaluation_facts(run, images) | pair_scores(images, pairs)
    step()
    metrics["features"] = {
        name: feature_scores(images, encoder)
        for name, encoder in encoders.items()
    }
    step()
    metrics["copies"], closest = memorization_scores(images)
    metrics["membership"] = membership_scores(images)
    step()
    metrics["diversity"] = image_diversity(images)
    step()
    metrics["spectrum"], spectra = texture_scores(images)
    metrics["intensity"], histograms = intensity_scores(images)
    metrics["regions"], regions = region_scores(images, pairs)
    step()
    return metrics, FigureData(
        pairs=pairs,
        closest=closest,
        histograms=histograms,
        spectra=spectra,
        regions=regions,
    )


def _write(folder: Path, metrics: dict[str, Any]) -> None:
    """Writes page, `metrics.json` and their checksums beside the figures."""
    figures = {
        name: (folder / name).read_bytes() for name in metrics["figures"]
    }
    text = json.dumps(metrics, indent=2, sort_keys=True, allow_nan=False)
    files = {
        "report.html": report_page(metrics, figures),
        "metrics.json": text + "\n",
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    write_checksums(folder, files)
