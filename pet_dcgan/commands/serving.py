"""Commands that hand models on: export, generate."""

from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan import console
from pet_dcgan.console import reported
from pet_dcgan.options import (
    Format,
)

router = typer.Typer()


@router.command(epilog="Example: pet-dcgan export runs/ad --to export/models")
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


@router.command(
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
