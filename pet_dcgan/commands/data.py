"""Commands that make data sets: phantom, scan, prepare."""

from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan import console
from pet_dcgan.console import reported
from pet_dcgan.files import replacing
from pet_dcgan.options import (
    ConfigName,
    DataDir,
    Seed,
    parse_counts,
)

router = typer.Typer()


@router.command(epilog="Example: pet-dcgan phantom scans --subjects 24")
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


@router.command(epilog="Example: pet-dcgan scan ~/ADNI_PET --csv scans.csv")
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


@router.command(
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
