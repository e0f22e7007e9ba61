"""Commands that train: train and the whole demo."""

from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan import console
from pet_dcgan.console import reported
from pet_dcgan.options import (
    ConfigName,
    DataDir,
    Plane,
    Preset,
    Seed,
    Stage,
    parse_settings,
)

router = typer.Typer()


@router.command(
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
        typer.echo(f"{what:<10} {where}")
