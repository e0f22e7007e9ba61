"""Commands for runs: train, evaluate."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pet_dcgan.cli import console, options, settings
from pet_dcgan.cli.help import Command
from pet_dcgan.config import PLANES, STAGES
from pet_dcgan.utils.meant import as_typed

router = typer.Typer()


def _list_settings(requested: bool) -> None:
    """Prints what `--set` takes and exits."""
    if requested:
        typer.echo(settings.list_settings())
        raise typer.Exit


@router.command(
    cls=Command,
    epilog="pet-dcgan train --data-dir data --stage AD --run runs/ad "
    "--epochs 50 --set batch_size=8",
)
@console.reported
def train(
    data_dir: options.DataDir,
    run: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="A new folder for the run."),
    ],
    stage: Annotated[
        options.Stage | None,
        typer.Option(
            metavar="|".join(STAGES),
            case_sensitive=False,
            help="Subjects to learn from; all stages with --conditions.",
        ),
    ] = None,
    config: options.ConfigName = "axial_128",
    plane: Annotated[
        options.Plane | None,
        typer.Option(
            metavar="|".join(PLANES),
            case_sensitive=False,
            help="Needed if a set holds several and plane is no condition.",
        ),
    ] = None,
    preset: options.Preset = "robust",
    conditions: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...",
            help="Train one generator of all stages, which is asked for some "
            "of stage,plane,position,age,sex; stage is among them. The preset "
            "conditional has stage,plane,position.",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Instead of the preset's."),
    ] = None,
    settings: options.Settings = None,
    list_settings: Annotated[
        bool,
        typer.Option(
            "--list-settings",
            callback=_list_settings,
            is_eager=True,
            help="List what --set takes, with the values of each preset, and "
            "exit.",
        ),
    ] = False,
    seed: options.Seed = 0,
    precision: Annotated[
        Literal["float32", "mixed_bfloat16", "mixed_float16"] | None,
        typer.Option(
            metavar="float32|mixed_bfloat16|mixed_float16",
            help="16 bits help on a GPU.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and stop.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a stopped run.")
    ] = False,
    device: Annotated[
        Literal["auto", "cpu", "gpu"],
        typer.Option(
            metavar="auto|cpu|gpu", help="auto uses a GPU if there is one."
        ),
    ] = "auto",
    strategy: Annotated[
        Literal["none", "mirrored", "multiworker"],
        typer.Option(
            metavar="none|mirrored|multiworker",
            help="mirrored shares each batch among all GPUs here, multiworker "
            "among the machines of TF_CONFIG.",
        ),
    ] = "none",
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Use deterministic ops (slower)."),
    ] = False,
    stop_on_failure: Annotated[
        bool,
        typer.Option(
            "--stop-on-failure",
            help="Stop a training that has collapsed or stalled, or in which "
            "one network overpowers the other.",
        ),
    ] = False,
) -> None:
    """Trains a generator for one stage, or one that is asked for any."""
    overrides = options.parse_settings(
        preset,
        settings,
        epochs=epochs,
        conditions=conditions,
        precision=precision,
        deterministic="true" if deterministic else None,
    )
    options.require_stage(stage, preset, overrides, dataset=config)
    console.start_tensorflow()
    from pet_dcgan.training import devices, distribution
    from pet_dcgan.training import train as training

    devices.choose_device(device)
    strategy_scope = distribution.make_strategy("none" if dry_run else strategy)
    resolved = training.resolve_config(
        preset,
        data_dir=data_dir,
        dataset=config,
        stage=stage,
        plane=plane,
        overrides=overrides,
        seed=seed,
    )
    if dry_run:
        from pet_dcgan.training.dry_run import dry_run as estimate

        typer.echo(estimate(resolved))
        return
    done = training.train(
        resolved,
        run,
        resume=resume,
        strategy=strategy_scope,
        stop_on_failure=stop_on_failure,
        verbose="auto",
    )
    where = as_typed(done.path)
    typer.echo(f"{done.path}: trained. Next: pet-dcgan evaluate {where}")


@router.command(cls=Command, epilog="pet-dcgan evaluate runs/ad")
@console.reported
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run.")],
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="New folder of the data set, if it was moved.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=2,
            help="Synthetic images to measure; as many as there are held-out "
            "ones are compared with them. If unset, at least 1000 slices or "
            "64 volumes of each stage.",
        ),
    ] = None,
    search: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Synthetic images to search for copies; more find rarer ones. "
            "10000 slices or 1000 volumes if unset.",
        ),
    ] = None,
    encoder: Annotated[
        Literal["own", "inception"],
        typer.Option(
            metavar="own|inception",
            help="inception adds InceptionV3 (downloads weights).",
        ),
    ] = "own",
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN",
            help="A run of one stage, whose numbers stand beside those of a "
            "run with conditions. May be repeated.",
        ),
    ] = None,
    seed: options.Seed = 0,
) -> None:
    """Evaluates a generator on subjects it has never seen."""
    console.start_tensorflow()
    from pet_dcgan.evaluation.assessment import next_step
    from pet_dcgan.evaluation.evaluate import evaluate as evaluate_run
    from pet_dcgan.runs.run import Run

    opened = Run.open(run)
    with console.progress("evaluate") as advance:
        metrics = evaluate_run(
            opened,
            data_dir=data_dir,
            count=count,
            search=search,
            seed=seed,
            encoder=encoder,
            beside=beside or (),
            progress=advance,
        )
    console.print_metrics({opened.config.stage: metrics})
    typer.echo(f"{opened.evaluation / 'report.html'}: all of it on one page")
    typer.echo(f"Next: {next_step(metrics, run)}")
