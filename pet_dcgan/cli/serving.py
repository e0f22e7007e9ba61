"""Commands that hand models on: export, generate."""

from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan.cli import console
from pet_dcgan.cli.console import reported
from pet_dcgan.cli.options import Format
from pet_dcgan.serving.rest_model import ModelUrl, is_url

router = typer.Typer()


@router.command(epilog="Example: pet-dcgan export runs/ad --to export/models")
@reported
def export(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs.")],
    to: Annotated[Path, typer.Option(help="The folder of models.")],
    allow_copies: Annotated[
        bool,
        typer.Option(
            "--allow-copies",
            help="Also where images are copies of training subjects.",
        ),
    ] = False,
) -> None:
    """Writes SavedModels for TensorFlow Serving."""
    console.start_tensorflow(gpu=False)
    from pet_dcgan.runs.run import Run
    from pet_dcgan.serving.export import export_run

    opened = [Run.open(path) for path in runs]
    for run in opened:
        version = export_run(run, to, allow_copies=allow_copies)
        typer.echo(f"{version}: exported and compared")


def _named_model(model: str) -> str:
    """Refuses a URL that is none of a model."""
    if is_url(model):
        try:
            ModelUrl.parse(model)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return model


@router.command(
    epilog="Example: pet-dcgan generate export/models/ad --count 100 --seed 1 "
    "--out synthetic --format nifti; from a server: pet-dcgan generate "
    "http://localhost:8501/v1/models/ad --count 100 --out synthetic"
)
@reported
def generate(
    model: Annotated[
        str,
        typer.Argument(
            callback=_named_model,
            help="An exported model or one version of it: a folder, or a URL "
            "of TensorFlow Serving's REST interface.",
        ),
    ],
    count: Annotated[int, typer.Option(min=1, help="How many images.")],
    out: Annotated[Path, typer.Option(help="A folder to be made.")],
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the first image; then +1.")
    ] = 0,
    format: Annotated[Format, typer.Option()] = Format.PNG,  # noqa: A002
    timeout: Annotated[
        float,
        typer.Option(min=0.1, help="Seconds that a server may take to answer."),
    ] = 60.0,
) -> None:
    """Draws synthetic images with an exported model.

    What is stopped half-way is kept beside --out, and the same command goes
    on with it.
    """
    if not is_url(model):
        console.start_tensorflow()
    from pet_dcgan.serving.generate import generate as draw

    with console.progress("images") as advance:
        table = draw(
            model,
            count=count,
            seed=seed,
            out=out,
            format=format.value,
            timeout=timeout,
            progress=advance,
        )
    typer.echo(f"{table}: {count} images, their seeds and their SUVR scale")
