"""Commands that train: train and the whole demo."""

from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan.cli import console
from pet_dcgan.cli.console import reported
from pet_dcgan.cli.options import (
    ConfigName,
    DataDir,
    Device,
    Plane,
    Precision,
    Preset,
    Seed,
    Strategy,
    TrainStage,
    parse_settings,
)

router = typer.Typer()


@router.command(
    epilog="Example: pet-dcgan train --data-dir data --stage AD --run runs/ad "
    "--epochs 50 --set batch_size=8"
)
@reported
def train(
    data_dir: DataDir,
    stage: Annotated[TrainStage, typer.Option(case_sensitive=False)],
    run: Annotated[Path, typer.Option(help="The run's folder, a new one.")],
    config: ConfigName = "axial_128",
    plane: Annotated[
        Plane | None, typer.Option(help="Needed where a set holds several.")
    ] = None,
    preset: Preset = "robust",
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Instead of the preset's.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value, as in config.json; repeat."),
    ] = None,
    seed: Seed = 0,
    warm_start: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="A run to take networks from."),
    ] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="16 bits help on a GPU.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and stop.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a stopped run.")
    ] = False,
    device: Annotated[
        Device, typer.Option(help="auto takes a GPU where there is one.")
    ] = Device.AUTO,
    strategy: Annotated[
        Strategy,
        typer.Option(help="All GPUs here, or all machines of TF_CONFIG."),
    ] = Strategy.NONE,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="Use deterministic ops (slower)."),
    ] = False,
    stop_on_failure: Annotated[
        bool,
        typer.Option(
            "--stop-on-failure",
            help="End a training that has collapsed, stands still, or that "
            "one network has won.",
        ),
    ] = False,
) -> None:
    """Trains the generator of one stage, or one of ALL to start others from."""
    overrides = parse_settings(
        preset,
        settings or [],
        epochs=epochs,
        precision=precision.value if precision else None,
        deterministic="true" if deterministic else None,
    )
    console.start_tensorflow()
    from pet_dcgan.training import devices, distribution
    from pet_dcgan.training import train as training

    devices.choose_device(device.value)
    shared_by = distribution.make_strategy(
        "none" if dry_run else strategy.value
    )
    resolved = training.resolve_config(
        preset,
        data_dir=data_dir,
        dataset=config,
        stage=stage.value,
        plane=plane.value if plane else None,
        overrides=overrides,
        seed=seed,
        warm_start=warm_start or "",
    )
    if dry_run:
        from pet_dcgan.training.dry_run import dry_run as estimate

        typer.echo(estimate(resolved))
        return
    done = training.train(
        resolved,
        run,
        resume=resume,
        strategy=shared_by,
        stop_on_failure=stop_on_failure,
        verbose=console.keras_verbosity(),
    )
    typer.echo(f"{done.path}: trained. Next: pet-dcgan evaluate {done.path}")


@router.command(epilog="Example: pet-dcgan demo --out demo")
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
        typer.echo(f"{what:<11} {where}")
