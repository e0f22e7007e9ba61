"""The command line `pet-dcgan`; it parses, calls and prints."""

from pathlib import Path
from typing import Annotated

import typer

from pet_dcgan import __version__
from pet_dcgan.cli import (
    console,
    data,
    options,
    runs,
    scan_options,
    serving,
    study,
)
from pet_dcgan.cli.help import CONTEXT, Command, Program
from pet_dcgan.cli.streams import Streams

_NAME = "pet-dcgan"
app = typer.Typer(
    name=_NAME,
    cls=Program,
    help="Brain PET scans in, trained generators of synthetic PET out. "
    "Start with: pet-dcgan demo",
    context_settings=CONTEXT,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _part in (data, runs, study, serving):
    app.add_typer(_part.router)


def _print_version(requested: bool) -> None:
    """Prints the version and exits."""
    if requested:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Handles the options that come before a command."""


@app.command(
    cls=Command,
    epilog="pet-dcgan demo --out demo\n"
    "pet-dcgan demo --real ds004513 --stage NC --assume-tracer FDG",
)
@console.reported
def demo(
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder for everything.")
    ] = Path("demo"),
    quick: Annotated[
        bool, typer.Option("--quick", help="A smoke run of a minute or two.")
    ] = False,
    real: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Real scans in place of the phantom, of one stage or more.",
        ),
    ] = None,
    stage: scan_options.StageOfAll = None,
    assume_tracer: scan_options.AssumeTracer = None,
) -> None:
    """Runs every step on a phantom or on real scans; skips completed ones."""
    if not real and (stage or assume_tracer):
        raise typer.BadParameter(
            "expected --real FOLDER with --stage or --assume-tracer, found "
            "none; add it or leave them out"
        )
    console.start_tensorflow()
    from pet_dcgan.demo import run_demo
    from tfds_adni import Selection

    with options.usage_errors():
        selection = Selection(
            stage=stage or "", assume_tracer=assume_tracer or ""
        )
    summary = run_demo(
        out,
        quick=quick,
        real=real,
        selection=selection,
        check=console.print_cohort if real else None,
        say=typer.echo,
        verbose="auto",
        progress=console.progress,
    )
    console.print_metrics(summary.metrics)
    for what, where in summary.places.items():
        typer.echo(f"{what:<11} {where}")


def main() -> None:
    """Runs the command line and ends the process."""
    streams, code = Streams(), 0
    try:
        # its name also as `python -m pet_dcgan`, which has no completion
        app(prog_name=_NAME)
    except SystemExit as ended:
        code = ended.code
    console.leave(streams, code)
