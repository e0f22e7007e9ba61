"""The command for a study."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pet_dcgan.cli import console, options
from pet_dcgan.cli.help import Command
from pet_dcgan.utils.foreign_text import one_line

router = typer.Typer()


@router.command(
    cls=Command, epilog="pet-dcgan study --data-dir data --out study"
)
@console.reported
def study(
    data_dir: options.DataDir,
    out: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="A new folder for the study."),
    ],
    more_runs: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    config: options.ConfigName = "axial_64",
    runs: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN...",
            help="Finished runs to use if their subjects fit; the study trains "
            "the others.",
        ),
    ] = None,
    task: Annotated[
        Literal["nc-ad", "three"],
        typer.Option(metavar="nc-ad|three", help="Classes to tell apart."),
    ] = "nc-ad",
    planes: options.Planes = "axial",
    splits: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Splits of all subjects, each tested in one of them; 1 takes "
            "the set's own split, and nothing can then be said of another "
            "training.",
        ),
    ] = 5,
    by_site: Annotated[
        bool,
        typer.Option(
            "--by-site",
            help="Test a site's subjects in the same split (the first three "
            "digits of ADNI's ids).",
        ),
    ] = False,
    fractions: Annotated[
        str,
        typer.Option(
            metavar="PERCENTS",
            help="Percentages of the training subjects, separated by commas.",
        ),
    ] = "25,100",
    seeds: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Repetitions inside each split, with other subsets, "
            "generators and classifiers.",
        ),
    ] = 1,
    generators: Annotated[
        str,
        typer.Option(
            metavar="KINDS",
            help="separate (one for each stage), conditional (one for all of "
            "them), or both, with a comma between.",
        ),
    ] = "separate",
    preset: options.Preset = "demo",
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="For a generator of all training subjects; as many as make "
            "2,000 steps if unset.",
        ),
    ] = None,
    settings: options.Settings = None,
    shuffle_labels: Annotated[
        bool,
        typer.Option(
            "--shuffle-labels",
            help="A control: random labels, so all must be at chance level.",
        ),
    ] = False,
    seed: options.Seed = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a stopped study.")
    ] = False,
) -> None:
    """Tests whether synthetic images help a classifier of real ones.

    By default 20 generators and 40 classifiers of 64 pixels are trained, in
    about an hour on two CPU cores, however many subjects there are.
    """
    if more_runs and not runs:
        words = ",".join(str(word) for word in more_runs)
        raise typer.BadParameter(
            f"expected options alone, found {one_line(words)}: name runs after "
            "--runs, and planes and percentages with commas between"
        )
    settings_of_study = {
        "data_dir": str(data_dir),
        "dataset": config,
        "task": task,
        "planes": options.parse_planes(planes),
        "splits": splits,
        "by_site": by_site,
        "fractions": options.parse_fractions(fractions),
        "seeds": seeds,
        "generators": tuple(name.strip() for name in generators.split(",")),
        "preset": preset,
        "overrides": options.parse_settings(preset, settings, epochs=epochs),
        "shuffle_labels": shuffle_labels,
        "seed": seed,
    }
    console.start_tensorflow()
    from pet_dcgan.study.settings import StudySettings
    from pet_dcgan.study.study import run_study

    summary = run_study(
        StudySettings(**settings_of_study),
        out,
        runs=[*(runs or []), *(more_runs or [])],
        resume=resume,
        verbose="auto",
        status=console.status,
        progress=console.progress,
    )
    for line in summary["words"]:
        typer.echo(line)
    typer.echo(f"{out}: study.json, study.png and results.csv")
