"""Commands for runs: train, evaluate, study."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pet_dcgan.cli import console, options, settings
from pet_dcgan.cli.help import Command
from pet_dcgan.config import ALL_STAGES, PLANES, STAGES

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
    stage: Annotated[
        options.TrainStage,
        typer.Option(
            metavar="|".join((*STAGES, ALL_STAGES)),
            case_sensitive=False,
            help="Subjects to learn from.",
        ),
    ],
    run: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="A new folder for the run."),
    ],
    config: options.ConfigName = "axial_128",
    plane: Annotated[
        options.Plane | None,
        typer.Option(
            metavar="|".join(PLANES),
            case_sensitive=False,
            help="Needed if a set holds several.",
        ),
    ] = None,
    preset: options.Preset = "robust",
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
    warm_start: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="A run whose networks to start from."),
    ] = None,
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
    """Trains a generator for one stage, or for ALL to start others from."""
    overrides = options.parse_settings(
        preset,
        settings,
        epochs=epochs,
        precision=precision,
        deterministic="true" if deterministic else None,
    )
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
        strategy=strategy_scope,
        stop_on_failure=stop_on_failure,
        verbose="auto",
    )
    typer.echo(f"{done.path}: trained. Next: pet-dcgan evaluate {done.path}")


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
            "slices are compared with them. At least 1000 if unset.",
        ),
    ] = None,
    search: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Synthetic images to search for copies; more find rarer ones.",
        ),
    ] = 10_000,
    encoder: Annotated[
        Literal["own", "inception"],
        typer.Option(
            metavar="own|inception",
            help="inception adds InceptionV3 (downloads weights).",
        ),
    ] = "own",
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
            progress=advance,
        )
    console.print_metrics({opened.config.stage: metrics})
    typer.echo(f"{opened.evaluation / 'report.html'}: all of it on one page")
    typer.echo(f"Next: {next_step(metrics, run)}")


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
    preset: options.Preset = "demo",
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="For a generator of all training subjects; as many as make "
            "800 steps if unset.",
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
    settings_of_study = {
        "data_dir": str(data_dir),
        "dataset": config,
        "task": task,
        "planes": options.parse_planes(planes),
        "splits": splits,
        "by_site": by_site,
        "fractions": options.parse_fractions(fractions),
        "seeds": seeds,
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
