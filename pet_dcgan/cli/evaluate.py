"""Commands that judge runs: evaluate, study."""

from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan.cli import console
from pet_dcgan.cli.console import reported
from pet_dcgan.cli.options import (
    ConfigName,
    DataDir,
    Features,
    Preset,
    Seed,
    Task,
    parse_fractions,
    parse_planes,
    parse_settings,
)

router = typer.Typer()


@router.command(epilog="Example: pet-dcgan evaluate runs/ad")
@reported
def evaluate(
    run: Annotated[Path, typer.Argument(help="A finished run.")],
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where the data set lies now, if it was moved."),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Synthetic images, looked through for copies; as many as "
            "there are held-out ones are compared with these. 1000 if unset.",
        ),
    ] = None,
    encoder: Annotated[
        Features,
        typer.Option(help="inception adds InceptionV3 (downloads weights)."),
    ] = Features.OWN,
    seed: Seed = 0,
) -> None:
    """Judges a generator against subjects it has never seen."""
    console.start_tensorflow()
    from pet_dcgan.evaluation.evaluate import evaluate as judge
    from pet_dcgan.runs.run import Run

    opened = Run.open(run)
    with console.progress("evaluate") as advance:
        metrics = judge(
            opened,
            data_dir=data_dir,
            count=count,
            seed=seed,
            encoder=encoder.value,
            progress=advance,
        )
    console.print_metrics({opened.config.stage: metrics})
    missing = metrics["intervals"]["missing"]
    if missing:
        typer.echo(f"no 95 % intervals: {missing}")
    typer.echo(metrics["verdict"]["headline"])
    typer.echo(f"{opened.evaluation / 'report.html'}: all of it on one page")


@router.command(
    epilog="Example: pet-dcgan study --data-dir data --out study --epochs 50"
)
@reported
def study(
    data_dir: DataDir,
    out: Annotated[Path, typer.Option(help="The study's folder, a new one.")],
    more_runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", hidden=True)
    ] = None,
    config: ConfigName = "axial_128",
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN...",
            help="Finished runs to use where their subjects fit; the study "
            "trains the others.",
        ),
    ] = None,
    task: Annotated[Task, typer.Option(help="What is told apart.")] = Task.TWO,
    planes: Annotated[
        str, typer.Option(help="One or more, with commas between.")
    ] = "axial",
    fractions: Annotated[
        str,
        typer.Option(help="Percent of the training subjects, with commas."),
    ] = "25,100",
    seeds: Annotated[
        int, typer.Option(min=1, help="Classifiers of each arm and fraction.")
    ] = 5,
    preset: Preset = "demo",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Of a generator of all training subjects."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value for the generators; repeat."),
    ] = None,
    with_validation: Annotated[
        bool,
        typer.Option(
            "--with-validation", help="Judge validation subjects as well."
        ),
    ] = False,
    shuffle_labels: Annotated[
        bool,
        typer.Option(
            "--shuffle-labels",
            help="A control: labels at random, so all must be at chance.",
        ),
    ] = False,
    seed: Seed = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a stopped study.")
    ] = False,
) -> None:
    """Finds out whether synthetic images help a classifier of real ones."""
    told = {
        "task": task.value,
        "planes": parse_planes(planes),
        "fractions": parse_fractions(fractions),
        "seeds": seeds,
        "preset": preset,
        "overrides": parse_settings(preset, settings or [], epochs=epochs),
        "with_validation": with_validation,
        "shuffle_labels": shuffle_labels,
        "seed": seed,
    }
    console.start_tensorflow()
    from pet_dcgan.study.settings import StudySettings
    from pet_dcgan.study.study import run_study
    from pet_dcgan.utils.progress import status

    summary = run_study(
        StudySettings(data_dir=str(data_dir), dataset=config, **told),
        out,
        runs=[*(runs or []), *(more_runs or [])],
        resume=resume,
        verbose=console.keras_verbosity(),
        status=status,
        progress=console.progress,
    )
    for line in summary["words"]:
        typer.echo(line)
    typer.echo(f"{out}: study.json, study.png and results.csv")
