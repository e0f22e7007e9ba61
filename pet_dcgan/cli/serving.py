"""Commands for exported models: export, generate."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pet_dcgan.cli import console, options
from pet_dcgan.cli.help import Command
from pet_dcgan.config import PLANES

router = typer.Typer()


@router.command(
    cls=Command, epilog="pet-dcgan export runs/ad --to export/models"
)
@console.reported
def export(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN", help="Finished runs.")
    ],
    to: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder of all models.")
    ],
    allow_copies: Annotated[
        bool,
        typer.Option(
            "--allow-copies",
            help="Export even if images are near duplicates of training "
            "images.",
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
        typer.echo(f"{version}: exported, and verified against the generator")


@router.command(
    cls=Command,
    epilog="pet-dcgan generate export/models/ad --count 100 --seed 1 "
    "--out synthetic --format nifti\n"
    "pet-dcgan generate http://localhost:8501/v1/models/ad --count 100 "
    "--out synthetic\n"
    "pet-dcgan generate export/models/conditional --stage AD --plane axial "
    "--position 12 --count 100 --out synthetic\n"
    "pet-dcgan generate export/models/conditional_volume --stage AD --count 20 "
    "--out synthetic --bids",
)
@console.reported
def generate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="An exported model or one version of it: a folder, or a URL "
            "of TensorFlow Serving's REST interface.",
        ),
    ],
    count: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of images.")
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="A new folder for the images."),
    ],
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Seed of the first image; then +1."
        ),
    ] = 0,
    format: Annotated[  # noqa: A002
        Literal["png", "npy", "nifti", "nii"] | None,
        typer.Option(
            metavar="png|npy|nifti|nii",
            help="16-bit pictures with the SUVR scale of images.csv (the "
            "default; of volumes three cuts), or SUVR for NumPy or in NIfTI "
            "(.nii.gz, or .nii as SPM opens it).",
        ),
    ] = None,
    bids: Annotated[
        bool,
        typer.Option(
            "--bids",
            help="Volumes as a BIDS derivative: NIfTI, a participant for each "
            "seed, and what says that they are synthetic.",
        ),
    ] = False,
    license: Annotated[  # noqa: A002
        str | None,
        typer.Option(
            metavar="NAME",
            help="With --bids, the licence in dataset_description.json, as "
            "CC0.",
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            metavar="STAGE",
            help="Of a conditional model: NC, MCI, AD, or their three weights "
            "as 0.5,0.5,0.",
        ),
    ] = None,
    plane: Annotated[
        options.Plane | None,
        typer.Option(
            metavar="|".join(PLANES),
            help="Of a conditional model that knows several.",
        ),
    ] = None,
    position: Annotated[
        float | None,
        typer.Option(
            metavar="MM",
            help="Of a conditional model, from the brain's centre; if unset, "
            "each seed has its own within the plane's band.",
        ),
    ] = None,
    age: Annotated[
        float | None,
        typer.Option(
            metavar="YEARS",
            help="Of a model that knows ages; unknown if unset.",
        ),
    ] = None,
    sex: Annotated[
        Literal["F", "M"] | None,
        typer.Option(
            metavar="F|M",
            help="Of a model that knows sexes; unknown if unset.",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0.1, help="How long a server may take."
        ),
    ] = 60.0,
) -> None:
    """Draws synthetic images with an exported model.

    A stopped batch is kept beside --out, and the same command resumes it.
    """
    wanted = {
        "stage": options.parse_stage(stage),
        "plane": plane,
        "position_mm": position,
        "age": age,
        "sex": sex,
    }
    # requests is slow to import, and --help does without
    from pet_dcgan.serving.rest_model import is_url, parse_model_url

    if is_url(model):
        with options.usage_errors("MODEL"):
            parse_model_url(model)
    else:
        console.start_tensorflow()
    from pet_dcgan.serving.generate import generate as generate_images
    from pet_dcgan.serving.wanted import WantedError

    with (
        options.usage_errors(kind=WantedError),
        console.progress("images") as advance,
    ):
        table = generate_images(
            model,
            count=count,
            seed=seed,
            out=out,
            format=format,
            bids=bids,
            license=license,
            **wanted,
            timeout=timeout,
            progress=advance,
        )
    words = "seeds and stages" if bids else "seeds and their SUVR scale"
    typer.echo(f"{table}: {count} images, their {words}")
