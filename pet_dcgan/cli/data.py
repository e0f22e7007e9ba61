"""Commands that make data sets: phantom, scan, prepare."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pet_dcgan.cli import console, options, scan_options
from pet_dcgan.cli.help import Command, expected_among
from pet_dcgan.config import DATASETS
from pet_dcgan.utils.files import replacing, require_file_place
from pet_dcgan.utils.foreign_text import read_object
from pet_dcgan.utils.meant import as_typed
from tfds_adni.file_formats import FORMATS, TFRECORD

router = typer.Typer()


@router.command(cls=Command, epilog="pet-dcgan phantom scans --subjects 24")
@console.reported
def phantom(
    out: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A new folder.")
    ],
    subjects: Annotated[
        str,
        typer.Option(
            metavar="COUNTS",
            help="Subjects per stage: 24, or NC=8,MCI=8,AD=8.",
        ),
    ] = "24",
    difficulty: Annotated[
        Literal["easy", "realistic"],
        typer.Option(
            metavar="easy|realistic",
            help="How much the stages differ, and the people of each.",
        ),
    ] = "realistic",
    visits: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=10,
            help="Yearly visits of everybody, at most 10; 1 to 3 by chance "
            "if unset.",
        ),
    ] = None,
    level: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LEVEL",
            help="ADNI's processing level of the scans: raw, dynamic, "
            "averaged, standardised or uniform_8mm; may be repeated. "
            "uniform_8mm if unset.",
        ),
    ] = None,
    counterfactual: Annotated[
        bool,
        typer.Option(
            "--counterfactual",
            help="Two downloads, with_disease and without_disease: the same "
            "people, in one as if they had never had it.",
        ),
    ] = False,
    seed: options.Seed = 0,
    jobs: options.Jobs = None,
) -> None:
    """Writes a simulated ADNI-like download, to try the program on."""
    counts = options.parse_counts(subjects)
    from tfds_adni.phantom import write_cohort
    from tfds_adni.phantom.levels import UNIFORM, check_levels

    levels = level or [UNIFORM]
    with options.usage_errors("--level"):
        check_levels(levels)
    with console.progress("phantom scans") as advance:
        written = write_cohort(
            out,
            subjects=counts,
            seed=seed,
            jobs=jobs,
            progress=advance,
            difficulty=difficulty,
            visits=visits,
            levels=levels,
            counterfactual=counterfactual,
        )
    scans = written / "with_disease" if counterfactual else written
    typer.echo(
        f"{written}: a phantom cohort, no patients. Next: pet-dcgan prepare "
        f"{as_typed(scans)} --data-dir data"
    )


@router.command(cls=Command, epilog="pet-dcgan scan ~/ADNI_PET --csv scans.csv")
@console.reported
def scan(
    ctx: typer.Context,
    folder: scan_options.Scans,
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A table with one row per scan file."
        ),
    ] = None,
    diagnosis: scan_options.Diagnosis = None,
    qc: scan_options.Quality = None,
    tracer: scan_options.Tracer = "FDG",
    level: scan_options.Levels = None,
    visits: scan_options.Visits = "baseline",
    smc: scan_options.Smc = "drop",
    label_days: scan_options.LabelDays = 180,
    stage: scan_options.StageOfAll = None,
    stage_word: scan_options.StageWords = None,
    date_order: scan_options.DateOrder = None,
    assume_tracer: scan_options.AssumeTracer = None,
    desc: scan_options.Desc = None,
    space: scan_options.Space = None,
    window: scan_options.Window = None,
    flip_left_right: scan_options.FlipLeftRight = False,
    dicom_cache: scan_options.DicomCache = None,
) -> None:
    """Shows which scans would be used, which are skipped, and why."""
    selection, reading = (
        scan_options.selection_of(ctx.params),
        scan_options.reading_of(ctx.params),
    )
    from tfds_adni import survey

    if csv:  # now, and not after all scans have been read
        require_file_place(csv)
    cohort = survey(folder, selection, reading=reading)
    console.print_cohort(cohort)
    if csv:
        with replacing(csv) as path:
            cohort.account(folder).to_csv(path, index=False)
        typer.echo(f"{csv}: one row per file")
    cohort.require_used(folder)


@router.command(
    cls=Command,
    epilog="pet-dcgan prepare ~/ADNI_PET --data-dir data --config axial_128",
)
@console.reported
def prepare(
    ctx: typer.Context,
    folder: scan_options.Scans,
    data_dir: options.DataDir,
    config: options.ConfigName = "axial_128",
    num_shards: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Files per split; by size if unset."
        ),
    ] = None,
    file_format: Annotated[
        Literal[FORMATS],
        typer.Option(
            metavar="|".join(FORMATS),
            help="tfrecord, which training reads, or array_record, for "
            "tfds.data_source.",
        ),
    ] = TFRECORD,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Seed of the split.")
    ] = 0,
    diagnosis: scan_options.Diagnosis = None,
    qc: scan_options.Quality = None,
    tracer: scan_options.Tracer = "FDG",
    level: scan_options.Levels = None,
    visits: scan_options.Visits = "baseline",
    smc: scan_options.Smc = "drop",
    label_days: scan_options.LabelDays = 180,
    stage: scan_options.StageOfAll = None,
    stage_word: scan_options.StageWords = None,
    date_order: scan_options.DateOrder = None,
    assume_tracer: scan_options.AssumeTracer = None,
    desc: scan_options.Desc = None,
    space: scan_options.Space = None,
    window: scan_options.Window = None,
    flip_left_right: scan_options.FlipLeftRight = False,
    dicom_cache: scan_options.DicomCache = None,
    normalise: scan_options.Normalise = "brain",
    masks: scan_options.Masks = None,
    register: scan_options.Register = "none",
    jobs: scan_options.Jobs = None,
    beam_options: scan_options.BeamOptions = None,
) -> None:
    """Turns a folder of scans into a TFDS set of labelled slices or volumes."""
    selection, reading = (
        scan_options.selection_of(ctx.params),
        scan_options.reading_of(ctx.params),
    )
    from tfds_adni.volumes.normalisation import Normalisation

    with options.usage_errors():
        normalisation = Normalisation(method=normalise, masks=masks)
    if config not in DATASETS:
        raise typer.BadParameter(
            expected_among(DATASETS, config), param_hint="--config"
        )
    console.start_tensorflow(gpu=False)
    from tfds_adni import prepare as prepare_set

    with console.progress("prepare") as advance:
        home = prepare_set(
            folder,
            data_dir,
            config=config,
            selection=selection,
            normalisation=normalisation,
            reading=reading,
            register=register,
            jobs=jobs,
            beam_options=beam_options,
            num_shards=num_shards,
            file_format=file_format,
            split_seed=seed,
            check=console.print_cohort,
            progress=advance,
        )
    facts = read_object(home / "metadata.json")
    console.print_prepared(facts)
    typer.echo(
        f"{home}: account of every scan in scans.csv, pictures of them in "
        "scans.html (for the data's keepers only). Next: "
        + _next(facts, data_dir, config, file_format)
    )


def _next(
    facts: dict[str, Any], data_dir: Path, config: str, file_format: str
) -> str:
    """What to do with a prepared set."""
    if file_format != TFRECORD:
        return (
            "in Python, import tfds_adni and "
            f'tfds.data_source("adni/{config}", data_dir="{data_dir}")'
        )
    *others, last = [
        s for s, counts in facts["subjects"].items() if counts["train"]
    ]
    wanted = f"--stage {last} --run runs/{last.lower()}"
    if "volumes" in facts:
        # all stages in one generator, where there are several
        alone = f"--conditions none {wanted}"
        together = "--run runs/volumes"
        wanted = f"--preset volume {together if others else alone}"
    return (
        f"pet-dcgan train --data-dir {as_typed(data_dir)} --config {config} "
        f"{wanted}"
    )
