"""The command line `pet-dcgan`; it parses, calls and prints."""

from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan import __version__, console
from pet_dcgan.console import reported
from pet_dcgan.files import replacing
from pet_dcgan.options import (
    ConfigName,
    DataDir,
    Format,
    Plane,
    Preset,
    Seed,
    Stage,
    parse_counts,
    parse_settings,
)

app = typer.Typer(
    name="pet-dcgan",
    help="Brain PET scans in, trained generators of synthetic PET out. "
    "Start with: pet-dcgan demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Takes the options that come before a command."""


@app.command(epilog="Example: pet-dcgan phantom scans --subjects 24")
@reported
def phantom(
    out: Annotated[
        Path, typer.Argument(help="A folder that is not there yet.")
    ],
    subjects: Annotated[
        str,
        typer.Option(help="Subjects a stage: 24, or NC=8,MCI=8,AD=8."),
    ] = "24",
    seed: Seed = 0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; all cores if unset.")
    ] = None,
) -> None:
    """Makes an ADNI-like download of invented brains, to try things on."""
    counts = parse_counts(subjects)
    from tfds_adni.phantom import write_cohort

    with console.progress("phantom scans") as advance:
        written = write_cohort(
            out,
            subjects=counts,
            seed=seed,
            jobs=jobs,
            progress=advance,
        )
    typer.echo(
        f"{written}: a phantom cohort, no patients. Next: pet-dcgan prepare "
        f"{written} --data-dir data"
    )


@app.command(epilog="Example: pet-dcgan scan ~/ADNI_PET --csv scans.csv")
@reported
def scan(
    folder: Annotated[Path, typer.Argument(help="The unpacked download.")],
    csv: Annotated[
        Path | None, typer.Option(help="Write one row for each file here.")
    ] = None,
) -> None:
    """Shows which scans would be used, which are skipped, and why."""
    from tfds_adni.cohort import gather

    cohort = gather(folder)
    console.print_cohort(cohort)
    if csv:
        with replacing(csv) as path:
            cohort.account(folder).to_csv(path, index=False)
        typer.echo(f"one row for each file: {csv}")


@app.command(
    epilog="Example: pet-dcgan prepare ~/ADNI_PET --data-dir data "
    "--config axial_128"
)
@reported
def prepare(
    folder: Annotated[Path, typer.Argument(help="The unpacked download.")],
    data_dir: DataDir,
    config: ConfigName = "axial_128",
    num_shards: Annotated[
        int | None,
        typer.Option(min=1, help="Files of each split; by size if unset."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the split.")] = 0,
) -> None:
    """Turns a folder of scans into TFRecords of labelled SUVR slices."""
    console.start_tensorflow(gpu=False)
    from tfds_adni import Builder
    from tfds_adni.prepare import prepare as prepare_set

    if config not in Builder.builder_configs:
        raise typer.BadParameter(
            f"expected {', '.join(Builder.builder_configs)}; found {config!r}",
            param_hint="--config",
        )
    with console.progress("prepare") as advance:
        home = prepare_set(
            folder,
            data_dir,
            config=config,
            num_shards=num_shards,
            split_seed=seed,
            check=console.print_cohort,
            progress=advance,
        )
    typer.echo(
        f"{home}: account of every scan in scans.csv. Next: pet-dcgan train "
        f"--data-dir {data_dir} --config {config} --stage AD --run runs/ad"
    )


@app.command(
    epilog="Example: pet-dcgan train --data-dir data --stage AD --run runs/ad "
    "--preset demo --set batch_size=8"
)
@reported
def train(
    data_dir: DataDir,
    stage: Annotated[Stage, typer.Option(case_sensitive=False)],
    run: Annotated[Path, typer.Option(help="The run's folder, a new one.")],
    config: ConfigName = "axial_128",
    plane: Annotated[
        Plane | None, typer.Option(help="Needed where a set holds several.")
    ] = None,
    preset: Annotated[Preset, typer.Option()] = Preset.PAPER,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Instead of the preset's.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value, as in config.json; repeat."),
    ] = None,
    seed: Seed = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and stop.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a stopped run.")
    ] = False,
) -> None:
    """Trains the generator of one stage."""
    overrides = parse_settings(preset, settings or [], epochs)
    console.start_tensorflow()
    from pet_dcgan import train as training

    resolved = training.resolve_config(
        preset.value,
        data_dir=data_dir,
        dataset=config,
        stage=stage.value,
        plane=plane.value if plane else None,
        overrides=overrides,
        seed=seed,
    )
    if dry_run:
        from pet_dcgan import plan

        typer.echo(plan.describe(plan.plan(resolved)))
        return
    done = training.train(
        resolved, run, resume=resume, verbose=console.keras_verbosity()
    )
    typer.echo(f"{done.path}: trained. Next: pet-dcgan evaluate {done.path}")


@app.command(epilog="Example: pet-dcgan evaluate runs/ad")
@reported
def evaluate(
    run: Annotated[Path, typer.Argument(help="A finished run.")],
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where the data set lies now, if it was moved."),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(min=2, help="Images of each kind; all held-out if unset."),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Judges a generator against subjects it has never seen."""
    console.start_tensorflow()
    from pet_dcgan.evaluate import evaluate as judge
    from pet_dcgan.run import Run

    opened = Run.open(run)
    metrics = judge(opened, data_dir=data_dir, count=count, seed=seed)
    console.print_metrics({opened.config.stage: metrics})
    typer.echo(f"{opened.evaluation}: metrics.json and figures")


@app.command(epilog="Example: pet-dcgan export runs/ad --to export/models")
@reported
def export(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs.")],
    to: Annotated[Path, typer.Option(help="The folder of models.")],
) -> None:
    """Writes SavedModels for TensorFlow Serving."""
    console.start_tensorflow(gpu=False)
    from pet_dcgan.export import export_run
    from pet_dcgan.run import Run

    opened = [Run.open(path) for path in runs]
    for run in opened:
        typer.echo(f"{export_run(run, to)}: exported and compared")


@app.command(
    epilog="Example: pet-dcgan generate export/models/ad --count 100 --seed 1 "
    "--out synthetic --format nifti"
)
@reported
def generate(
    model: Annotated[
        str, typer.Argument(help="An exported model or one version of it.")
    ],
    count: Annotated[int, typer.Option(min=1, help="How many images.")],
    out: Annotated[Path, typer.Option(help="A folder to be made.")],
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the first image; then +1.")
    ] = 0,
    format: Annotated[Format, typer.Option()] = Format.PNG,  # noqa: A002
) -> None:
    """Draws synthetic images with an exported model."""
    console.start_tensorflow()
    from pet_dcgan.generate import generate as draw

    with console.progress("images") as advance:
        table = draw(
            model,
            count=count,
            seed=seed,
            out=out,
            format=format.value,
            progress=advance,
        )
    typer.echo(f"{table}: {count} images, their seeds and their SUVR scale")


@app.command(epilog="Example: pet-dcgan demo --out demo")
@reported
def demo(
    out: Annotated[Path, typer.Option(help="Everything goes in here.")] = Path(
        "demo"
    ),
    quick: Annotated[
        bool, typer.Option("--quick", help="A smoke run of a minute or two.")
    ] = False,
) -> None:
    """Goes the whole way on a phantom; steps that are done are skipped."""
    console.start_tensorflow()
    from pet_dcgan.demo import run_demo

    summary = run_demo(
        out,
        quick=quick,
        say=typer.echo,
        verbose=console.keras_verbosity(),
        progress=console.progress,
    )
    console.print_metrics(summary.metrics)
    for what, where in summary.places.items():
        typer.echo(f"{what:<10} {where}")


def main() -> None:
    """Runs the command line."""
    app()
