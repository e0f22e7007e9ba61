"""Commands that judge a run: evaluate."""

from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan import console
from pet_dcgan.console import reported
from pet_dcgan.options import (
    Seed,
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
